/**
 * Background work that sleeps until it is woken: a round runs, and runs again as long as it says there is more. What
 * wakes it is the worker's one look at the database every half second, and other work that leaves it something to do.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../log.ts";

/** After a failure the world gets a moment; the watch wakes the round again if the work is still there. */
const AFTER_FAILURE_MS = 300;

export class Rounds {
  readonly #name: string;
  readonly #round: () => Promise<boolean>;
  readonly #log: Log;
  #woken = false;
  #stopped = false;
  #running: Promise<void> | null = null;

  /** `round` does a bounded piece of work and returns whether there may be more right now. */
  constructor(name: string, log: Log, round: () => Promise<boolean>) {
    this.#name = name;
    this.#round = round;
    this.#log = log;
  }

  /** Runs soon, unless it runs already: then once more after that. */
  wake(): void {
    this.#woken = true;
    if (this.#stopped || this.#running !== null) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      if (this.#woken) this.wake(); // woken after the last look, before the end
    });
  }

  /** No further rounds; resolves when the current one is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#woken && !this.#stopped) {
      this.#woken = false;
      try {
        if (await this.#round()) this.#woken = true;
      } catch (error) {
        if (!this.#stopped)
          this.#log.warn({ round: this.#name, error: String(error) }, "a round failed");
        await delay(AFTER_FAILURE_MS);
      }
    }
  }
}

/** Calls `tick` every `ms`, never two at once; returns what stops it and waits for the last one. */
export function every(
  ms: number,
  name: string,
  log: Log,
  tick: () => Promise<void>,
): () => Promise<void> {
  const rounds = new Rounds(name, log, async () => {
    await tick();
    return false;
  });
  const timer = setInterval(() => rounds.wake(), ms);
  return async () => {
    clearInterval(timer);
    await rounds.stop();
  };
}
