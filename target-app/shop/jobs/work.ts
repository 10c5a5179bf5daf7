/** The nouns of the worker: what a mass job is, what its code works with, and how a job begins and ends in the books. */
import type { ClientBase, Pool } from "pg";
import type { PgBoss } from "pg-boss";
import { z } from "zod";
import type { Log } from "../../log.ts";
import { JOB_KINDS, type JobKind, type Variant } from "../job-queue.ts";
import type { GatewayClient } from "./gateway-client.ts";
import type { SinkClient } from "./sink-client.ts";

export interface Work {
  readonly variant: Variant;
  readonly pool: Pool;
  readonly boss: PgBoss;
  readonly gateway: GatewayClient;
  readonly sink: SinkClient;
  readonly log: Log;
  /** There is something new to refund, to tell, or a message in the queue. */
  readonly wake: { refunds(): void; notices(): void; messages(): void };
}

export interface MassJob {
  readonly id: string;
  readonly kind: JobKind;
  readonly campaignId: string;
  /** name@version, or null when the job acts under none. */
  readonly policy: string | null;
  readonly audience: string | null;
  readonly declaredAudience: number | null;
  readonly parameters: {
    readonly next?: string | undefined;
    readonly compensation?: string | null | undefined;
  };
}

/** Rows a statement of mass work touches at most, unless its job says less. */
export const CHUNK_ROWS = 1_000;

const jobRow = z.object({
  id: z.string(),
  kind: z.enum(JOB_KINDS),
  campaign_id: z.string(),
  policy: z.string().nullable(),
  audience: z.string().nullable(),
  declared_audience: z.coerce.number().nullable(),
  parameters: z.object({
    next: z.string().optional(),
    compensation: z.string().nullable().optional(),
  }),
});

/** Throws when there is no such job. */
export async function loadJob(pool: Pool, jobId: string): Promise<MassJob> {
  const { rows } = await pool.query(
    "SELECT id, kind, campaign_id, policy, audience, declared_audience, parameters FROM jobs WHERE id = $1",
    [jobId],
  );
  const row = jobRow.parse(rows[0]);
  return {
    id: row.id,
    kind: row.kind,
    campaignId: row.campaign_id,
    policy: row.policy,
    audience: row.audience,
    declaredAudience: row.declared_audience,
    parameters: row.parameters,
  };
}

/** One transaction on a connection of its own; what `work` throws rolls it back. */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: ClientBase) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: unknown = null;
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((failure: unknown) => (broken = failure));
    throw error;
  } finally {
    client.release(broken !== null); // a connection that cannot even roll back is thrown away
  }
}

/** Writes the started mark. False: it was there already, so somebody began before. */
export async function markStarted(connection: Pool | ClientBase, jobId: string): Promise<boolean> {
  const { rowCount } = await connection.query(
    "INSERT INTO job_marks (job_id, mark) VALUES ($1, 'started') ON CONFLICT DO NOTHING",
    [jobId],
  );
  return rowCount === 1;
}

/** Writes the ended mark and the last state for the screen; a second call changes nothing. */
export async function markEnded(
  connection: Pool | ClientBase,
  jobId: string,
  state: "done" | "failed",
  note: string | null = null,
): Promise<boolean> {
  const { rowCount } = await connection.query(
    `WITH ended AS (
       INSERT INTO job_marks (job_id, mark, note) VALUES ($1, 'ended', $3) ON CONFLICT DO NOTHING RETURNING job_id
     )
     UPDATE job_progress SET state = $2 FROM ended WHERE job_progress.job_id = ended.job_id`,
    [jobId, state, note],
  );
  return rowCount === 1;
}

/** For the operator's screen. */
export async function showProgress(
  connection: Pool | ClientBase,
  jobId: string,
  progress: { readonly done: number; readonly total: number },
): Promise<void> {
  await connection.query(
    "UPDATE job_progress SET state = 'running', done = $2, total = $3 WHERE job_id = $1",
    [jobId, progress.done, progress.total],
  );
}
