/** What all VUs of a run share. */
import type { ExchangeListener } from "../http/exchange.ts";
import type { LaneSettings } from "../http/lane.ts";
import type { MetricRegistry } from "../metrics/registry.ts";
import type { RunOptions } from "../options/run-options.ts";
import type { GroupNode } from "./group-tree.ts";
import type { HistoryPort } from "./history-port.ts";
import type { RunClock } from "./run-clock.ts";
import type { RunControl } from "./run-control.ts";
import type { RunLog } from "./run-log.ts";
import type { ScriptFiles } from "./script-files.ts";

/** Running figures, for the live view and exec.instance. */
export interface RunCounters {
  inFlight: number;
  vusBusy: number;
  vusMade: number;
  completed: number;
  interrupted: number;
  dropped: number;
  /** Requests that failed because this machine had no socket, port or buffer left. */
  ownLimits: number;
}

export interface RunContext {
  /** Set once the script's init code has run and its options are valid. */
  options: RunOptions;
  /** The script's options as exported. */
  exportedOptions: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly env: Readonly<Record<string, string>>;
  readonly registry: MetricRegistry;
  readonly clock: RunClock;
  readonly control: RunControl;
  readonly history: HistoryPort;
  readonly log: RunLog;
  readonly groups: GroupNode;
  readonly files: ScriptFiles;
  /** Set anew when the options ask for other connections. */
  lanes: LaneSettings;
  readonly listener: ExchangeListener;
  readonly counters: RunCounters;
  /** What setup() returned, as JSON; null when there is nothing. */
  setupData: string | null;
}
