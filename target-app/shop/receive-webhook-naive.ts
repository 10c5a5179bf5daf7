/** A delivery of the gateway, the way it is often written: each event is applied whenever it comes. */
import type { Shop } from "./shop.ts";
import type { GatewayEvent } from "./webhook-events.ts";

const RECEIPTS = `
  INSERT INTO webhooks (event_id, payment_id, signature_ok, applied)
  SELECT event_id, payment_id, true, true FROM unnest($1::text[], $2::text[]) AS event (event_id, payment_id)`;

export async function receiveWebhook(shop: Shop, events: readonly GatewayEvent[]): Promise<void> {
  for (const event of events) {
    if (event.type === "refund.done")
      await shop.pool.query("UPDATE orders SET refund_state = 'done' WHERE id = $1", [
        event.order_id,
      ]);
    else
      await shop.pool.query("UPDATE orders SET captured = $2, payment_id = $3 WHERE id = $1", [
        event.order_id,
        event.amount,
        event.payment_id,
      ]);
  }
  const ids = events.map(({ event_id }) => event_id);
  await shop.pool.query(RECEIPTS, [ids, events.map(({ payment_id }) => payment_id)]);
}
