/** The user's own async functions, kept in the order of a thread that blocks. */

/**
 * k6's one thread per VU: while a VU blocks, no continuation of its async functions runs. One turn is held by the call of
 * an export until it ends or reaches a user's `await`, then by one continuation after the other.
 */
export class Turn {
  #held = true;
  #open = false;
  readonly #waiting: (() => void)[] = [];

  async take(): Promise<void> {
    if (this.#open) return;
    if (this.#held) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#held = true;
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    else next();
  }

  /** Lets everyone through from now on: somebody waits for a promise of unknown origin, which may need a continuation. */
  open(): void {
    this.#open = true;
    for (const next of this.#waiting.splice(0)) next();
  }
}

/** One call of an async function of the user's: in its caller's turn up to its first `await`, then in turns of its own. */
export class AsyncCall {
  readonly #turn: Turn;
  readonly #prefix = Promise.withResolvers<void>();
  #holds = false;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** Until then k6 blocks the caller. */
  get prefix(): Promise<void> {
    return this.#prefix.promise;
  }

  leave(): void {
    if (this.#holds) this.#turn.release();
    else this.#prefix.resolve();
    this.#holds = false;
  }

  async #enter(): Promise<void> {
    if (this.#holds) return;
    await this.#turn.take();
    this.#holds = true;
  }

  /** The user's `await value`. */
  async wait(value: unknown): Promise<unknown> {
    this.leave();
    try {
      return await value;
    } finally {
      await this.#enter();
    }
  }

  /** What the user's `for await` goes over. */
  async *each(items: AsyncIterable<unknown>): AsyncGenerator {
    this.leave();
    try {
      for await (const item of items) {
        await this.#enter();
        yield item;
        this.leave();
      }
    } finally {
      await this.#enter();
    }
  }
}
