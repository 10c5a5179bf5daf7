/** The shop's line to the payment gateway: kept-alive connections, one call a request, three possible ends. */
import { Pool as HttpPool } from "undici";
import { z } from "zod";

const CONNECTIONS_MAX = 64;

const charged = z.object({ payment_id: z.string(), result: z.enum(["ok", "declined"]) });

/** `unknown`: nobody can say whether money moved. */
export type ChargeAnswer =
  | { readonly kind: "ok"; readonly paymentId: string }
  | { readonly kind: "declined"; readonly paymentId: string }
  | { readonly kind: "unknown"; readonly because: string };

export interface Charge {
  readonly orderId: string;
  /** KRW. */
  readonly amount: number;
  /** The gateway charges a key once, however often it is sent. */
  readonly key: string;
  /** By which the gateway can be asked later: the customer's intent. */
  readonly merchantRef: string;
}

export interface PaymentClient {
  charge(charge: Charge): Promise<ChargeAnswer>;
  /** Gives `amount` of the order's payment back; false when the gateway did not. */
  refund(orderId: string, amount: number, key: string, account: boolean): Promise<boolean>;
  close(): Promise<void>;
}

/** `timeoutMs` bounds the wait for an answer; `notifyUrl` is asked late, when the shop knows its own port. */
export function openPayments(
  gatewayUrl: string,
  token: string,
  timeoutMs: number,
  notifyUrl: () => string,
): PaymentClient {
  const http = new HttpPool(gatewayUrl, {
    connections: CONNECTIONS_MAX,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const post = async (path: string, body: unknown) => {
    const answer = await http.request({
      path,
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    return { status: answer.statusCode, body: await answer.body.json() };
  };
  return {
    charge: async ({ orderId, amount, key, merchantRef }) => {
      try {
        const { status, body } = await post("/payments", {
          merchant_ref: merchantRef,
          order_id: orderId,
          amount,
          idempotency_key: key,
          notify_url: notifyUrl(),
        });
        const answer = charged.safeParse(body);
        if (status !== 200 || !answer.success)
          return { kind: "unknown", because: `gateway answered ${status}` };
        return { kind: answer.data.result, paymentId: answer.data.payment_id };
      } catch (error) {
        return { kind: "unknown", because: String(error) };
      }
    },
    refund: async (orderId, amount, key, account) => {
      const ask = { order_id: orderId, amount, idempotency_key: key, account };
      const { status } = await post("/refunds", ask);
      return status === 200;
    },
    close: () => http.destroy(),
  };
}
