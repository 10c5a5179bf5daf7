/** One run from setup() to handleSummary(): what node-engine prepares and starts. */
import { isatty } from "node:tty";
import { EXIT, EXIT_PRECEDENCE, StampedeError, type ExitCode } from "../../../errors.ts";
import { monotonicNs } from "../../../determinism/clock.ts";
import type { EngineResult, PreparedRun, SummaryData } from "../../engine.ts";
import { runScenario } from "../executors/run-scenario.ts";
import { ScenarioRun } from "../executors/scenario-run.ts";
import { NO_TAGS } from "../metrics/metric.ts";
import { summaryMetrics } from "../metrics/summary.ts";
import { Thresholds } from "../metrics/thresholds.ts";
import { vusNeeded, type ScenarioPlan } from "../options/scenario-plan.ts";
import { Vu } from "../vu/vu.ts";
import { GeneratorWatch } from "./generator-watch.ts";
import { instantiate, scriptError, type OpenScript } from "./open-script.ts";
import type { RunContext } from "./run-context.ts";
import { summaryFilesOf } from "./summary-files.ts";
import { runOnce } from "./vu-task.ts";

const THRESHOLDS_EVERY_MS = 2000;
const GAUGES_EVERY_MS = 1000;
/** k6's limit for handleSummary(). */
const SUMMARY_TIMEOUT_MS = 120_000;

interface Ending {
  readonly code: ExitCode;
  readonly because: string;
}

export class TestRun implements PreparedRun {
  readonly #script: OpenScript;
  readonly #run: RunContext;
  readonly #thresholds: Thresholds;
  readonly #vus = new Map<ScenarioPlan, readonly Vu[]>();
  readonly #watch = new GeneratorWatch();
  readonly #endings: Ending[] = [];
  #scenarios: readonly ScenarioRun[] = [];
  #finished: Promise<unknown> = Promise.resolve();

  constructor(script: OpenScript) {
    this.#script = script;
    this.#run = script.run;
    this.#thresholds = new Thresholds(script.run.options.thresholds, script.run.registry);
  }

  /** Every VU with its own instance of the script, before anything is timed. */
  makeVus(): void {
    const { run, compiled } = this.#script;
    let id = 0;
    for (const plan of run.options.scenarios) {
      const vus = Array.from({ length: vusNeeded(plan) }, () => {
        id += 1;
        const vu = new Vu(id, run);
        instantiate(
          vu,
          compiled,
          Object.keys(plan.env).length === 0 ? run.env : { ...run.env, ...plan.env },
        );
        run.counters.vusMade += 1;
        return vu;
      });
      this.#vus.set(plan, vus);
    }
  }

  /** Runs setup(); throws with k6's exit code when it does not come to its end. */
  async setup(): Promise<void> {
    const { run, firstVu, compiled } = this.#script;
    const setup = firstVu.exports["setup"];
    if (typeof setup !== "function" || run.options.noSetup) return;
    const forget = run.control.onStop(() => firstVu.interrupt());
    const outcome = await runOnce(
      firstVu,
      "setup",
      run.options.setupTimeoutMs,
      () => Reflect.apply(setup, undefined, []) as unknown,
    );
    forget();
    if (run.control.reason !== null) throw this.#stoppedInSetup();
    if (outcome.kind === "timed-out")
      throw new StampedeError(
        "setup-timeout",
        `setup() must end within ${run.options.setupTimeoutMs / 1000} s; it did not`,
        { hint: "raise the option setupTimeout" },
      );
    if (outcome.kind === "failed")
      throw new StampedeError("script", scriptError(compiled, "setup() threw", outcome.error), {
        cause: outcome.error,
      });
    if (outcome.kind === "completed") run.setupData = copyOf(outcome.value);
  }

  #stoppedInSetup(): StampedeError {
    const { reason } = this.#run.control;
    if (reason?.kind === "refused") return reason.error;
    if (reason?.kind === "abort")
      return new StampedeError("script", `setup() called test.abort(): ${reason.message}`, {
        exitCode: EXIT.testAbort,
      });
    return new StampedeError("interrupted", "the run was interrupted during setup()");
  }

  async start(t0Ns: number): Promise<EngineResult> {
    const running = this.#start(t0Ns);
    this.#finished = running.catch(() => undefined);
    return running;
  }

  async #start(t0Ns: number): Promise<EngineResult> {
    const { run } = this.#script;
    run.clock.start(t0Ns);
    run.history.start(t0Ns);
    this.#watch.start();
    if (run.options.scenarios.some((plan) => plan.executor.endsWith("arrival-rate")))
      run.registry.droppedIterations.add(0, NO_TAGS);
    const stopTimers = this.#startTimers();
    this.#scenarios = run.options.scenarios.map(
      (plan) =>
        new ScenarioRun(
          {
            plan,
            run,
            vus: this.#vus.get(plan) ?? [],
            watch: this.#watch,
            onException: (error) => this.#tellException(plan, error),
          },
          t0Ns,
        ),
    );
    await Promise.all(this.#scenarios.map(runScenario));
    stopTimers();
    const elapsedMs = (monotonicNs() - t0Ns) / 1e6;
    const planned = this.#scenarios
      .filter((scenario) => scenario.plan.executor.endsWith("arrival-rate"))
      .reduce((sum, scenario) => sum + scenario.planned, 0);
    const generator = this.#watch.health(planned, run.counters.dropped, run.counters.ownLimits);
    this.#watch.stop();
    await this.#teardown();
    for (const vu of this.#allVus()) vu.lanes.countBytes();
    const summary = this.#summary(elapsedMs);
    const summaryFiles = await this.#handleSummary(summary);
    await this.#closeVus();
    run.log.summary();
    if (run.control.refusal !== null) throw run.control.refusal;
    const ending = this.#ending();
    run.control.stop({ kind: "disposed" });
    return {
      summary,
      thresholds: this.#thresholds.verdicts(elapsedMs / 1000),
      generator,
      exitCode: ending?.code ?? EXIT.pass,
      because: ending?.because ?? null,
      summaryFiles,
    };
  }

  #startTimers(): () => void {
    const { run } = this.#script;
    const gauges = (): void => {
      run.registry.vus.add(run.counters.vusBusy, NO_TAGS);
      run.registry.vusMax.add(run.counters.vusMade, NO_TAGS);
    };
    gauges();
    const timers = [setInterval(gauges, GAUGES_EVERY_MS)];
    if (this.#thresholds.mayAbort)
      timers.push(setInterval(() => this.#checkThresholds(), THRESHOLDS_EVERY_MS));
    return () => {
      for (const timer of timers) clearInterval(timer);
      gauges();
    };
  }

  #checkThresholds(): void {
    const because = this.#thresholds.crossed(this.#run.clock.sinceT0Ns() / 1e9);
    if (because === null) return;
    this.#run.log.line(`the run ends early: ${because}`);
    this.#run.control.stop({ kind: "threshold", because });
  }

  #tellException(plan: ScenarioPlan, error: unknown): void {
    const text = scriptError(
      this.#script.compiled,
      `an iteration of scenario ${plan.name} threw`,
      error,
    );
    this.#run.log.limited(text.split("\n")[0] ?? text, () => text);
  }

  async #teardown(): Promise<void> {
    const { run, firstVu, compiled } = this.#script;
    const teardown = firstVu.exports["teardown"];
    if (
      typeof teardown !== "function" ||
      run.options.noTeardown ||
      run.control.reason?.kind === "disposed"
    )
      return;
    const outcome = await runOnce(
      firstVu,
      "teardown",
      run.options.teardownTimeoutMs,
      () => Reflect.apply(teardown, undefined, [firstVu.setupData]) as unknown,
    );
    if (outcome.kind === "timed-out")
      this.#endings.push({
        code: EXIT.teardownTimeout,
        because: `teardown() must end within ${run.options.teardownTimeoutMs / 1000} s; it did not`,
      });
    if (outcome.kind === "failed") {
      const because = scriptError(compiled, "teardown() threw", outcome.error);
      run.log.line(because);
      this.#endings.push({ code: EXIT.scriptException, because });
    }
  }

  #summary(elapsedMs: number): SummaryData {
    const { run } = this.#script;
    const { summaryTrendStats, summaryTimeUnit } = run.options;
    return {
      root_group: run.groups.summary(),
      options: { summaryTrendStats, summaryTimeUnit, noColor: false },
      state: {
        isStdOutTTY: isatty(1),
        isStdErrTTY: isatty(2),
        testRunDurationMs: elapsedMs,
      },
      ...(run.setupData === null ? {} : { setup_data: JSON.parse(run.setupData) as unknown }),
      metrics: summaryMetrics(run.registry, this.#thresholds, summaryTrendStats, elapsedMs / 1000),
    };
  }

  /** The script's own summary; one that fails is told and replaced by none, as in k6. */
  async #handleSummary(summary: SummaryData): Promise<Readonly<Record<string, string>>> {
    const { run, firstVu, compiled } = this.#script;
    const handle = firstVu.exports["handleSummary"];
    if (typeof handle !== "function" || run.control.reason?.kind === "disposed") return {};
    const data: unknown = structuredClone(summary);
    const outcome = await runOnce(
      firstVu,
      "summary",
      SUMMARY_TIMEOUT_MS,
      () => Reflect.apply(handle, undefined, [data]) as unknown,
    );
    if (outcome.kind === "completed") return summaryFilesOf(outcome.value, run.log);
    run.log.line(
      outcome.kind === "failed"
        ? scriptError(compiled, "handleSummary() threw", outcome.error)
        : `handleSummary() must end within ${SUMMARY_TIMEOUT_MS / 1000} s; it did not`,
    );
    return {};
  }

  /** design.md: several at once, the first of the precedence list. */
  #ending(): Ending | null {
    const { control } = this.#run;
    const { reason, failure } = control;
    const endings = [...this.#endings];
    if (reason?.kind === "signal" || reason?.kind === "disposed")
      endings.push({ code: EXIT.interrupted, because: "the run was interrupted" });
    if (reason?.kind === "abort")
      endings.push({ code: EXIT.testAbort, because: `test.abort(): ${reason.message}` });
    if (failure !== null) endings.push({ code: EXIT.testFail, because: `test.fail(): ${failure}` });
    for (const code of EXIT_PRECEDENCE) {
      const found = endings.find((ending) => ending.code === code);
      if (found !== undefined) return found;
    }
    return null;
  }

  #allVus(): readonly Vu[] {
    return [this.#script.firstVu, ...[...this.#vus.values()].flat()];
  }

  async #closeVus(): Promise<void> {
    await Promise.all(this.#allVus().map(async (vu) => vu.close()));
  }

  live(): { readonly inFlight: number; readonly vusBusy: number; readonly dropped: number } {
    const { inFlight, vusBusy, dropped } = this.#run.counters;
    return { inFlight, vusBusy, dropped };
  }

  /** Ends whatever still runs at once, teardown included, and leaves no socket and no timer. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#run.control.stop({ kind: "disposed" });
    this.#script.firstVu.interrupt();
    await this.#finished;
    await this.#closeVus();
    this.#watch.stop();
  }
}

/** setup()'s result as every VU gets it: a copy through JSON, as in k6. */
function copyOf(value: unknown): string | null {
  if (value === undefined) return null;
  try {
    return JSON.stringify(value) ?? null;
  } catch (cause) {
    throw new StampedeError(
      "script",
      "what setup() returns must be plain data; JSON cannot hold it",
      { cause },
    );
  }
}
