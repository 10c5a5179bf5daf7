/**
 * Signals of the whole process. The first asks the run to heal, drain, read and report; the second only to heal. A
 * terminal's Ctrl-C reaches this process twice when npm or the launcher passes it on as well: copies within half a
 * second count as one.
 */
import { monotonicNs } from "../determinism/clock.ts";
import { EXIT, StampedeError, messageOf } from "../errors.ts";

const COPY_MS = 500;

export class Interrupts implements Disposable {
  readonly #first = new AbortController();
  readonly #heal: () => Promise<void>;
  readonly #say: (line: string) => void;
  #lastNs = -1;
  readonly #names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

  /** `heal` undoes everything at once; it is called on the second signal, and then the process ends with 105. */
  constructor(heal: () => Promise<void>, say: (line: string) => void) {
    this.#heal = heal;
    this.#say = say;
    for (const name of this.#names) process.on(name, this.#onSignal);
  }

  /** Aborted by the first signal; `throwIfAborted` throws what ends a run that has no crowd yet. */
  get signal(): AbortSignal {
    return this.#first.signal;
  }

  get interrupted(): boolean {
    return this.#first.signal.aborted;
  }

  readonly #onSignal = (): void => {
    const now = monotonicNs();
    if (this.#lastNs >= 0 && now - this.#lastNs < COPY_MS * 1e6) return;
    this.#lastNs = now;
    if (!this.#first.signal.aborted) {
      this.#say("interrupted: healing, draining and reporting (once more: heal only)");
      this.#first.abort(
        new StampedeError(
          "interrupted",
          "interrupted before the crowd was let in; nothing was run",
        ),
      );
      return;
    }
    this.#say("interrupted again: healing only");
    void this.#heal().finally(() => process.exit(EXIT.interrupted));
  };

  /**
   * The exit code of `work`, or 105 when it was interrupted meanwhile, unless something graver came of it (design.md §5:
   * 114 and 109 come first). What fails after an interrupt fails because of it, as a rule: a terminal's Ctrl-C also
   * reaches the children that do not stand apart.
   */
  async during(work: () => Promise<number>): Promise<number> {
    try {
      const code = await work();
      if (!this.interrupted || code === EXIT.unsafe || code === EXIT.internal) return code;
      return EXIT.interrupted;
    } catch (error) {
      if (!this.interrupted) throw error;
      if (error instanceof StampedeError && ["interrupted", "unsafe"].includes(error.code))
        throw error;
      throw new StampedeError(
        "interrupted",
        `interrupted; what was under way ended with: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) process.off(name, this.#onSignal);
  }
}
