/**
 * One virtual user: its own instance of the script, connections, cookies, chance and tags.
 *
 *     made ──► idle ──run──► busy ──settled──► idle
 *                             └──interrupt──► halted ──run──► busy
 *
 * An interrupt cannot stop JavaScript, so it stops feeding it: everything the iteration waits for is given up and its
 * promise never settles, which no catch or finally of the script can see (as with k6's own interrupt).
 */
import { stream } from "../../../determinism/seed.ts";
import type { ExpectedStatuses } from "../http/expected-statuses.ts";
import { DEFAULT_EXPECTED } from "../http/expected-statuses.ts";
import type { CookieJar } from "../http/cookies.ts";
import { LaneSet } from "../http/lane.ts";
import type { TagSource } from "../metrics/metric.ts";
import type { GroupNode } from "../run/group-tree.ts";
import type { RunContext } from "../run/run-context.ts";
import { OpLedger } from "./op-ledger.ts";

/** What the script may know of the scenario it runs in. */
export interface ScenarioFacts {
  readonly name: string;
  readonly executor: string;
  readonly startWallMs: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly progress: () => number;
}

/** One iteration of a scenario; instants are monotonic ns. */
export interface IterationFacts {
  readonly scenario: ScenarioFacts;
  /** Unique in the test. */
  readonly inTest: number;
  readonly intendedNs: number;
  readonly startedNs: number;
}

export type VuStage = "init" | "setup" | "iteration" | "teardown" | "summary";

export type TaskOutcome =
  | { readonly kind: "completed"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "interrupted" };

export interface VuTask {
  readonly stage: VuStage;
  readonly iteration: IterationFacts | null;
  readonly call: (exports: Readonly<Record<string, unknown>>) => unknown;
  /** Called once. */
  readonly done: (outcome: TaskOutcome) => void;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" &&
  value !== null &&
  "then" in value &&
  typeof value.then === "function";

/** The longest a Node timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Vu implements TagSource {
  /** 1 … for VUs with iterations, 0 for setup, teardown and handleSummary. */
  readonly id: number;
  readonly run: RunContext;
  readonly lanes: LaneSet;
  readonly ops: OpLedger;
  stage: VuStage = "init";
  iteration: IterationFacts | null = null;
  /** `__ITER`: iterations this VU has begun, less one. */
  iterationsBegun = 0;
  group: GroupNode;
  customTags: Record<string, string> = {};
  jar: CookieJar | null = null;
  expected: ExpectedStatuses | null = DEFAULT_EXPECTED;
  halted = false;
  #exports: Readonly<Record<string, unknown>> = {};
  #random: (() => number) | null = null;
  #task: VuTask | null = null;
  #setupData: { readonly value: unknown } | null = null;
  readonly #sleepers = new Set<NodeJS.Timeout>();

  constructor(id: number, run: RunContext) {
    this.id = id;
    this.run = run;
    this.lanes = new LaneSet(() => run.lanes);
    this.ops = new OpLedger(this);
    this.group = run.groups;
  }

  /** The script's exports, once its init code has run. */
  set exports(exports: Readonly<Record<string, unknown>>) {
    this.#exports = exports;
  }

  get exports(): Readonly<Record<string, unknown>> {
    return this.#exports;
  }

  get busy(): boolean {
    return this.#task !== null;
  }

  /** setup()'s data: a copy of its own for every VU. */
  get setupData(): unknown {
    const json = this.run.setupData;
    if (json === null) return undefined;
    this.#setupData ??= { value: JSON.parse(json) };
    return this.#setupData.value;
  }

  /** The next number of this VU's stream: a function of (seed, scenario, iteration, n). */
  random(): number {
    this.#random ??=
      this.iteration === null
        ? stream(this.run.seed, this.stage, this.id)
        : stream(this.run.seed, this.iteration.scenario.name, this.iteration.inTest);
    return this.#random();
  }

  /** k6's randomSeed(): from here on the stream of that number. */
  seedRandom(seed: number): void {
    this.#random = stream(Math.trunc(seed) >>> 0, "randomSeed");
  }

  tag(name: string): string | undefined {
    switch (name) {
      case "scenario":
        return this.iteration?.scenario.name;
      case "group":
        return this.group.path;
      case "phase":
        // Samples other than requests belong to the customer's intended start, as goodput does.
        return this.iteration === null
          ? undefined
          : this.run.clock.phaseAt(this.iteration.intendedNs);
      default:
        return (
          this.customTags[name] ??
          this.iteration?.scenario.tags[name] ??
          this.run.options.tags[name]
        );
    }
  }

  /** Starts a task; the VU must be idle. */
  start(task: VuTask): void {
    const { run } = this;
    this.#task = task;
    this.stage = task.stage;
    this.iteration = task.iteration;
    this.halted = false;
    this.#random = null;
    this.group = task.stage === "iteration" ? run.groups : run.groups.stage(task.stage);
    if (!run.options.noCookiesReset) this.jar = null;
    if (task.stage === "iteration") this.iterationsBegun += 1;
    this.ops.begin();
    run.counters.vusBusy += 1;
    let result: unknown;
    try {
      result = task.call(this.#exports);
    } catch (error) {
      this.#settle(task, { kind: "failed", error });
      return;
    }
    if (!isThenable(result)) {
      this.#settle(task, { kind: "completed", value: result });
      return;
    }
    result.then(
      (value) => this.#settle(task, { kind: "completed", value }),
      (error: unknown) => this.#settle(task, { kind: "failed", error }),
    );
  }

  /** Gives up what runs, if anything does: sockets, timers and operations in flight (these become unknown). */
  interrupt(): void {
    const task = this.#task;
    if (task === null) return;
    this.halted = true;
    this.ops.abandon();
    this.lanes.abandon();
    for (const sleeper of this.#sleepers) clearTimeout(sleeper);
    this.#sleepers.clear();
    this.#settle(task, { kind: "interrupted" });
  }

  /** A late result of a task that was given up is ignored. */
  #settle(task: VuTask, outcome: TaskOutcome): void {
    if (this.#task !== task) return;
    this.#task = null;
    this.run.counters.vusBusy -= 1;
    this.lanes.countBytes();
    if (this.run.options.noVUConnectionReuse) void this.lanes.close();
    task.done(outcome);
  }

  /** k6's sleep(). */
  sleep(seconds: number): Promise<void> {
    if (this.halted) return never();
    return new Promise((resolve) => {
      const sleeper = setTimeout(
        () => {
          this.#sleepers.delete(sleeper);
          resolve();
        },
        Math.min(MAX_TIMER_MS, Math.max(0, seconds * 1000)),
      );
      this.#sleepers.add(sleeper);
    });
  }

  /** Leaves no socket and no timer. */
  close(): Promise<void> {
    this.interrupt();
    return this.lanes.close();
  }
}

/** What a halted script waits for. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}
