/**
 * Where operations and arrivals leave the engine: with monotonic instants on this side, ns since T0 on the other.
 * What setup() does happens before T0 is known; it waits here, and comes out with negative times.
 */
import type { Arrival, Operation } from "../../../history/operation.ts";
import type { HistorySink } from "../../engine.ts";

/** setup() is no load: more operations than this before T0 are dropped, and the drop is told. */
const MAX_WAITING = 10_000;

type Recorded = Omit<Operation, "index">;

export class HistoryPort {
  readonly #sink: HistorySink;
  readonly #log: (line: string) => void;
  #t0Ns: number | null = null;
  #waiting: Recorded[] = [];
  #dropped = 0;

  constructor(sink: HistorySink, log: (line: string) => void) {
    this.#sink = sink;
    this.#log = log;
  }

  start(t0Ns: number): void {
    this.#t0Ns = t0Ns;
    for (const operation of this.#waiting) this.operation(operation);
    this.#waiting = [];
    if (this.#dropped > 0)
      this.#log(
        `warning: setup() recorded more than ${MAX_WAITING} operations; ${this.#dropped} of them are not in the history`,
      );
  }

  /** Times are monotonic instants. */
  operation(operation: Recorded): void {
    const t0Ns = this.#t0Ns;
    if (t0Ns === null) {
      if (this.#waiting.length < MAX_WAITING) this.#waiting.push(operation);
      else this.#dropped += 1;
      return;
    }
    this.#sink.operation({
      time_intended_ns: operation.time_intended_ns - t0Ns,
      time_invoke_ns: operation.time_invoke_ns - t0Ns,
      time_complete_ns: operation.time_complete_ns - t0Ns,
      process: operation.process,
      intent: operation.intent,
      attempt: operation.attempt,
      kind: operation.kind,
      outcome: operation.outcome,
      status: operation.status,
      error: operation.error,
      phase: operation.phase,
      scenario: operation.scenario,
      iteration: operation.iteration,
      final: operation.final,
      request: operation.request,
      response: operation.response,
    });
  }

  /** @param startedNs −1 when nobody could start it */
  arrival(
    scenario: string,
    iteration: number,
    intendedNs: number,
    startedNs: number,
    state: Arrival["state"],
  ): void {
    const t0Ns = this.#t0Ns ?? 0;
    this.#sink.arrival({
      scenario,
      iteration,
      time_intended_ns: intendedNs - t0Ns,
      time_start_ns: startedNs < 0 ? -1 : startedNs - t0Ns,
      state,
    });
  }
}
