/**
 * A customer cancels an own order, the way it is often written: refund first, on a held connection, then the status.
 * When the gateway refuses (no refund account, rail down) the customer gets an error and the order stays.
 */
import { randomUUID } from "node:crypto";
import type { OrderStatus } from "./routes.ts";
import { done, refuse, type Answer, type Shop } from "./shop.ts";

const LOOK = `
  SELECT orders.id::text, status, captured, has_refund_account FROM orders JOIN members ON members.id = user_id
  WHERE orders.id = $1`;

const CANCEL = `
  WITH cancelled AS (
    UPDATE orders SET status = 'cancelled', version = version + 1, refunded = captured, refund_state = 'done', status_since = clock_timestamp()
    WHERE id = $1 RETURNING id, version, captured, coupon_id, items_total, discount, fee, intent
  ), told AS (
    INSERT INTO order_events (order_id, version, from_status, to_status, actor, reason, intent)
    SELECT id, version, 'paid', 'cancelled', 'customer', 'cancelled by customer', $2 FROM cancelled
  ), refund AS (
    INSERT INTO refunds (order_id, amount, state, idempotency_key) SELECT id, captured, 'done', $3 FROM cancelled WHERE captured > 0
  ), freed AS (
    UPDATE coupons SET status = 'released', version = coupons.version + 1 FROM cancelled WHERE coupons.id = coupon_id
    RETURNING coupons.id, coupons.version, cancelled.id AS order_id
  ), freed_told AS (
    INSERT INTO coupon_events (coupon_id, version, from_status, to_status, actor, reason, order_id, intent)
    SELECT id, version, 'used', 'released', 'customer', 'cancelled by customer', order_id, $2 FROM freed
  ), shelved AS (
    INSERT INTO stock_events (sku, qty, reason, order_id)
    SELECT sku, qty, 'release', order_id FROM order_items JOIN cancelled ON cancelled.id = order_id RETURNING sku, qty
  ), returned AS (
    UPDATE stock SET taken = taken - shelved.qty FROM shelved WHERE stock.sku = shelved.sku
  )
  INSERT INTO ledger (entry_id, account, debit, credit, ref)
  SELECT 'cancel:' || id, entry.account, entry.debit, entry.credit, id::text
  FROM cancelled, LATERAL (VALUES ('sales', items_total, 0), ('delivery_fees', fee, 0), ('coupon_expense', 0, discount), ('gateway_receivable', 0, captured))
    AS entry (account, debit, credit)
  WHERE entry.debit + entry.credit > 0`;

interface Look {
  readonly id: string;
  readonly status: OrderStatus;
  readonly captured: number;
  readonly has_refund_account: boolean;
}

/** `intent` is the idempotency key as the customer sent it. */
export async function cancelOrder(
  shop: Shop,
  orderId: string,
  intent: string | null,
): Promise<Answer<{ order_id: string; status: OrderStatus }>> {
  const client = await shop.pool.connect();
  try {
    const { rows } = await client.query<Look>(LOOK, [orderId]);
    const order = rows[0];
    if (order === undefined) return refuse(404, "unknown_order", "no such order");
    if (order.status !== "paid")
      return refuse(409, "not_cancellable", `the order is ${order.status}`);
    const key = randomUUID();
    const account = order.has_refund_account;
    if (!(await shop.payments.refund(order.id, order.captured, key, account)))
      return refuse(502, "refund_failed", "the refund did not go through; try again later");
    await client.query(CANCEL, [orderId, intent, key]);
    return done({ order_id: order.id, status: "cancelled" });
  } finally {
    client.release();
  }
}
