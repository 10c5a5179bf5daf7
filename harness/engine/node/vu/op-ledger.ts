/** The operations of one VU: which process records them, when they were meant to start, and what became of them. */
import { monotonicNs } from "../../../determinism/clock.ts";
import { messageOf } from "../../../errors.ts";
import { classify, type Classified, type OpAnswer, type OpSpec } from "../../../scenario/op.ts";
import type { Vu } from "./vu.ts";

/** One generator process today; more workers will count on from here. */
const WORKER = 0;

interface OpenOp {
  readonly spec: OpSpec;
  readonly attempt: number;
  readonly intendedNs: number;
  readonly invokeNs: number;
}

/** The answer of an operation that has none. */
const noAnswer = (error: string): OpAnswer => ({
  status: 0,
  error,
  error_code: 1000,
  headers: {},
  body: null,
});

export class OpLedger {
  readonly #vu: Vu;
  readonly #open = new Set<OpenOp>();
  /** Intent → intended start of its first attempt, within one iteration. */
  readonly #firstIntended = new Map<string, number>();
  #epoch = 0;
  #begun = 0;

  constructor(vu: Vu) {
    this.#vu = vu;
  }

  /** A new iteration begins. */
  begin(): void {
    this.#begun = 0;
    if (this.#firstIntended.size > 0) this.#firstIntended.clear();
  }

  /** design.md §6: the arrival for an iteration's first operation, the first attempt's for a retry, else now. */
  open(spec: OpSpec): OpenOp {
    const invokeNs = monotonicNs();
    const attempt = spec.attempt ?? 1;
    const first = attempt > 1 ? this.#firstIntended.get(spec.intent) : undefined;
    const arrivalNs = this.#begun === 0 ? this.#vu.iteration?.intendedNs : undefined;
    const intendedNs = first ?? arrivalNs ?? invokeNs;
    this.#begun += 1;
    if (first === undefined) this.#firstIntended.set(spec.intent, intendedNs);
    const op = { spec, attempt, intendedNs, invokeNs };
    this.#open.add(op);
    return op;
  }

  /** Records the end of an operation; null when it was given up meanwhile. */
  close(op: OpenOp, answer: OpAnswer): Classified | null {
    return this.#open.delete(op) ? this.#record(op, answer) : null;
  }

  /** The script threw instead of giving an answer: nobody knows what was sent. */
  failed(op: OpenOp, error: unknown): void {
    this.close(op, noAnswer(`exception: ${messageOf(error)}`));
  }

  /** The iteration was interrupted: what is still open has no answer. */
  abandon(): void {
    for (const op of this.#open) this.close(op, noAnswer("interrupted"));
  }

  #record(op: OpenOp, answer: OpAnswer): Classified {
    const vu = this.#vu;
    const { spec } = op;
    const classified = classify(spec, answer);
    vu.run.history.operation({
      time_intended_ns: op.intendedNs,
      time_invoke_ns: op.invokeNs,
      time_complete_ns: monotonicNs(),
      process: `${WORKER}.${vu.id}.${this.#epoch}`,
      intent: spec.intent,
      attempt: op.attempt,
      kind: spec.kind,
      outcome: classified.outcome,
      status: answer.status,
      error: classified.error,
      phase: vu.run.clock.phaseAt(op.intendedNs),
      scenario: vu.iteration?.scenario.name ?? vu.stage,
      iteration: vu.iteration?.inTest ?? -1,
      final: classified.final,
      request: spec.request ?? {},
      response: classified.response,
    });
    // Nobody knows what this process did last, so nobody may take its next operation for the one after.
    if (classified.outcome === "info") this.#epoch += 1;
    return classified;
  }
}
