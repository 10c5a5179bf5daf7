/**
 * What becomes of a pending order once the gateway's answer is known (guarded). Shared by the request, the webhook and
 * the worker's reconciliation, whichever learns of it first; the others find the order settled and change nothing.
 */
import type { ClientBase, Pool } from "pg";
import type { OrderStatus } from "./routes.ts";

type Connection = Pool | ClientBase;

const PAID = {
  name: "settle-paid",
  text: `
    WITH paid AS (
      UPDATE orders SET status = 'paid', version = version + 1, captured = total, payment_id = $2, status_since = clock_timestamp()
      WHERE id = $1 AND status = 'pending'
      RETURNING id, version, items_total, discount, fee, total, coupon_id, intent
    ), told AS (
      INSERT INTO order_events (order_id, version, from_status, to_status, actor, reason, intent)
      SELECT id, version, 'pending', 'paid', 'gateway', 'captured', intent FROM paid
    ), used AS (
      UPDATE coupons SET status = 'used', version = coupons.version + 1
      FROM paid WHERE coupons.id = paid.coupon_id AND coupons.status = 'reserved'
      RETURNING coupons.id, coupons.version, paid.id AS order_id, paid.intent
    ), used_told AS (
      INSERT INTO coupon_events (coupon_id, version, from_status, to_status, actor, reason, order_id, intent)
      SELECT id, version, 'reserved', 'used', 'gateway', 'captured', order_id, intent FROM used
    ), booked AS (
      INSERT INTO ledger (entry_id, account, debit, credit, ref)
      SELECT 'capture:' || id, entry.account, entry.debit, entry.credit, id::text
      FROM paid, LATERAL (VALUES ('gateway_receivable', total, 0), ('coupon_expense', discount, 0), ('sales', 0, items_total), ('delivery_fees', 0, fee))
        AS entry (account, debit, credit)
      WHERE entry.debit + entry.credit > 0
    )
    SELECT true AS settled FROM paid`,
};

/** A coupon goes back to its member, unless its campaign is being recalled: then it must not come back to life. */
const FAILED = {
  name: "settle-failed",
  text: `
    WITH failed AS (
      UPDATE orders SET status = 'failed', version = version + 1, status_since = clock_timestamp()
      WHERE id = $1 AND status = 'pending' RETURNING id, version, coupon_id, intent
    ), told AS (
      INSERT INTO order_events (order_id, version, from_status, to_status, actor, reason, intent)
      SELECT id, version, 'pending', 'failed', 'gateway', $2, intent FROM failed
    ), freed AS (
      UPDATE coupons SET version = coupons.version + 1,
        status = CASE WHEN EXISTS (SELECT FROM jobs WHERE kind = 'recall' AND jobs.campaign_id = coupons.campaign_id) THEN 'void' ELSE 'released' END
      FROM failed WHERE coupons.id = failed.coupon_id AND coupons.status = 'reserved'
      RETURNING coupons.id, coupons.version, coupons.status, failed.id AS order_id, failed.intent
    ), freed_told AS (
      INSERT INTO coupon_events (coupon_id, version, from_status, to_status, actor, reason, order_id, intent)
      SELECT id, version, 'reserved', status, 'gateway', $2, order_id, intent FROM freed
    ), shelved AS (
      INSERT INTO stock_events (sku, qty, reason, order_id)
      SELECT sku, qty, 'release', order_id FROM order_items JOIN failed ON failed.id = order_id
      RETURNING sku, qty
    ), returned AS (
      UPDATE stock SET taken = taken - shelved.qty FROM shelved WHERE stock.sku = shelved.sku
    )
    SELECT true AS settled FROM failed`,
};

const STATUS = { name: "order-status", text: "SELECT status FROM orders WHERE id = $1" };

/** pending → paid. Returns the status the order then has: "paid", or what somebody else made of it meanwhile. */
export async function settlePaid(
  connection: Connection,
  orderId: string,
  paymentId: string,
): Promise<OrderStatus> {
  const { rowCount } = await connection.query({ ...PAID, values: [orderId, paymentId] });
  return rowCount === 1 ? "paid" : statusOf(connection, orderId);
}

/** pending → failed, with the reason ("declined", "never charged"); coupon and stock go back. Returns the status then. */
export async function settleFailed(
  connection: Connection,
  orderId: string,
  reason: string,
): Promise<OrderStatus> {
  const { rowCount } = await connection.query({ ...FAILED, values: [orderId, reason] });
  return rowCount === 1 ? "failed" : statusOf(connection, orderId);
}

async function statusOf(connection: Connection, orderId: string): Promise<OrderStatus> {
  const { rows } = await connection.query<{ status: OrderStatus }>({
    ...STATUS,
    values: [orderId],
  });
  const status = rows[0]?.status;
  if (status === undefined) throw new Error(`expected order ${orderId}, but there is none`);
  return status;
}
