/**
 * Signals of the whole process. The first asks the run to heal, drain, read and report; the second only to heal. A
 * terminal's Ctrl-C reaches this process twice when npm or the launcher passes it on as well: copies within half a
 * second count as one.
 */
import { monotonicNs } from "../determinism/clock.ts";
import { EXIT } from "../errors.ts";

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
      this.#first.abort();
      return;
    }
    this.#say("interrupted again: healing only");
    void this.#heal().finally(() => process.exit(EXIT.interrupted));
  };

  [Symbol.dispose](): void {
    for (const name of this.#names) process.off(name, this.#onSignal);
  }
}
