/** A delivery of the gateway with care: an event takes effect once, in the transaction that remembers it. */
import { settlePaid } from "./settle-order.ts";
import { settleRefunds } from "./settle-refunds.ts";
import type { Shop } from "./shop.ts";
import type { GatewayEvent } from "./webhook-events.ts";

/** Every receipt is kept; `applied` only where the event was new. Returns the new ones. */
const RECEIPTS = `
  WITH event AS (
    SELECT DISTINCT ON (event_id) event_id, payment_id FROM unnest($1::text[], $2::text[]) AS event (event_id, payment_id)
    ORDER BY event_id
  ), fresh AS (
    INSERT INTO webhooks_once (event_id) SELECT event_id FROM event ON CONFLICT DO NOTHING RETURNING event_id
  ), receipts AS (
    INSERT INTO webhooks (event_id, payment_id, signature_ok, applied)
    SELECT event_id, payment_id, true, event_id IN (SELECT event_id FROM fresh) FROM event
  )
  SELECT event_id FROM fresh`;

export async function receiveWebhook(shop: Shop, events: readonly GatewayEvent[]): Promise<void> {
  const client = await shop.pool.connect();
  try {
    await client.query("BEGIN");
    const { rows } = await client.query<{ event_id: string }>(RECEIPTS, [
      events.map(({ event_id }) => event_id),
      events.map(({ payment_id }) => payment_id),
    ]);
    const fresh = new Set(rows.map(({ event_id }) => event_id));
    const news = events.filter(({ event_id }) => fresh.delete(event_id));
    const refunds = news.filter(({ type }) => type === "refund.done");
    await settleRefunds(
      client,
      refunds.flatMap(({ idempotency_key }) => idempotency_key ?? []),
    );
    for (const event of news)
      if (event.type === "payment.captured")
        await settlePaid(client, event.order_id, event.payment_id);
    await client.query("COMMIT");
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}
