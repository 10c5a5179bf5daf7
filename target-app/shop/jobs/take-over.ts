/**
 * One worker at a time, and what a dead one left is free at once. The lock belongs to a database session: when its
 * process dies, however it dies, the socket closes and PostgreSQL gives the lock to the next. Whoever holds it knows
 * that every message still "active" belongs to nobody. (Should a worker merely hang, its messages expire after seconds
 * and its chunks' marks keep the work from being done twice.)
 */
import type { PoolClient } from "pg";
import { massJobPayload, QUEUES } from "../job-queue.ts";
import { markEnded, type Work } from "./work.ts";

const LOCK = "mass-work";

/** Waits for the lock and keeps it. `lost` is called when the session breaks: somebody else may be working now. */
export async function becomeTheWorker(
  work: Work,
  lost: (error: unknown) => void,
): Promise<PoolClient> {
  const session = await work.pool.connect();
  session.on("error", lost);
  await session.query("SELECT pg_advisory_lock(hashtextextended($1, 0))", [LOCK]);
  return session;
}

/** Puts the dead worker's messages back; returns how many. Naive configured no retry: its batch just ends there. */
export async function takeOver(work: Work): Promise<number> {
  let taken = 0;
  for (const queue of QUEUES) {
    const messages = await work.boss.findJobs(queue);
    const orphans = messages.filter((message) => message.state === "active");
    if (orphans.length === 0) continue;
    taken += orphans.length;
    await work.boss.fail(
      queue,
      orphans.map((message) => message.id),
      { message: "the worker died" },
    );
    if (work.variant === "guarded") continue;
    for (const { data } of orphans) {
      const payload = massJobPayload.safeParse(data);
      if (payload.success)
        await markEnded(work.pool, payload.data.job_id, "failed", "abandoned: the worker died");
    }
  }
  if (taken > 0) work.log.warn({ messages: taken }, "took over from a worker that died");
  return taken;
}
