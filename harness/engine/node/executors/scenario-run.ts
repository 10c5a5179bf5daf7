/**
 * One scenario while it runs: starts iterations on its VUs, counts them, and ends them.
 *
 *     accepting ──end of plan──► closing ──none running, or gracefulStop over──► closed
 *         └──────────── stop of the run: running iterations are interrupted ──────┘
 */
import { monotonicNs } from "../../../determinism/clock.ts";
import { NO_TAGS, RecordTags, type TagSource } from "../metrics/metric.ts";
import { plannedMs, type ScenarioPlan } from "../options/scenario-plan.ts";
import type { GeneratorWatch } from "../run/generator-watch.ts";
import type { RunContext } from "../run/run-context.ts";
import type { IterationFacts, ScenarioFacts, TaskOutcome, Vu } from "../vu/vu.ts";

export interface ScenarioParts {
  readonly plan: ScenarioPlan;
  readonly run: RunContext;
  readonly vus: readonly Vu[];
  readonly watch: GeneratorWatch;
  /** Tells of an exception in an iteration. */
  readonly onException: (error: unknown) => void;
}

/** Calls back at a monotonic instant, to the millisecond, never early by more than one. */
export function atInstant(instantNs: number, callback: () => void): NodeJS.Timeout {
  return setTimeout(callback, Math.max(0, Math.ceil((instantNs - monotonicNs()) / 1e6)));
}

export class ScenarioRun {
  readonly plan: ScenarioPlan;
  readonly run: RunContext;
  readonly vus: readonly Vu[];
  /** Monotonic instant of the scenario's own start. */
  readonly startNs: number;
  accepting = true;
  running = 0;
  planned = 0;
  readonly #watch: GeneratorWatch;
  readonly #onException: (error: unknown) => void;
  readonly #facts: ScenarioFacts;
  readonly #closed = Promise.withResolvers<void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #forgetStop: () => void = () => undefined;

  constructor(parts: ScenarioParts, t0Ns: number) {
    const { plan, run, vus, watch, onException } = parts;
    this.plan = plan;
    this.run = run;
    this.vus = vus;
    this.#watch = watch;
    this.#onException = onException;
    this.startNs = t0Ns + plan.startTimeMs * 1e6;
    const lengthNs = plannedMs(plan) * 1e6;
    this.#facts = {
      name: plan.name,
      executor: plan.executor,
      startWallMs: run.clock.t0WallMs + plan.startTimeMs,
      tags: plan.tags,
      progress: () => Math.min(1, Math.max(0, (monotonicNs() - this.startNs) / lengthNs)),
    };
  }

  /**
   * Resolves when the scenario is over: `lengthMs` after its start, its last iterations done or interrupted.
   * @param last called at the end, before nothing starts any more: what is due at the last instant still starts
   */
  until(lengthMs: number, last: () => void = () => undefined): Promise<void> {
    const endNs = this.startNs + lengthMs * 1e6;
    this.at(endNs, () => {
      last();
      this.close();
    });
    this.#forgetStop = this.run.control.onStop(() => {
      this.accepting = false;
      this.interruptAll();
      this.#finish();
    });
    return this.#closed.promise;
  }

  /** No iteration starts any more; those that run get the graceful stop. */
  close(): void {
    if (!this.accepting) return;
    this.accepting = false;
    if (this.running === 0) {
      this.#finish();
      return;
    }
    this.at(monotonicNs() + this.plan.gracefulStopMs * 1e6, () => {
      this.interruptAll();
      this.#finish();
    });
  }

  /** A timer that ends with the scenario. */
  at(instantNs: number, callback: () => void): void {
    const timer = atInstant(instantNs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }

  interruptAll(): void {
    for (const vu of this.vus) if (vu.busy) vu.interrupt();
  }

  #finish(): void {
    this.accepting = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#forgetStop();
    this.#closed.resolve();
  }

  /** Starts the next iteration on an idle VU. @param after called when it is over and the VU is idle again */
  begin(vu: Vu, intendedNs: number, after: (outcome: TaskOutcome) => void): void {
    const startedNs = monotonicNs();
    const iteration: IterationFacts = {
      scenario: this.#facts,
      inTest: this.planned,
      intendedNs,
      startedNs,
    };
    this.planned += 1;
    this.running += 1;
    vu.start({
      stage: "iteration",
      iteration,
      call: (exports) => (exports[this.plan.exec] as (data: unknown) => unknown)(vu.setupData),
      done: (outcome) => {
        this.running -= 1;
        this.#record(vu, iteration, outcome);
        after(outcome);
        if (!this.accepting && this.running === 0) this.#finish();
      },
    });
  }

  /** As begin, for an arrival that had its time: how late it starts is the generator's own doing. */
  beginArrival(vu: Vu, intendedNs: number, after: (outcome: TaskOutcome) => void): void {
    this.#watch.lateness.add(Math.max(0, monotonicNs() - intendedNs) / 1e6);
    this.begin(vu, intendedNs, after);
  }

  /** An arrival nobody could take. */
  drop(intendedNs: number): void {
    const { run, plan } = this;
    run.history.arrival(plan.name, this.planned, intendedNs, -1, "dropped");
    this.planned += 1;
    run.counters.dropped += 1;
    run.registry.droppedIterations.add(1, this.#tagsAt(intendedNs));
  }

  #tagsAt(intendedNs: number): TagSource {
    const { run, plan } = this;
    if (run.registry.droppedIterations.subMetrics.length === 0) return NO_TAGS;
    return new RecordTags({
      ...run.options.tags,
      ...plan.tags,
      scenario: plan.name,
      phase: run.clock.phaseAt(intendedNs),
    });
  }

  #record(vu: Vu, { inTest, intendedNs, startedNs }: IterationFacts, outcome: TaskOutcome): void {
    const { run, plan } = this;
    if (outcome.kind === "interrupted") {
      run.counters.interrupted += 1;
      run.history.arrival(plan.name, inTest, intendedNs, startedNs, "interrupted");
      return;
    }
    run.counters.completed += 1;
    run.registry.iterations.add(1, vu);
    run.registry.iterationDuration.add((monotonicNs() - startedNs) / 1e6, vu);
    run.history.arrival(plan.name, inTest, intendedNs, startedNs, "completed");
    if (outcome.kind === "failed") this.#onException(outcome.error);
  }
}
