/**
 * Cancelling a campaign's orders, the way it is often written: what is paid right now, one after the other, ten at a
 * time; the refund first, and when that call throws (no refund account on file, the rail is down) the order is skipped
 * and stays as it is. No policy is read or named, nothing is held back from shipping, nobody resumes after a crash; the
 * apology goes out as one text message each, and what the provider refuses is lost.
 */
import { randomUUID } from "node:crypto";
import { COUPON_CODE_SQL } from "../coupon-code.ts";
import { COMPENSATION_CAMPAIGN, compensationSql } from "./compensation.ts";
import { markEnded, markStarted, showProgress, type MassJob, type Work } from "./work.ts";

const AT_ONCE = 10;
const SHOW_EVERY = 25;
const REASON = "event error";

interface PaidOrder {
  readonly id: number;
  readonly user_id: string;
  readonly captured: number;
  readonly has_refund_account: boolean;
}

export async function cancel(work: Work, job: MassJob): Promise<void> {
  await markStarted(work.pool, job.id);
  const { rows: orders } = await work.pool.query<PaidOrder>(
    `SELECT o.id, user_id, captured, has_refund_account FROM orders o JOIN members ON members.id = user_id
     WHERE attributes ->> 'coupon_campaign' = $1 AND status = 'paid' ORDER BY o.id`,
    [job.campaignId],
  );
  let next = 0;
  let seen = 0;
  let skipped = 0;
  await showProgress(work.pool, job.id, { done: 0, total: orders.length });
  const lane = async (): Promise<void> => {
    for (let order = orders[next++]; order !== undefined; order = orders[next++]) {
      try {
        await cancelOne(work, job, order);
      } catch (error) {
        skipped++;
        work.log.warn({ job: job.id, order: order.id, error: String(error) }, "order skipped");
      }
      if (++seen % SHOW_EVERY === 0)
        await showProgress(work.pool, job.id, { done: seen, total: orders.length });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  await showProgress(work.pool, job.id, { done: seen, total: orders.length });
  await markEnded(work.pool, job.id, "done", skipped === 0 ? null : `${skipped} orders skipped`);
}

async function cancelOne(work: Work, job: MassJob, order: PaidOrder): Promise<void> {
  await work.gateway.refund({
    order_id: String(order.id),
    amount: order.captured,
    idempotency_key: randomUUID(),
    account: order.has_refund_account,
  });
  const parameters: unknown[] = [order.id, job.id];
  const amount = compensationSql(job.parameters.compensation ?? null, "captured", parameters);
  await work.pool.query(
    `WITH cancelled AS (
       UPDATE orders SET status = 'cancelled', version = version + 1, refunded = captured, refund_state = 'done', status_since = clock_timestamp()
       WHERE id = $1
       RETURNING id, version, user_id, intent, coupon_id, items_total, discount, fee, total, captured
     ), told AS (
       INSERT INTO order_events (order_id, version, from_status, to_status, actor, reason, job_id, intent)
       SELECT id, version, 'paid', 'cancelled', 'job', '${REASON}', $2, intent FROM cancelled
     ), given_back AS (
       INSERT INTO refunds (order_id, amount, state, idempotency_key)
       SELECT id, captured, 'done', gen_random_uuid()::text FROM cancelled WHERE captured > 0
     ), freed AS (
       UPDATE coupons SET status = 'released', version = coupons.version + 1 FROM cancelled WHERE coupons.id = cancelled.coupon_id
       RETURNING coupons.id, coupons.version, cancelled.id AS order_id
     ), freed_told AS (
       INSERT INTO coupon_events (coupon_id, version, from_status, to_status, actor, reason, job_id, order_id)
       SELECT id, version, 'used', 'released', 'job', '${REASON}', $2, order_id FROM freed
     ), booked AS (
       INSERT INTO ledger (entry_id, account, debit, credit, ref)
       SELECT entry.kind || ':' || id, entry.account, entry.debit, entry.credit, id::text
       FROM cancelled, LATERAL (VALUES
         ('cancel', 'sales', items_total, 0), ('cancel', 'delivery_fees', fee, 0),
         ('cancel', 'refund_clearing', 0, total), ('cancel', 'coupon_expense', 0, discount),
         ('refund', 'refund_clearing', total, 0), ('refund', 'gateway_receivable', 0, total)) AS entry (kind, account, debit, credit)
       WHERE entry.debit + entry.credit > 0
     ), shelved AS (
       INSERT INTO stock_events (sku, qty, reason, order_id)
       SELECT sku, qty, 'release', order_id FROM order_items WHERE order_id = $1 RETURNING sku, qty
     ), returned AS (
       UPDATE stock SET taken = taken - shelved.qty FROM shelved WHERE stock.sku = shelved.sku
     ), due AS MATERIALIZED (
       SELECT id AS order_id, user_id, ${amount} AS amount, ${COUPON_CODE_SQL} AS code FROM cancelled
     ), sorry AS (
       INSERT INTO coupons (code, campaign_id, user_id, amount) SELECT code, '${COMPENSATION_CAMPAIGN}', user_id, amount FROM due WHERE amount > 0
       RETURNING id, user_id, amount
     ), sorry_told AS (
       INSERT INTO coupon_events (coupon_id, version, to_status, actor, reason, job_id, order_id)
       SELECT id, 1, 'issued', 'job', '${REASON}', $2, $1 FROM sorry
     )
     INSERT INTO compensations (user_id, order_id, coupon_id, amount) SELECT user_id, $1, id, amount FROM sorry`,
    parameters,
  );
  // Fire and forget: the batch does not wait for text messages, and nobody keeps the ones that fail.
  work.sink
    .send([
      {
        id: randomUUID(),
        user_id: order.user_id,
        ref_kind: "order",
        ref: String(order.id),
        template: "order-cancelled",
        reason: REASON,
        channel: "sms",
      },
    ])
    .catch((error: unknown) =>
      work.log.warn({ order: order.id, error: String(error) }, "message lost"),
    );
}
