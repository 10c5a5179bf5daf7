/** What one run was asked to be, and who is shown its course. */
import type { LiveSnapshot } from "../../reports/live-snapshot.ts";
import type { Variant } from "../target/embedded.ts";

export interface RunPlan {
  /** RUN_ID: names the folder. */
  readonly id: string;
  /** As given on the command line, for run.json and the replay line. */
  readonly scenario: string;
  /** The script, absolute. */
  readonly script: string;
  readonly variant: Variant;
  readonly seed: number;
  /** -e NAME=VALUE. */
  readonly env: Readonly<Record<string, string>>;
  readonly allowHosts: readonly string[];
  /** The run folder when finished. */
  readonly outDir: string;
}

/** Where a run tells its course; commands decide how it looks. */
export interface Show {
  /** A line that stays. */
  say(line: string): void;
  /** The live view, several times a second. */
  tick(snapshot: LiveSnapshot): void;
}
