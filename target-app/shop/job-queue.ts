/**
 * Mass jobs on their way from the operator's request to the worker: queue names, payloads, options. Both variants use
 * the same queue library; what a killed worker leaves behind differs, because that is what people configure differently.
 *
 * A job is a row in `jobs` (insert-only), its progress for the screen in `job_progress`, and a message in a queue, all
 * three written in one transaction. Whoever finishes or gives up a job writes its 'ended' mark and sets job_progress to
 * done or failed: /operator/drained waits for that.
 */
import { randomUUID } from "node:crypto";
import type { ClientBase, Pool } from "pg";
import { PgBoss, type SendOptions } from "pg-boss";
import { z } from "zod";

export type Variant = "naive" | "guarded";

export const MASS_JOBS = "mass-jobs";
export const MASS_CHUNKS = "mass-chunks";
/** prepare.ts makes these in the template database. */
export const QUEUES = [MASS_JOBS, MASS_CHUNKS] as const;

/** A whole job: naive does all of it, guarded cuts it into chunks. */
export const massJobPayload = z.strictObject({ job_id: z.string() });
/** Guarded: one chunk of a job, job_chunks (job_id, chunk). */
export const massChunkPayload = z.strictObject({ job_id: z.string(), chunk: z.number().int() });
export type MassJobPayload = z.infer<typeof massJobPayload>;

/** Chunks are bounded by time as well as by size: what a killed worker held is free again after this, plus one look. */
const CHUNK_EXPIRE_S = 2;
const SUPERVISE_EVERY_S = 1;

/** How a message behaves in each variant. Naive: one attempt at the whole batch, however long it takes. */
export const SEND_OPTIONS: Readonly<Record<Variant, SendOptions>> = {
  naive: { retryLimit: 0, expireInSeconds: 600 },
  guarded: { retryLimit: 200, retryDelay: 0, expireInSeconds: CHUNK_EXPIRE_S },
};

export const JOB_KINDS = ["issue", "recall", "cancel", "compensate"] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** What the operator wants done; one row of `jobs`. */
export interface JobOrder {
  readonly kind: JobKind;
  readonly campaignId: string;
  readonly intent?: string | null;
  /** name@version, or null when the job does not act under a policy. */
  readonly policy?: string | null;
  readonly audience?: string | null;
  readonly declaredAudience?: number | null;
  /**
   * `next`: the job to enqueue when this one has ended (guarded: compensate after cancel).
   * `compensation`: naive's cancel batch compensates in its own loop.
   */
  readonly parameters?: { readonly next?: string; readonly compensation?: string | null };
}

/** Declares a job inside the caller's transaction without starting it. Returns its id. */
export async function declareJob(client: ClientBase, job: JobOrder): Promise<string> {
  const id = `${job.kind}-${randomUUID()}`;
  await client.query(
    `WITH declared AS (
       INSERT INTO jobs (id, intent, kind, campaign_id, policy, audience, declared_audience, actor, parameters)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 'operator', $8))
     INSERT INTO job_progress (job_id, total) VALUES ($1, COALESCE($7, 0))`,
    [
      id,
      job.intent ?? null,
      job.kind,
      job.campaignId,
      job.policy ?? null,
      job.audience ?? null,
      job.declaredAudience ?? null,
      JSON.stringify(job.parameters ?? {}),
    ],
  );
  return id;
}

/** Hands a declared job to the worker, in the caller's transaction: it starts when, and only if, that commits. */
export async function enqueueJob(
  boss: PgBoss,
  client: ClientBase,
  variant: Variant,
  jobId: string,
): Promise<void> {
  const payload: MassJobPayload = { job_id: jobId };
  const db = { executeSql: (text: string, values?: unknown[]) => client.query(text, values) };
  await boss.send(MASS_JOBS, payload, { ...SEND_OPTIONS[variant], db });
}

/**
 * The queue on somebody else's pool. `supervise` belongs to the worker alone: it looks every second for messages whose
 * worker has died. The schema and the queues come with the template database.
 */
export function createQueue(pool: Pool, options: { readonly supervise: boolean }): PgBoss {
  return new PgBoss({
    db: { executeSql: (text: string, values?: unknown[]) => pool.query(text, values) },
    migrate: false,
    createSchema: false,
    schedule: false,
    reindex: false,
    monitorVacuum: false,
    supervise: options.supervise,
    superviseIntervalSeconds: SUPERVISE_EVERY_S,
    monitorIntervalSeconds: SUPERVISE_EVERY_S,
  });
}
