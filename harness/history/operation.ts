/** The nouns everything shares: one operation of a client or an operator, as design.md §6 fixes it. */

/** ok took effect · fail surely did not · info nobody knows (shown as "unknown"). */
export type Outcome = "ok" | "fail" | "info";

/** Kinds that only read: their outcome is ok or fail, never info. */
export const READ_KINDS: ReadonlySet<string> = new Set(["lookup", "read-order", "final-read"]);

/** One row of ops.parquet. Times are nanoseconds since T0 on the host's monotonic clock. */
export interface Operation {
  /** Dense from 0 in the order of recording. */
  readonly index: number;
  /** When the customer meant to start: the arrival for an iteration's first operation, the first attempt's for a retry. */
  readonly time_intended_ns: number;
  readonly time_invoke_ns: number;
  /** When the answer or the error came. */
  readonly time_complete_ns: number;
  /** `worker.vu.epoch`, or `operator`, or `harness` for final reads. */
  readonly process: string;
  /** The logical wish = idempotency key. Reads have one too (of their own). */
  readonly intent: string;
  /** From 1. */
  readonly attempt: number;
  /**
   * issue, claim, lookup, redeem, order, read-order, cancel, refund, recall, withdraw, ship, restart, final-read; a
   * scenario may add its own.
   */
  readonly kind: string;
  readonly outcome: Outcome;
  /** HTTP status, 0 when there was no answer. */
  readonly status: number;
  /** "" or a short reason: timeout, reset, refused, the service's own error word (`coupon_not_available`). */
  readonly error: string;
  readonly phase: string;
  /** k6 scenario; "operator" and "harness" for theirs. */
  readonly scenario: string;
  /** iterationInTest within the scenario, −1 where there is none. */
  readonly iteration: number;
  /** ok, or a business refusal the rules demand ("sold out", "recalled", "not entitled"): a final correct answer. */
  readonly final: boolean;
  readonly request: Readonly<Record<string, unknown>>;
  readonly response: Readonly<Record<string, unknown>>;
}

/** One row of arrivals.parquet: every scheduled iteration, also those nobody could start. */
export interface Arrival {
  readonly scenario: string;
  readonly iteration: number;
  readonly time_intended_ns: number;
  /** When it really started; −1 when dropped. */
  readonly time_start_ns: number;
  readonly state: "completed" | "interrupted" | "dropped";
}

/** One row of faults.parquet: a fault or an operator's step that changed the world, as it really happened. */
export interface FaultRecord {
  readonly id: string;
  /** `process-kill`, `refund-rail-down` …; `operator` for an operator's step. */
  readonly kind: string;
  readonly name: string;
  readonly target: string;
  readonly planned_ns: number;
  readonly begin_ns: number;
  /** When it was proved undone; equal to begin_ns for instantaneous ones, −1 when never proved. */
  readonly end_ns: number;
  readonly detail: string;
}

/** A reading of the service's own load, taken by the harness beside the crowd: for the backlog. */
export interface VitalsSample {
  readonly t_ns: number;
  /** Requests accepted and not answered, or null when the service did not say. */
  readonly queue_depth: number | null;
}

/** A value of an unknown kind as a word: text and numbers as they are, anything else `otherwise`. */
export function wordOf(value: unknown, otherwise = ""): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : otherwise;
}
