/** The worker's line to the payment gateway: refunds one by one (naive) or by the thousand (guarded), and questions. */
import { Pool as HttpPool } from "undici";
import { z } from "zod";

const CONNECTIONS_MAX = 16;
const TIMEOUT_MS = 5_000;

const refundResult = z.enum([
  "ok",
  "key_reused",
  "unknown_payment",
  "no_refund_account",
  "rail_unavailable",
  "exceeds_captured",
]);
const batchAnswer = z.object({
  results: z.array(z.object({ idempotency_key: z.string(), result: refundResult })),
});
const paymentsAnswer = z.object({
  payments: z.array(
    z.object({ payment_id: z.string(), result: z.enum(["ok", "declined"]), voided: z.boolean() }),
  ),
});
const errorAnswer = z.object({ error: z.string() });

export interface RefundAsk {
  readonly order_id: string;
  /** KRW. */
  readonly amount: number;
  readonly idempotency_key: string;
  /** Whether the payer has a refund account on file. */
  readonly account: boolean;
}

export type RefundResult = z.infer<typeof refundResult>;

export interface GatewayClient {
  /** Throws when the gateway says no, whatever the reason. */
  refund(ask: RefundAsk): Promise<void>;
  /** One answer an item, by its key. Throws when the gateway cannot be reached. */
  refundBatch(asks: readonly RefundAsk[]): Promise<ReadonlyMap<string, RefundResult>>;
  /** What became of a payment whose answer was lost; empty: the gateway never saw it. */
  paymentsOf(merchantRef: string): Promise<z.infer<typeof paymentsAnswer>["payments"]>;
  close(): Promise<void>;
}

export function openGateway(url: string, token: string): GatewayClient {
  const http = new HttpPool(url, {
    connections: CONNECTIONS_MAX,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const call = async (method: "GET" | "POST", path: string, body: unknown) => {
    const answer = await http.request({
      path,
      method,
      headers,
      body: body === null ? null : JSON.stringify(body),
    });
    return { status: answer.statusCode, body: await answer.body.json() };
  };
  return {
    refund: async (ask) => {
      const { status, body } = await call("POST", "/refunds", ask);
      if (status === 200) return;
      const why = errorAnswer.safeParse(body);
      throw new Error(
        `expected the refund of order ${ask.order_id}, but the gateway answered ${status} ${why.success ? why.data.error : ""}`,
      );
    },
    refundBatch: async (asks) => {
      const { status, body } = await call("POST", "/refunds/batch", { refunds: asks });
      if (status !== 200)
        throw new Error(
          `expected answers to ${asks.length} refunds, but the gateway answered ${status}`,
        );
      return new Map(
        batchAnswer
          .parse(body)
          .results.map(({ idempotency_key, result }) => [idempotency_key, result]),
      );
    },
    paymentsOf: async (merchantRef) => {
      const { status, body } = await call(
        "GET",
        `/payments?merchant_ref=${encodeURIComponent(merchantRef)}`,
        null,
      );
      if (status !== 200)
        throw new Error(
          `expected the payments of ${merchantRef}, but the gateway answered ${status}`,
        );
      return paymentsAnswer.parse(body).payments;
    },
    close: () => http.destroy(),
  };
}
