/** Takes messages from the queue, a few at a time, and says how each ended; a failed one comes again as its options say. */
import { setTimeout as delay } from "node:timers/promises";
import { MASS_CHUNKS, MASS_JOBS, massChunkPayload, massJobPayload } from "../job-queue.ts";
import { NotYet } from "./chunks.ts";
import { Rounds } from "./rounds.ts";
import type { Work } from "./work.ts";

const LANES = 2;
/** Between two chunks of a lane: mass work leaves the database to the crowd now and then. */
const PACE_MS = 100;
const AFTER_FAILURE_MS = 250;

export interface Handlers {
  job(jobId: string): Promise<void>;
  chunk(jobId: string, chunk: number): Promise<void>;
}

/** Wakes as rounds do; `stop` waits for what is in work, `busy` tells how much that is. */
export class Messages {
  readonly #work: Work;
  readonly #handlers: Handlers;
  readonly #rounds: Rounds;
  readonly #inWork = new Set<Promise<void>>();

  constructor(work: Work, handlers: Handlers) {
    this.#work = work;
    this.#handlers = handlers;
    this.#rounds = new Rounds("messages", work.log, () => this.#round());
  }

  wake(): void {
    this.#rounds.wake();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
    await Promise.all(this.#inWork);
  }

  async #round(): Promise<boolean> {
    let taken = 0;
    for (const queue of [MASS_JOBS, MASS_CHUNKS]) {
      const free = LANES - this.#inWork.size;
      if (free <= 0) return false; // a lane that gets free wakes the round again
      const messages = await this.#work.boss.fetch<unknown>(queue, { batchSize: free });
      taken += messages.length;
      for (const { id, data } of messages) this.#start(queue, id, data);
    }
    return taken > 0;
  }

  #start(queue: string, id: string, data: unknown): void {
    const lane = this.#handle(queue, id, data)
      .catch((error: unknown) =>
        this.#work.log.warn({ queue, error: String(error) }, "a message could not be settled"),
      )
      .finally(() => {
        this.#inWork.delete(lane);
        this.#rounds.wake();
      });
    this.#inWork.add(lane);
  }

  async #handle(queue: string, id: string, data: unknown): Promise<void> {
    const { boss, log } = this.#work;
    try {
      if (queue === MASS_JOBS) await this.#handlers.job(massJobPayload.parse(data).job_id);
      else {
        const { job_id, chunk } = massChunkPayload.parse(data);
        await this.#handlers.chunk(job_id, chunk);
      }
      await boss.complete(queue, id);
      await delay(PACE_MS);
    } catch (error) {
      if (!(error instanceof NotYet))
        log.warn({ queue, message: data, error: String(error) }, "a message failed");
      await delay(AFTER_FAILURE_MS);
      await boss.fail(queue, id, { message: String(error) });
    }
  }
}
