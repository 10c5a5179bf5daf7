/**
 * Recalling a campaign's unused coupons with care: what may be recalled is decided under the row lock, in the statement
 * that recalls, writes the audit trail and queues the notice. A coupon somebody is using right now is used or recalled,
 * never both.
 */
import type { ClientBase } from "pg";
import type { ChunkedJob, Range } from "./chunks.ts";
import type { MassJob } from "./work.ts";

async function recallRange(client: ClientBase, job: MassJob, range: Range | null): Promise<number> {
  const { rows } = await client.query<{ recalled: number }>(
    `WITH unused AS (
       SELECT id, status FROM coupons
       WHERE campaign_id = $1 AND status IN ('issued', 'released') AND ($2::bigint IS NULL OR id BETWEEN $2 AND $3::bigint)
       ORDER BY id FOR UPDATE
     ), recalled AS (
       UPDATE coupons SET status = 'recalled', version = coupons.version + 1 FROM unused WHERE coupons.id = unused.id
       RETURNING coupons.id, coupons.version, coupons.user_id, unused.status AS from_status
     ), told AS (
       INSERT INTO coupon_events (coupon_id, version, from_status, to_status, actor, reason, policy, job_id)
       SELECT id, version, from_status, 'recalled', 'job', 'campaign withdrawn', $4, $5 FROM recalled
     ), notices AS (
       INSERT INTO outbox (id, user_id, ref_kind, ref, template, reason)
       SELECT 'coupon:' || id || ':' || version, user_id, 'coupon', id::text, 'coupon-recalled',
         'Your coupon was recalled because its campaign ' || $1 || ' was withdrawn' || COALESCE(' (' || $4::text || ')', '')
       FROM recalled RETURNING id
     ), pending AS (
       INSERT INTO outbox_pending (id) SELECT id FROM notices
     )
     SELECT count(*)::int AS recalled FROM recalled`,
    [job.campaignId, range?.from ?? null, range?.to ?? null, job.policy, job.id],
  );
  return rows[0]?.recalled ?? 0;
}

export const recall: ChunkedJob = {
  // All of the campaign's coupons, whatever their state now: one that is released meanwhile is unused, too.
  keys: (job) => ({
    sql: "SELECT id AS key FROM coupons WHERE campaign_id = $1",
    values: [job.campaignId],
  }),
  chunk: async (client, job, range) => ({ done: await recallRange(client, job, range), left: 0 }),
  // What was released behind the chunks' back, in the transaction that ends the recall.
  finish: async (client, job) => void (await recallRange(client, job, null)),
};
