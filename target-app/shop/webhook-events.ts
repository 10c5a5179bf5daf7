/** What the gateway tells the shop unasked, checked before anything is believed. */
import { z } from "zod";
import { nowMs } from "../clock.ts";
import { SIGNATURE_HEADER, verifyWebhook } from "../gateway/webhook-signature.ts";
import type { Shop } from "./shop.ts";

export { SIGNATURE_HEADER };

const event = z.object({
  event_id: z.string().min(1).max(100),
  type: z.enum(["refund.done", "payment.captured"]),
  payment_id: z.string().max(100),
  /** The shop's order id. */
  order_id: z.string().regex(/^[0-9]{1,18}$/),
  amount: z.number().int().min(0),
  idempotency_key: z.string().max(200).nullable(),
});
const delivery = z.object({ events: z.array(event).max(1_000) });

export type GatewayEvent = z.infer<typeof event>;

/** The events of a delivery, or null when signature, time or form are wrong: then nothing of it may have an effect. */
export function readDelivery(
  secret: string,
  signature: string | undefined,
  rawBody: string,
): readonly GatewayEvent[] | null {
  if (!verifyWebhook(secret, signature, rawBody, Math.floor(nowMs() / 1_000))) return null;
  const parsed = delivery.safeParse(JSON.parse(rawBody));
  return parsed.success ? parsed.data.events : null;
}

/** A forged or altered delivery leaves a receipt and nothing else; its content is not worth keeping. */
export async function recordForgery(shop: Shop): Promise<void> {
  await shop.pool.query("INSERT INTO webhooks (signature_ok, applied) VALUES (false, false)");
}
