/** The gateway's ledger as functions: refunds, voids, look-ups, and the webhook for a charge whose answer was lost. */
import type { Pool } from "pg";

export interface RefundItem {
  readonly payment_id?: string | undefined;
  readonly order_id?: string | undefined;
  /** KRW. */
  readonly amount: number;
  readonly idempotency_key: string;
  /** Whether the payer has a refund account on file; without one a refund has nowhere to go. */
  readonly account: boolean;
}

export type RefundResult =
  | "ok"
  | "key_reused"
  | "unknown_payment"
  | "no_refund_account"
  | "rail_unavailable"
  | "exceeds_captured";

export interface RefundAnswer {
  readonly idempotency_key: string;
  readonly result: RefundResult;
  readonly refund_id: string | null;
}

export interface PaymentView {
  readonly payment_id: string;
  readonly authorize_id: string;
  readonly order_id: string;
  readonly merchant_ref: string;
  readonly amount: number;
  readonly result: "ok" | "declined";
  readonly refunded: number;
  readonly voided: boolean;
}

/** Refunds all items in one transaction; answers in their order. `failingRail` is the bank whose refunds are down. */
export async function refundAll(
  pool: Pool,
  items: readonly RefundItem[],
  failingRail: string | null,
): Promise<RefundAnswer[]> {
  const { rows } = await pool.query<RefundAnswer>({
    name: "refund",
    text: "SELECT idempotency_key, result, refund_id FROM refund($1::jsonb, $2)",
    values: [JSON.stringify(items), failingRail],
  });
  return rows;
}

/** Gives a whole capture back before any refund of it. */
export async function voidPayment(
  pool: Pool,
  paymentId: string,
): Promise<{ readonly result: string; readonly void_id: string | null }> {
  const { rows } = await pool.query<{ result: string; void_id: string | null }>(
    "SELECT result, void_id FROM void_payment($1)",
    [paymentId],
  );
  return rows[0] ?? { result: "unknown_payment", void_id: null };
}

/** Every charge a merchant reference ever led to; none means that the gateway never saw it. */
export async function paymentsOf(pool: Pool, merchantRef: string): Promise<PaymentView[]> {
  const { rows } = await pool.query<PaymentView>({
    name: "payments-of",
    text: `
      SELECT COALESCE(c.id, a.id) AS payment_id, a.id AS authorize_id, a.order_id, a.merchant_ref, a.amount::float8 AS amount, a.result,
        COALESCE((SELECT sum(r.amount) FROM payments r WHERE r.parent_id = c.id AND r.kind = 'refund'), 0)::float8 AS refunded,
        EXISTS (SELECT 1 FROM payments v WHERE v.parent_id = c.id AND v.kind = 'void') AS voided
      FROM payments a LEFT JOIN payments c ON c.parent_id = a.id AND c.kind = 'capture'
      WHERE a.kind = 'authorize' AND a.merchant_ref = $1
      ORDER BY a.id LIMIT 100`,
    values: [merchantRef],
  });
  return rows;
}

/** Queues the webhook that tells the merchant of a capture whose answer it never got. */
export async function tellLostCapture(pool: Pool, paymentId: string): Promise<void> {
  await pool.query(
    `INSERT INTO webhook_events (event_id, type, payment_id, notify_url)
     SELECT 'evt_' || gen_random_uuid(), 'payment.captured', id, notify_url FROM payments WHERE id = $1 AND notify_url IS NOT NULL`,
    [paymentId],
  );
}
