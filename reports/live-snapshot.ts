/** What the live view is told, about once a second, while the crowd is there. */
export interface LiveSnapshot {
  readonly elapsedS: number;
  readonly totalS: number;
  readonly phase: string;
  readonly offeredPerS: number;
  readonly goodputPerS: number;
  /** Retries ÷ attempts of the last second, 0 … 1. */
  readonly retryShare: number;
  /** Null while nothing was answered in the last second. */
  readonly p99Ms: number | null;
  readonly inFlight: number;
  /** Names of the faults that are in right now. */
  readonly faults: readonly string[];
  readonly variant: string;
  /** A sentence to be told now (a collapse, an operator's step). */
  readonly message?: string;
}
