/**
 * Cancelling orders under a published policy, and under nothing else: which orders is decided from the policy's snapshot
 * alone, once, before the first is touched. A chunk cancels its orders with everything that belongs to it (refund,
 * coupon, stock, ledger, audit trail, notice) in one transaction; a member without a refund account is cancelled like
 * anybody else, and the refund waits by name for an account.
 */
import type { ClientBase } from "pg";
import { policySql } from "../policy-scope.ts";
import type { ChunkedJob, Range } from "./chunks.ts";
import type { MassJob } from "./work.ts";

interface Policy {
  readonly policy: string;
  readonly version: number;
  readonly scope: string;
  readonly carve_outs: string | null;
  readonly coupon_action: "release" | "void";
}

/** Under a thousand: these rows are what customers are looking at, so they are locked for a shorter time. */
const ORDERS_A_CHUNK = 250;

const CANCEL = `
  WITH due AS (
    SELECT o.id, o.status, m.has_refund_account FROM job_items i
    JOIN orders o ON o.id = i.order_id JOIN members m ON m.id = o.user_id
    WHERE i.job_id = $1 AND i.order_id BETWEEN $2 AND $3 AND o.status IN ('paid', 'held')
    ORDER BY o.id FOR UPDATE OF o
  ), cancelled AS (
    UPDATE orders SET status = 'cancelled', version = orders.version + 1, status_since = clock_timestamp(),
      refund_state = CASE WHEN captured = refunded THEN refund_state WHEN has_refund_account THEN 'requested' ELSE 'awaiting_account' END
    FROM due WHERE orders.id = due.id
    RETURNING orders.id, orders.version, due.status AS from_status, user_id, intent, coupon_id, items_total, discount, fee, total,
      captured - refunded AS owed, has_refund_account
  ), told AS (
    INSERT INTO order_events (order_id, version, from_status, to_status, actor, reason, policy, job_id, intent)
    SELECT id, version, from_status, 'cancelled', 'job', 'campaign withdrawn', $4, $1, intent FROM cancelled
  ), refund_due AS (
    INSERT INTO refunds (order_id, amount, state, idempotency_key)
    SELECT id, owed, CASE WHEN has_refund_account THEN 'requested' ELSE 'awaiting_account' END, 'refund-' || id
    FROM cancelled WHERE owed > 0
  ), booked AS (
    INSERT INTO ledger (entry_id, account, debit, credit, ref)
    SELECT 'cancel:' || id, entry.account, entry.debit, entry.credit, id::text
    FROM cancelled, LATERAL (VALUES ('sales', items_total, 0), ('delivery_fees', fee, 0), ('refund_clearing', 0, total), ('coupon_expense', 0, discount))
      AS entry (account, debit, credit)
    WHERE entry.debit + entry.credit > 0
    UNION ALL
    SELECT 'await:' || id, entry.account, entry.debit, entry.credit, id::text
    FROM cancelled, LATERAL (VALUES ('refund_clearing', owed, 0), ('refunds_awaiting_account', 0, owed)) AS entry (account, debit, credit)
    WHERE NOT has_refund_account AND owed > 0
  ), freed AS (
    UPDATE coupons SET status = $5, version = coupons.version + 1 FROM cancelled
    WHERE coupons.id = cancelled.coupon_id AND coupons.status = 'used'
    RETURNING coupons.id, coupons.version, cancelled.id AS order_id
  ), freed_told AS (
    INSERT INTO coupon_events (coupon_id, version, from_status, to_status, actor, reason, policy, job_id, order_id)
    SELECT id, version, 'used', $5, 'job', 'order cancelled: campaign withdrawn', $4, $1, order_id FROM freed
  ), notices AS (
    INSERT INTO outbox (id, user_id, ref_kind, ref, template, reason)
    SELECT 'order:' || id || ':' || version, user_id, 'order', id::text, 'order-cancelled',
      'Your order was cancelled because its campaign was withdrawn (' || $4 || '). ' || CASE
        WHEN owed = 0 THEN 'Nothing was charged.'
        WHEN has_refund_account THEN owed || ' won go back to your refund account.'
        ELSE owed || ' won wait for you: please register a refund account.' END
    FROM cancelled RETURNING id
  ), pending AS (
    INSERT INTO outbox_pending (id) SELECT id FROM notices
  ), items_done AS (
    INSERT INTO job_items_done (job_id, order_id) SELECT $1, id FROM cancelled
  ), shelved AS (
    INSERT INTO stock_events (sku, qty, reason, order_id)
    SELECT sku, qty, 'release', order_id FROM order_items JOIN cancelled ON cancelled.id = order_id
    RETURNING sku, qty
  ), returned AS (
    UPDATE stock SET taken = taken - back.qty FROM (SELECT sku, sum(qty) AS qty FROM shelved GROUP BY sku) AS back
    WHERE stock.sku = back.sku
  )
  SELECT count(*)::int AS cancelled FROM cancelled`;

/** In scope and paying right now: their payment ends within seconds, one way or the other. */
const STILL_MOVING = `
  SELECT count(*)::int AS moving FROM job_items i JOIN orders o ON o.id = i.order_id
  WHERE i.job_id = $1 AND i.order_id BETWEEN $2 AND $3 AND o.status IN ('pending', 'cancelling')`;

async function policyOf(client: ClientBase, job: MassJob): Promise<Policy | null> {
  const { rows } = await client.query<Policy>(
    "SELECT policy, version, scope, carve_outs, coupon_action FROM policies WHERE policy || '@' || version = $1",
    [job.policy],
  );
  return rows[0] ?? null;
}

async function cancelRange(
  client: ClientBase,
  job: MassJob,
  { from, to }: Range,
): Promise<{ done: number; left: number }> {
  const policy = await policyOf(client, job);
  const couponStatus = policy?.coupon_action === "release" ? "released" : "void";
  const { rows } = await client.query<{ cancelled: number }>(CANCEL, [
    job.id,
    from,
    to,
    job.policy,
    couponStatus,
  ]);
  const { rows: moving } = await client.query<{ moving: number }>(STILL_MOVING, [job.id, from, to]);
  return { done: rows[0]?.cancelled ?? 0, left: moving[0]?.moving ?? 0 };
}

export const cancel: ChunkedJob = {
  rows: ORDERS_A_CHUNK,
  priority: 1,
  refusal: async (client, job) =>
    (await policyOf(client, job)) === null
      ? "orders are cancelled under a published policy only"
      : null,
  undertake: async (client, job) => {
    const policy = await policyOf(client, job);
    if (policy === null) return;
    const parameters: unknown[] = [job.id, policy.policy, policy.version];
    const inScope = policySql(policy.scope, policy.carve_outs, "attributes", parameters);
    await client.query(
      `INSERT INTO job_items (job_id, order_id)
       SELECT $1, order_id FROM policy_snapshots WHERE policy = $2 AND version = $3 AND ${inScope}`,
      parameters,
    );
  },
  keys: (job) => ({
    sql: "SELECT order_id AS key FROM job_items WHERE job_id = $1",
    values: [job.id],
  }),
  chunk: cancelRange,
};
