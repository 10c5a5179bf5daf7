/**
 * Placing an order with care: one short transaction reserves coupon and stock and writes the pending order under its
 * idempotency key; no connection is held while the gateway thinks; a second short transaction settles. A repeated key
 * gets the first answer; an unknown payment stays pending, and the worker asks the gateway.
 */
import { hash } from "node:crypto";
import type { Basket } from "./catalogue.ts";
import type { OrderAsk, OrderDone, OrderStatus } from "./routes.ts";
import { settleFailed, settlePaid } from "./settle-order.ts";
import { done, refuse, type Answer, type Refusal, type Shop } from "./shop.ts";

/** All or nothing by data flow: without stock or coupon, `placed` stays empty, and with it everything that hangs on it. */
const RESERVE = {
  name: "reserve-order",
  text: `
    WITH prior AS (
      SELECT id, status, body_hash, total, discount, coupon_id FROM orders WHERE idempotency_key = $1
    ), line AS (
      SELECT * FROM unnest($9::text[], $10::int[], $11::bigint[]) AS line (sku, qty, price)
    ), shelf AS (
      SELECT sku FROM stock JOIN line USING (sku)
      WHERE initial - taken >= line.qty AND NOT EXISTS (SELECT FROM prior) ORDER BY sku FOR NO KEY UPDATE OF stock
    ), coupon AS (
      SELECT id, amount, status FROM coupons
      WHERE user_id = $2 AND campaign_id = $8 AND status IN ('issued', 'released') AND NOT EXISTS (SELECT FROM prior)
      ORDER BY id LIMIT 1 FOR NO KEY UPDATE
    ), placed AS (
      INSERT INTO orders (intent, idempotency_key, body_hash, user_id, seller, coupon_id, items_total, discount, fee, total, attributes)
      SELECT $1, $1, $3, members.id, $4, coupon.id, $5, LEAST(COALESCE(coupon.amount, 0), $5::bigint), $6,
        $5 - LEAST(COALESCE(coupon.amount, 0), $5) + $6,
        jsonb_build_object('coupon_campaign', COALESCE($8, 'none'), 'seller', $4::text, 'payment_method', payment_method)
      FROM members LEFT JOIN coupon ON true
      WHERE members.id = $2 AND NOT EXISTS (SELECT FROM prior)
        AND ($8::text IS NULL OR coupon.id IS NOT NULL) AND (SELECT count(*) FROM shelf) = $7::int
      ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
      RETURNING id, total, discount, coupon_id
    ), items AS (
      INSERT INTO order_items (order_id, sku, qty, price) SELECT id, sku, qty, price FROM placed, line
    ), told AS (
      INSERT INTO order_events (order_id, version, to_status, actor, reason, intent)
      SELECT id, 1, 'pending', 'customer', 'ordered', $1 FROM placed
    ), reserved AS (
      UPDATE coupons SET status = 'reserved', version = coupons.version + 1 FROM placed, coupon
      WHERE coupons.id = coupon.id AND coupons.id = placed.coupon_id
      RETURNING coupons.id, coupons.version, coupon.status AS from_status, placed.id AS order_id
    ), reserved_told AS (
      INSERT INTO coupon_events (coupon_id, version, from_status, to_status, actor, reason, order_id, intent)
      SELECT id, version, from_status, 'reserved', 'customer', 'ordered', order_id, $1 FROM reserved
    ), taken AS (
      UPDATE stock SET taken = taken + line.qty FROM line, placed WHERE stock.sku = line.sku
    ), moved AS (
      INSERT INTO stock_events (sku, qty, reason, order_id) SELECT sku, -qty, 'reserve', id FROM placed, line
    )
    SELECT placed.id IS NOT NULL AS placed, COALESCE(placed.id, prior.id)::text AS id,
      COALESCE(placed.total, prior.total) AS total, COALESCE(placed.discount, prior.discount) AS discount,
      COALESCE(placed.coupon_id, prior.coupon_id)::text AS coupon_id,
      prior.status AS prior_status, prior.body_hash AS prior_body, coupon.id IS NOT NULL AS has_coupon,
      (SELECT count(*) FROM shelf) = $7::int AS in_stock
    FROM (SELECT) AS one LEFT JOIN placed ON true LEFT JOIN prior ON true LEFT JOIN coupon ON true`,
};

const RECALLED = {
  name: "coupon-recalled",
  text: "SELECT FROM coupons WHERE user_id = $1 AND campaign_id = $2 AND status = 'recalled' LIMIT 1",
};

interface Reservation {
  readonly placed: boolean;
  readonly id: string | null;
  readonly total: number;
  readonly discount: number;
  readonly coupon_id: string | null;
  readonly prior_status: OrderStatus | null;
  readonly prior_body: string | null;
  readonly has_coupon: boolean;
  readonly in_stock: boolean;
}

/** Keys in work in this process: a double tap is told so without troubling the database. */
const inWork = new Set<string>();

/** `intent` is the idempotency key as the customer sent it. */
export async function placeOrder(
  shop: Shop,
  ask: OrderAsk,
  intent: string | null,
): Promise<Answer<OrderDone>> {
  if (intent === null)
    return refuse(400, "idempotency_key_required", "send an Idempotency-Key header");
  const basket = shop.catalogue.price(ask.items);
  if (basket === null) return refuse(404, "unknown_sku", "this shop does not sell all of that");
  if (inWork.has(intent)) return inFlight();
  inWork.add(intent);
  try {
    return await reserveAndPay(shop, ask, basket, intent);
  } finally {
    inWork.delete(intent);
  }
}

async function reserveAndPay(
  shop: Shop,
  ask: OrderAsk,
  basket: Basket,
  intent: string,
): Promise<Answer<OrderDone>> {
  const body = hash("sha256", JSON.stringify([ask.user_id, basket, ask.coupon_campaign]));
  const { rows } = await shop.pool.query<Reservation>({
    ...RESERVE,
    values: [
      intent,
      ask.user_id,
      body,
      basket.seller,
      basket.itemsTotal,
      basket.fee,
      basket.skus.length,
      ask.coupon_campaign,
      basket.skus,
      basket.quantities,
      basket.prices,
    ],
  });
  const order = rows[0];
  if (order === undefined) throw new Error("expected one row from the reservation, but none came");
  if (order.prior_status !== null) return repeated(order, body);
  if (!order.placed || order.id === null) return refusalOf(shop, ask, order);
  const charge = await shop.payments.charge({
    orderId: order.id,
    amount: order.total,
    key: intent,
    merchantRef: intent,
  });
  if (charge.kind === "unknown") {
    shop.log.warn({ order: order.id, because: charge.because }, "payment unknown");
    return refuse(504, "payment_unknown", "the payment's end is not known yet; read the order");
  }
  if (charge.kind === "declined") {
    await settleFailed(shop.pool, order.id, "declined");
    return refuse(422, "payment_declined", "the payment was declined");
  }
  return answerOf(order, await settlePaid(shop.pool, order.id, charge.paymentId));
}

/** The same key again: the first attempt's answer, as far as there is one. */
function repeated(order: Reservation, body: string): Answer<OrderDone> {
  if (order.prior_body !== body)
    return refuse(422, "key_reused", "this key came with another order before");
  if (order.prior_status === null || order.prior_status === "pending") return inFlight();
  if (order.prior_status === "failed")
    return refuse(422, "payment_declined", "the payment was declined");
  return answerOf(order, order.prior_status);
}

async function refusalOf(shop: Shop, ask: OrderAsk, order: Reservation): Promise<Refusal> {
  const campaign = ask.coupon_campaign;
  if (!order.in_stock) return refuse(422, "sold_out", "not enough of it is left");
  if (campaign !== null && !order.has_coupon) {
    const recalled = await shop.pool.query({ ...RECALLED, values: [ask.user_id, campaign] });
    return recalled.rowCount === 0
      ? refuse(422, "coupon_not_available", "there is no usable coupon of this campaign")
      : refuse(422, "coupon_recalled", "this coupon was recalled");
  }
  // A member nobody knows, or another process won the race for this key: a repeat tells which.
  const known = await shop.pool.query("SELECT FROM members WHERE id = $1", [ask.user_id]);
  return known.rowCount === 0 ? refuse(404, "unknown_member", "no such member") : inFlight();
}

function answerOf(order: Reservation, status: OrderStatus): Answer<OrderDone> {
  return done({
    order_id: order.id ?? "",
    total: order.total,
    discount: order.discount,
    coupon_id: order.coupon_id,
    status,
  });
}

function inFlight(): Refusal {
  return refuse(409, "in_flight", "another attempt with this key is in work", 1);
}
