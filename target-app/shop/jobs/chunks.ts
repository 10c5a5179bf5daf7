/**
 * How guarded runs a mass job: cut into chunks once, each chunk one transaction that also writes its mark, so a chunk
 * whose worker dies leaves nothing behind and is simply done again. Every step may be repeated: the queue promises at
 * least once, the marks make it exactly once.
 */
import type { ClientBase } from "pg";
import { enqueueJob, MASS_CHUNKS, SEND_OPTIONS } from "../job-queue.ts";
import {
  CHUNK_ROWS,
  inTransaction,
  markEnded,
  markStarted,
  type MassJob,
  type Work,
} from "./work.ts";

/** Keys of the rows a chunk covers, both ends included. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

/** A job that can be done in chunks. */
export interface ChunkedJob {
  /** Under 1,000: how many rows a chunk covers. */
  readonly rows?: number;
  /** Urgent ones go first. */
  readonly priority?: number;
  /** What has to be true before anything is done; a sentence refuses the job. */
  refusal?(client: ClientBase, job: MassJob): Promise<string | null>;
  /** Writes down what the job undertakes; in the transaction that starts it. */
  undertake?(client: ClientBase, job: MassJob): Promise<void>;
  /** A SELECT of the column `key`: every row to work on. */
  keys(job: MassJob): { readonly sql: string; readonly values: readonly unknown[] };
  /** Does the range. `left` rows cannot be done yet: the chunk comes again. */
  chunk(
    client: ClientBase,
    job: MassJob,
    range: Range,
  ): Promise<{ readonly done: number; readonly left: number }>;
  /** After the last chunk, in the transaction that ends the job. */
  finish?(client: ClientBase, job: MassJob): Promise<void>;
}

/** Some rows of the chunk are still in motion; not a failure. */
export class NotYet extends Error {
  constructor(left: number) {
    super(`${left} rows are still in motion`);
    this.name = "NotYet";
  }
}

const CHECK_VIOLATION = "23514";

/** Starts the job, cuts it and sends its chunks, all in one transaction; repeated, it only looks whether all is done. */
export async function startChunked(work: Work, job: MassJob, chunked: ChunkedJob): Promise<void> {
  await inTransaction(work.pool, async (client) => {
    await lock(client, job.id);
    if (!(await markStarted(client, job.id))) return;
    const refusal = (await chunked.refusal?.(client, job)) ?? null;
    if (refusal !== null) {
      await markEnded(client, job.id, "failed", refusal);
      work.log.warn({ job: job.id, refusal }, "job refused");
      return;
    }
    await chunked.undertake?.(client, job);
    const { chunks, rows } = await cut(client, job, chunked);
    await client.query("UPDATE job_progress SET state = 'running', total = $2 WHERE job_id = $1", [
      job.id,
      rows,
    ]);
    const { retryLimit = 0, expireInSeconds = 2 } = SEND_OPTIONS.guarded;
    const messages = chunks.map((chunk) => ({
      data: { job_id: job.id, chunk },
      priority: chunked.priority ?? 0,
      retryLimit,
      expireInSeconds,
    }));
    const db = { executeSql: (text: string, values?: unknown[]) => client.query(text, values) };
    if (messages.length > 0) await work.boss.insert(MASS_CHUNKS, messages, { db });
    work.log.info({ job: job.id, chunks: chunks.length, rows }, "job started");
  });
  await finishIfDone(work, job, chunked);
}

/** Does one chunk, once. Throws NotYet when some of it has to wait. */
export async function runChunk(
  work: Work,
  job: MassJob,
  chunked: ChunkedJob,
  chunk: number,
): Promise<void> {
  let left = 0;
  try {
    left = await inTransaction(work.pool, (client) =>
      chunkInTransaction(client, job, chunked, chunk),
    );
  } catch (error) {
    if ((error as { code?: string }).code !== CHECK_VIOLATION) throw error;
    // A constraint of the business (the cap) refuses this chunk, and would refuse it again.
    await markEnded(work.pool, job.id, "failed", `chunk ${chunk} refused: ${String(error)}`);
    work.log.warn({ job: job.id, chunk, error: String(error) }, "job refused by a constraint");
    return;
  }
  work.wake.refunds();
  work.wake.notices();
  if (left > 0) throw new NotYet(left);
  await finishIfDone(work, job, chunked);
}

async function chunkInTransaction(
  client: ClientBase,
  job: MassJob,
  chunked: ChunkedJob,
  chunk: number,
): Promise<number> {
  // A message that expired while its worker was slow comes twice at once; the second waits here and finds the mark.
  await lock(client, `${job.id}:${chunk}`);
  const { rows } = await client.query<Range & { over: boolean }>(
    `SELECT from_key AS from, to_key AS to,
       EXISTS (SELECT FROM job_chunk_marks m WHERE m.job_id = c.job_id AND m.chunk = c.chunk)
       OR EXISTS (SELECT FROM job_marks m WHERE m.job_id = c.job_id AND m.mark = 'ended') AS over
     FROM job_chunks c WHERE job_id = $1 AND chunk = $2`,
    [job.id, chunk],
  );
  const range = rows[0];
  if (range === undefined || range.over) return 0;
  const { done, left } = await chunked.chunk(client, job, range);
  if (left === 0)
    await client.query("INSERT INTO job_chunk_marks (job_id, chunk, items) VALUES ($1, $2, $3)", [
      job.id,
      chunk,
      done,
    ]);
  await client.query("UPDATE job_progress SET done = done + $2 WHERE job_id = $1", [job.id, done]);
  return left;
}

/** Ends the job when every chunk has its mark, and starts the job that was to follow. */
async function finishIfDone(work: Work, job: MassJob, chunked: ChunkedJob): Promise<void> {
  const ended = await inTransaction(work.pool, async (client) => {
    await lock(client, job.id);
    const { rows } = await client.query<{ open: boolean }>(
      `SELECT EXISTS (SELECT FROM job_chunks c WHERE c.job_id = $1
         AND NOT EXISTS (SELECT FROM job_chunk_marks m WHERE m.job_id = c.job_id AND m.chunk = c.chunk))
       OR EXISTS (SELECT FROM job_marks m WHERE m.job_id = $1 AND m.mark = 'ended') AS open`,
      [job.id],
    );
    if (rows[0]?.open !== false) return false;
    await chunked.finish?.(client, job);
    await markEnded(client, job.id, "done");
    const { next } = job.parameters;
    if (next !== undefined) await enqueueJob(work.boss, client, "guarded", next);
    return true;
  });
  if (!ended) return;
  work.log.info({ job: job.id }, "job done");
  work.wake.notices();
  work.wake.messages();
}

async function cut(
  client: ClientBase,
  job: MassJob,
  chunked: ChunkedJob,
): Promise<{ readonly chunks: number[]; readonly rows: number }> {
  const { sql, values } = chunked.keys(job);
  const at = (index: number): string => `$${values.length + index}`;
  const { rows } = await client.query<{ chunk: number; rows: number }>(
    `WITH numbered AS (
       SELECT key, (row_number() OVER (ORDER BY key) - 1) / ${at(2)}::int AS chunk FROM (${sql}) AS keys
     ), ranges AS (
       SELECT chunk::int AS chunk, min(key)::text AS from_key, max(key)::text AS to_key, count(*)::int AS rows FROM numbered GROUP BY chunk
     ), kept AS (
       INSERT INTO job_chunks (job_id, chunk, from_key, to_key) SELECT ${at(1)}, chunk, from_key, to_key FROM ranges
     )
     SELECT chunk, rows FROM ranges ORDER BY chunk`,
    [...values, job.id, chunked.rows ?? CHUNK_ROWS],
  );
  return {
    chunks: rows.map((row) => row.chunk),
    rows: rows.reduce((sum, row) => sum + row.rows, 0),
  };
}

async function lock(client: ClientBase, name: string): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [name]);
}
