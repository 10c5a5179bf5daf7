/**
 * Compensating everybody whose order was cancelled under a policy, alike and once: itself a mass issue, with a declared
 * audience, in chunks. `flat:N` gives N, `rate:P%` that share of what was captured, rounded down.
 */
import { COUPON_CODE_SQL } from "../coupon-code.ts";
import type { ChunkedJob } from "./chunks.ts";
import { COMPENSATION_CAMPAIGN, compensationSql } from "./compensation.ts";

/** The orders that the cancel job which names this one as its successor has cancelled. */
const CANCELLED =
  "SELECT order_id FROM job_items_done WHERE job_id = (SELECT id FROM jobs WHERE parameters ->> 'next' = $1)";

export const compensate: ChunkedJob = {
  refusal: async (client, job) => {
    const { rows } = await client.query<{ cancelled: number }>(
      `SELECT count(*)::int AS cancelled FROM (${CANCELLED}) AS c`,
      [job.id],
    );
    const cancelled = rows[0]?.cancelled ?? 0;
    if (job.policy === null) return "compensation is given under a published policy only";
    if (job.declaredAudience !== null && cancelled > job.declaredAudience)
      return `declared for ${job.declaredAudience}, but ${cancelled} orders were cancelled`;
    return null;
  },
  keys: (job) => ({ sql: `SELECT order_id AS key FROM (${CANCELLED}) AS c`, values: [job.id] }),
  chunk: async (client, job, { from, to }) => {
    const parameters: unknown[] = [job.id, from, to, job.policy, COMPENSATION_CAMPAIGN];
    const { rows: policies } = await client.query<{ compensation: string | null }>(
      "SELECT compensation FROM policies WHERE policy || '@' || version = $1",
      [job.policy],
    );
    const amount = compensationSql(policies[0]?.compensation ?? null, "captured", parameters);
    const { rows } = await client.query<{ given: number }>(
      `WITH due AS MATERIALIZED (
         SELECT orders.id AS order_id, user_id, ${amount} AS amount, ${COUPON_CODE_SQL} AS code
         FROM (${CANCELLED}) AS cancelled JOIN orders ON orders.id = cancelled.order_id
         WHERE orders.id BETWEEN $2 AND $3
           AND NOT EXISTS (SELECT FROM compensations c WHERE c.policy = $4 AND c.order_id = orders.id)
       ), made AS (
         INSERT INTO coupons (code, campaign_id, user_id, amount) SELECT code, $5, user_id, amount FROM due WHERE amount > 0
         RETURNING id, code
       ), told AS (
         INSERT INTO coupon_events (coupon_id, version, to_status, actor, reason, policy, job_id, order_id)
         SELECT made.id, 1, 'issued', 'job', 'compensation', $4, $1, order_id FROM made JOIN due USING (code)
       ), given AS (
         INSERT INTO compensations (user_id, order_id, coupon_id, amount, policy)
         SELECT user_id, order_id, made.id, amount, $4 FROM made JOIN due USING (code)
         RETURNING id, user_id, order_id, amount
       ), counted AS (
         UPDATE campaign_counters SET issued = issued + (SELECT count(*) FROM made) WHERE campaign_id = $5
       ), notices AS (
         INSERT INTO outbox (id, user_id, ref_kind, ref, template, reason)
         SELECT 'compensation:' || id, user_id, 'compensation', id::text, 'compensation',
           'For your cancelled order ' || order_id || ' you get a coupon of ' || amount || ' won (' || $4 || ')'
         FROM given RETURNING id
       ), pending AS (
         INSERT INTO outbox_pending (id) SELECT id FROM notices
       )
       SELECT count(*)::int AS given FROM given`,
      parameters,
    );
    return { done: rows[0]?.given ?? 0, left: 0 };
  },
};
