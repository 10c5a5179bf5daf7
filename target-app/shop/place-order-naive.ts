/**
 * Placing an order, the way it is often written: one transaction around everything, the payment included. A connection
 * of the pool waits 25 ms for the gateway with each order; who waits for a connection waits without limit, and is still
 * served when long gone. The idempotency key is stored and not looked at. The coupon is read first and written later.
 */
import { randomUUID } from "node:crypto";
import type { PoolClient } from "pg";
import type { Basket } from "./catalogue.ts";
import type { OrderAsk, OrderDone } from "./routes.ts";
import { done, refuse, type Answer, type Refusal, type Shop } from "./shop.ts";

const LOOK = {
  name: "look",
  text: `
    SELECT coupon.id::text AS coupon_id, coupon.amount, coupon.status,
      NOT EXISTS (SELECT FROM unnest($3::text[], $4::int[]) AS line (sku, qty) JOIN stock USING (sku)
                  WHERE initial - taken < line.qty) AS in_stock
    FROM (SELECT) AS one LEFT JOIN LATERAL (
      SELECT id, amount, status FROM coupons WHERE user_id = $1 AND campaign_id = $2
      ORDER BY status IN ('issued', 'released') DESC, status = 'recalled' DESC LIMIT 1) AS coupon ON true`,
};

const INSERT = {
  name: "insert-order",
  text: `
    WITH placed AS (
      INSERT INTO orders (intent, user_id, seller, coupon_id, items_total, discount, fee, total, attributes)
      SELECT $1, id, $3, $4::bigint, $6, $7, $8, $6::bigint - $7 + $8, jsonb_build_object(
        'coupon_campaign', $9::text, 'seller', $3::text, 'payment_method', payment_method)
      FROM members WHERE id = $2
      RETURNING id, total
    ), lines AS (
      INSERT INTO order_items (order_id, sku, qty, price)
      SELECT placed.id, line.* FROM placed, unnest($10::text[], $11::int[], $12::bigint[]) AS line
    ), told AS (
      INSERT INTO order_events (order_id, version, to_status, actor, reason, intent)
      SELECT id, 1, 'pending', 'customer', 'ordered', $1 FROM placed
    ), used AS (
      UPDATE coupons SET status = 'used', version = version + 1 FROM placed WHERE coupons.id = $4::bigint
      RETURNING coupons.id, version, placed.id AS order_id
    ), used_told AS (
      INSERT INTO coupon_events (coupon_id, version, from_status, to_status, actor, reason, order_id, intent)
      SELECT id, version, $5, 'used', 'customer', 'ordered', order_id, $1 FROM used
    )
    SELECT id::text, total FROM placed`,
};

const PAY = {
  name: "pay-order",
  text: `
    WITH paid AS (
      UPDATE orders SET status = 'paid', version = version + 1, captured = total, payment_id = $2, status_since = clock_timestamp()
      WHERE id = $1 RETURNING id, version, items_total, discount, fee, total, intent
    ), told AS (
      INSERT INTO order_events (order_id, version, from_status, to_status, actor, reason, intent)
      SELECT id, version, 'pending', 'paid', 'gateway', 'captured', intent FROM paid
    ), taken AS (
      UPDATE stock SET taken = taken + line.qty FROM unnest($3::text[], $4::int[]) AS line (sku, qty) WHERE stock.sku = line.sku
    ), moved AS (
      INSERT INTO stock_events (sku, qty, reason, order_id)
      SELECT line.sku, -line.qty, 'sell', paid.id FROM paid, unnest($3::text[], $4::int[]) AS line (sku, qty)
    )
    INSERT INTO ledger (entry_id, account, debit, credit, ref)
    SELECT 'capture:' || id, entry.account, entry.debit, entry.credit, id::text
    FROM paid, LATERAL (VALUES ('gateway_receivable', total, 0), ('coupon_expense', discount, 0), ('sales', 0, items_total), ('delivery_fees', 0, fee))
      AS entry (account, debit, credit)
    WHERE entry.debit + entry.credit > 0`,
};

interface Look {
  readonly coupon_id: string | null;
  readonly amount: number | null;
  readonly status: string | null;
  readonly in_stock: boolean;
}

/** `intent` is the idempotency key as the customer sent it. */
export async function placeOrder(
  shop: Shop,
  ask: OrderAsk,
  intent: string | null,
): Promise<Answer<OrderDone>> {
  const basket = shop.catalogue.price(ask.items);
  if (basket === null) return refuse(404, "unknown_sku", "this shop does not sell all of that");
  const client = await shop.pool.connect();
  try {
    await client.query("BEGIN");
    const answer = await placeInTransaction(shop, client, ask, basket, intent);
    await client.query(answer.kind === "done" ? "COMMIT" : "ROLLBACK");
    client.release();
    return answer;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function placeInTransaction(
  shop: Shop,
  client: PoolClient,
  ask: OrderAsk,
  basket: Basket,
  intent: string | null,
): Promise<Answer<OrderDone>> {
  const campaign = ask.coupon_campaign;
  const looked = await client.query<Look>({
    ...LOOK,
    values: [ask.user_id, campaign, basket.skus, basket.quantities],
  });
  const look = looked.rows[0];
  if (look?.in_stock !== true) return refuse(422, "sold_out", "not enough of it is left");
  const coupon = campaign === null ? null : look.coupon_id;
  if (campaign !== null && look.status !== "issued" && look.status !== "released")
    return couponRefusal(look.status);
  const discount = coupon === null ? 0 : Math.min(look.amount ?? 0, basket.itemsTotal);
  const inserted = await client.query<{ id: string; total: number }>({
    ...INSERT,
    values: [
      intent,
      ask.user_id,
      basket.seller,
      coupon,
      look.status,
      basket.itemsTotal,
      discount,
      basket.fee,
      campaign ?? "none",
      basket.skus,
      basket.quantities,
      basket.prices,
    ],
  });
  const order = inserted.rows[0];
  if (order === undefined) return refuse(404, "unknown_member", "no such member");
  const charge = await shop.payments.charge({
    orderId: order.id,
    amount: order.total,
    key: randomUUID(), // a fresh one each attempt: the gateway cannot know a retry for what it is
    merchantRef: intent ?? `order-${order.id}`,
  });
  if (charge.kind === "unknown") throw new Error(`payment failed: ${charge.because}`);
  if (charge.kind === "declined")
    return refuse(422, "payment_declined", "the payment was declined");
  await client.query({
    ...PAY,
    values: [order.id, charge.paymentId, basket.skus, basket.quantities],
  });
  return done({
    order_id: order.id,
    total: order.total,
    discount,
    coupon_id: coupon,
    status: "paid",
  });
}

function couponRefusal(status: string | null): Refusal {
  return status === "recalled"
    ? refuse(422, "coupon_recalled", "this coupon was recalled")
    : refuse(422, "coupon_not_available", "there is no usable coupon of this campaign");
}
