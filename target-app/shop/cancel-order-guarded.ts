/**
 * A customer cancels an own order with care: one statement, under the row lock, and only from paid. The refund is a row
 * in a named state that the worker pays out and repeats until done; without a refund account it waits, and the customer
 * is told so.
 */
import type { OrderStatus } from "./routes.ts";
import { done, refuse, type Answer, type Shop } from "./shop.ts";

/** The coupon comes back, unless its campaign is being recalled: then it is void. */
const CANCEL = {
  name: "cancel-own-order",
  text: `
    WITH cancelled AS (
      UPDATE orders SET status = 'cancelled', version = version + 1, status_since = clock_timestamp(),
        refund_state = CASE WHEN captured = 0 THEN NULL WHEN has_refund_account THEN 'requested' ELSE 'awaiting_account' END
      FROM members WHERE orders.id = $1 AND status = 'paid' AND members.id = user_id
      RETURNING orders.id, version, captured, coupon_id, items_total, discount, fee, user_id, refund_state
    ), told AS (
      INSERT INTO order_events (order_id, version, from_status, to_status, actor, reason, intent)
      SELECT id, version, 'paid', 'cancelled', 'customer', 'cancelled by customer', $2 FROM cancelled
    ), refund AS (
      INSERT INTO refunds (order_id, amount, state, idempotency_key)
      SELECT id, captured, refund_state, 'refund-' || id FROM cancelled WHERE refund_state IS NOT NULL
    ), freed AS (
      UPDATE coupons SET version = coupons.version + 1,
        status = CASE WHEN EXISTS (SELECT FROM jobs WHERE kind = 'recall' AND jobs.campaign_id = coupons.campaign_id) THEN 'void' ELSE 'released' END
      FROM cancelled WHERE coupons.id = cancelled.coupon_id AND coupons.status = 'used'
      RETURNING coupons.id, coupons.version, coupons.status, cancelled.id AS order_id
    ), freed_told AS (
      INSERT INTO coupon_events (coupon_id, version, from_status, to_status, actor, reason, order_id, intent)
      SELECT id, version, 'used', status, 'customer', 'cancelled by customer', order_id, $2 FROM freed
    ), shelved AS (
      INSERT INTO stock_events (sku, qty, reason, order_id)
      SELECT sku, qty, 'release', order_id FROM order_items JOIN cancelled ON cancelled.id = order_id RETURNING sku, qty
    ), returned AS (
      UPDATE stock SET taken = taken - shelved.qty FROM shelved WHERE stock.sku = shelved.sku
    ), booked AS (
      INSERT INTO ledger (entry_id, account, debit, credit, ref)
      SELECT entry.id || cancelled.id, entry.account, entry.debit, entry.credit, cancelled.id::text
      FROM cancelled, LATERAL (VALUES
        ('cancel:', 'sales', items_total, 0), ('cancel:', 'delivery_fees', fee, 0),
        ('cancel:', 'coupon_expense', 0, discount), ('cancel:', 'refund_clearing', 0, captured),
        ('await:', 'refund_clearing', CASE refund_state WHEN 'awaiting_account' THEN captured ELSE 0 END, 0),
        ('await:', 'refunds_awaiting_account', 0, CASE refund_state WHEN 'awaiting_account' THEN captured ELSE 0 END))
        AS entry (id, account, debit, credit)
      WHERE entry.debit + entry.credit > 0
    ), message AS (
      INSERT INTO outbox (id, user_id, ref_kind, ref, template, reason)
      SELECT 'refund-account-' || id, user_id, 'refund', id::text, 'refund-needs-account', 'your refund waits for an account to go to'
      FROM cancelled WHERE refund_state = 'awaiting_account' RETURNING id
    ), waiting AS (
      INSERT INTO outbox_pending (id) SELECT id FROM message
    )
    SELECT id::text FROM cancelled`,
};

const STATUS = "SELECT status FROM orders WHERE id = $1";

/** `intent` is the idempotency key as the customer sent it. Cancelling a cancelled order is a success. */
export async function cancelOrder(
  shop: Shop,
  orderId: string,
  intent: string | null,
): Promise<Answer<{ order_id: string; status: OrderStatus }>> {
  const { rowCount } = await shop.pool.query({ ...CANCEL, values: [orderId, intent] });
  if (rowCount === 1) return done({ order_id: orderId, status: "cancelled" });
  const { rows } = await shop.pool.query<{ status: OrderStatus }>(STATUS, [orderId]);
  const status = rows[0]?.status;
  if (status === undefined) return refuse(404, "unknown_order", "no such order");
  if (status === "cancelled") return done({ order_id: orderId, status });
  return refuse(409, "not_cancellable", `the order is ${status}`);
}
