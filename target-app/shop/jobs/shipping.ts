/** The warehouse (both variants): takes what is paid and old enough, oldest first, at its own fixed pace. */
import type { Work } from "./work.ts";

export const SHIP_EVERY_MS = 500;
const ORDERS_A_TICK = 20;
/** How long an order rests before it is packed, seconds. */
const REST_S = 3;

const SHIP = {
  name: "ship",
  text: `
    WITH due AS (
      SELECT id FROM orders
      WHERE status = 'paid' AND NOT shipping_hold AND status_since < clock_timestamp() - interval '${REST_S} seconds'
      ORDER BY id LIMIT ${ORDERS_A_TICK} FOR UPDATE SKIP LOCKED
    ), shipped AS (
      UPDATE orders SET status = 'shipped', version = version + 1, status_since = clock_timestamp()
      FROM due WHERE orders.id = due.id RETURNING orders.id, version, intent
    )
    INSERT INTO order_events (order_id, version, from_status, to_status, actor, reason, intent)
    SELECT id, version, 'paid', 'shipped', 'job', 'handed to shipping', intent FROM shipped`,
};

/** One tick. A held order is left alone; in the naive variant nothing ever holds one. */
export async function shipTick(work: Work): Promise<void> {
  await work.pool.query(SHIP);
}
