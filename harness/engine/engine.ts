/** What every engine is to the harness: it takes a loaded script and a schedule and writes the client's history. */
import type { Arrival, Operation } from "../history/operation.ts";
import type { GeneratorHealth, LimitVerdict } from "../history/run-folder.ts";
import type { ExitCode } from "../errors.ts";

/** Where an engine writes; must never make the load wait. */
export interface HistorySink {
  operation(op: Omit<Operation, "index">): void;
  arrival(arrival: Arrival): void;
}

/** A named stretch of the run; requests started in it carry the tag `phase`. */
export interface PhaseWindow {
  readonly name: string;
  readonly startS: number;
  readonly endS: number;
}

export interface EngineOptions {
  /** The script file, absolute. */
  readonly script: string;
  /** `__ENV`. */
  readonly env: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly phases: readonly PhaseWindow[];
  /** Extra hosts (names or addresses) that may be sent to, besides loopback. */
  readonly allowHosts: readonly string[];
  readonly history: HistorySink;
  /** console.log of the script and warnings of the engine. */
  readonly log: (line: string) => void;
  /** First signal: no new iterations, running ones are interrupted, teardown and summary still run. */
  readonly signal: AbortSignal;
}

/** k6's handleSummary data, see k6.md. */
export interface SummaryData {
  readonly root_group: unknown;
  readonly options: unknown;
  readonly state: {
    readonly isStdOutTTY: boolean;
    readonly isStdErrTTY: boolean;
    readonly testRunDurationMs: number;
  };
  readonly setup_data?: unknown;
  readonly metrics: Readonly<Record<string, unknown>>;
}

export interface EngineResult {
  readonly summary: SummaryData;
  readonly thresholds: readonly LimitVerdict[];
  readonly generator: GeneratorHealth;
  /** What the script itself decided: 0, or 100, 101, 105, 107, 108, 110. Thresholds are not in it. */
  readonly exitCode: ExitCode;
  /** Why exitCode is not 0. */
  readonly because: string | null;
  /** handleSummary's return, path → text; "stdout" and "stderr" among them. */
  readonly summaryFiles: Readonly<Record<string, string>>;
}

/** Everything the script says before the first request: evaluated once, in an instance of its own. */
export interface LoadedScript {
  /** k6 options as exported (scenarios, thresholds …), validated; every problem named at once. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The `event` export as it stands, or undefined for a plain k6 script. */
  readonly event: unknown;
  /** A digest of options and event: two runs are comparable when it is equal. */
  readonly scheduleHash: string;
  /** How long the schedule lasts, seconds, without graceful stops. */
  readonly durationS: number;
  /** Highest planned arrival rate per second (0 for closed models). */
  readonly peakPerS: number;
  /** file:line of the `event` export in the user's own file, for messages. */
  readonly eventAt: string | null;
}

export interface Engine {
  /** Bundles, rewrites and evaluates the init code. Throws StampedeError("configuration") with file:line. */
  load(options: Pick<EngineOptions, "script" | "env" | "seed">): Promise<LoadedScript>;
  /** setup() and all VUs made; resolves when the first arrival can start. */
  prepare(options: EngineOptions): Promise<PreparedRun>;
}

/** Ready to go: T0 is the moment `start` is called. */
export interface PreparedRun extends AsyncDisposable {
  /** @param t0Ns monotonic ns (harness/determinism/clock.ts) that counts as 0 in the history */
  start(t0Ns: number): Promise<EngineResult>;
  /** Cheap running figures for the live view. */
  live(): { readonly inFlight: number; readonly vusBusy: number; readonly dropped: number };
}
