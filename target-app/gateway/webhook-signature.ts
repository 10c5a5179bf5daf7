/**
 * How the gateway's webhooks are signed: header `x-gateway-signature: t=<unix s>,v1=<hex>`, where v1 is the HMAC-SHA256
 * of `<t>.<raw body>` under the shared secret. The time is part of what is signed, so an old delivery cannot be replayed.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** The header's name, lower case. */
export const SIGNATURE_HEADER = "x-gateway-signature";

/** The header's value for a body signed at `timestampS` (seconds since the epoch). */
export function signWebhook(secret: string, timestampS: number, body: string): string {
  return `t=${timestampS},v1=${digest(secret, timestampS, body).toString("hex")}`;
}

/** Whether the header fits the raw body and its time is within `toleranceS` seconds of `nowS`. Compares in constant time. */
export function verifyWebhook(
  secret: string,
  header: string | undefined,
  body: string,
  nowS: number,
  toleranceS = 300,
): boolean {
  const parts = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/.exec(header ?? "");
  if (parts === null) return false;
  const timestampS = Number(parts[1]);
  if (Math.abs(nowS - timestampS) > toleranceS) return false;
  return timingSafeEqual(Buffer.from(parts[2] ?? "", "hex"), digest(secret, timestampS, body));
}

function digest(secret: string, timestampS: number, body: string): Buffer {
  return createHmac("sha256", secret).update(`${timestampS}.${body}`).digest();
}
