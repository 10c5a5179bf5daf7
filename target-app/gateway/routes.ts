/** The gateway's routes and schemas, declared once; OpenAPI is made from them. */
import { createRoute, z } from "@hono/zod-openapi";
import { modeSchema } from "./modes.ts";

const word = z.string().min(1).max(200);
const money = z.number().int().min(0).max(1_000_000_000_000);
const errorBody = z.object({ error: z.string(), message: z.string() });

const charge = z.object({
  merchant_ref: word,
  order_id: word,
  amount: money,
  idempotency_key: word,
  notify_url: z.url().max(500).optional(),
});
const charged = z.object({
  payment_id: z.string(),
  authorize_id: z.string(),
  result: z.enum(["ok", "declined"]),
  rail: z.enum(["a", "b"]),
});

const refund = z
  .object({
    payment_id: word.optional(),
    order_id: word.optional(),
    amount: money.positive(),
    idempotency_key: word,
    account: z.boolean(),
  })
  .refine(
    (item) => item.payment_id !== undefined || item.order_id !== undefined,
    "payment_id or order_id is needed",
  );
const refundResult = z.enum([
  "ok",
  "key_reused",
  "unknown_payment",
  "no_refund_account",
  "rail_unavailable",
  "exceeds_captured",
]);
const refundBatch = z.object({
  refunds: z
    .array(refund)
    .min(1)
    .max(1_000)
    .refine(
      (items) => new Set(items.map((item) => item.idempotency_key)).size === items.length,
      "idempotency keys must differ",
    ),
});

const payment = z.object({
  payment_id: z.string(),
  authorize_id: z.string(),
  order_id: z.string(),
  merchant_ref: z.string(),
  amount: z.number(),
  result: z.enum(["ok", "declined"]),
  refunded: z.number(),
  voided: z.boolean(),
});

const json = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
const body = <S extends z.ZodType>(schema: S) => ({
  required: true,
  content: { "application/json": { schema } },
});

export const chargeRoute = createRoute({
  method: "post",
  path: "/payments",
  request: { body: body(charge) },
  responses: { 200: json(charged, "charged or declined"), 422: json(errorBody, "key_reused") },
});

export const findRoute = createRoute({
  method: "get",
  path: "/payments",
  request: { query: z.object({ merchant_ref: word }) },
  responses: {
    200: json(z.object({ payments: z.array(payment) }), "every charge of this merchant reference"),
  },
});

export const voidRoute = createRoute({
  method: "post",
  path: "/payments/{id}/void",
  request: { params: z.object({ id: word }) },
  responses: {
    200: json(z.object({ void_id: z.string() }), "given back"),
    404: json(errorBody, "unknown_payment"),
    409: json(errorBody, "already_refunded, already_captured"),
  },
});

export const refundRoute = createRoute({
  method: "post",
  path: "/refunds",
  request: { body: body(refund) },
  responses: {
    200: json(z.object({ refund_id: z.string(), result: z.literal("ok") }), "refunded"),
    404: json(errorBody, "unknown_payment"),
    422: json(errorBody, "no_refund_account, exceeds_captured, key_reused"),
    503: json(errorBody, "rail_unavailable"),
  },
});

export const refundBatchRoute = createRoute({
  method: "post",
  path: "/refunds/batch",
  request: { body: body(refundBatch) },
  responses: {
    200: json(
      z.object({
        results: z.array(
          z.object({
            idempotency_key: z.string(),
            result: refundResult,
            refund_id: z.string().nullable(),
          }),
        ),
      }),
      "one result an item, in the order asked",
    ),
  },
});

export const modeRoute = createRoute({
  method: "post",
  path: "/admin/mode",
  request: { body: body(modeSchema) },
  responses: {
    200: json(z.object({ mode: z.record(z.string(), z.unknown()) }), "the mode now in force"),
  },
});
