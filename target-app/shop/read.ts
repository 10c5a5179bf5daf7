/** What members may look at: their coupons, their orders. The same in both variants. */
import type { CouponSeen, OrderSeen } from "./routes.ts";
import { done, refuse, type Answer, type Shop } from "./shop.ts";

/** A member's list ends here; nobody scrolls further in a night. */
const LIST_MAX = 50;

const ORDER_COLUMNS = `id::text AS order_id, user_id, status, total, captured, refunded, refund_state, coupon_id::text`;

const ORDER = { name: "order", text: `SELECT ${ORDER_COLUMNS} FROM orders WHERE id = $1` };
const ORDERS = {
  name: "orders",
  text: `SELECT ${ORDER_COLUMNS} FROM orders WHERE user_id = $1 ORDER BY id DESC LIMIT ${LIST_MAX}`,
};
const COUPONS = {
  name: "coupons",
  text: `SELECT id::text, code, campaign_id, amount, status FROM coupons WHERE user_id = $1 ORDER BY id DESC LIMIT ${LIST_MAX}`,
};

export async function readOrder(shop: Shop, id: string): Promise<Answer<OrderSeen>> {
  const { rows } = await shop.pool.query<OrderSeen>({ ...ORDER, values: [id] });
  return rows[0] === undefined ? refuse(404, "unknown_order", "no such order") : done(rows[0]);
}

export async function readOrders(shop: Shop, userId: string): Promise<OrderSeen[]> {
  const { rows } = await shop.pool.query<OrderSeen>({ ...ORDERS, values: [userId] });
  return rows;
}

export async function readCoupons(shop: Shop, userId: string): Promise<CouponSeen[]> {
  const { rows } = await shop.pool.query<CouponSeen>({ ...COUPONS, values: [userId] });
  return rows;
}
