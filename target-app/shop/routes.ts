/** The shop's routes and schemas, declared once: requests are checked by them, and /openapi.json is made from them. */
import { createRoute, z } from "@hono/zod-openapi";
import { audienceSchema } from "./audience.ts";

const id = z.string().min(1).max(64);
const key = z.string().min(1).max(200);
const money = z.number().int();

export const errorBody = z.object({ error: z.string(), message: z.string() });
export const orderStatus = z.enum([
  "pending",
  "paid",
  "held",
  "cancelling",
  "cancelled",
  "shipped",
  "failed",
]);

const keyHeader = z.object({ "idempotency-key": key.optional() });
const ofUser = z.object({ user_id: id });
const byId = z.object({ id: z.string().regex(/^[0-9]{1,18}$/) });

export const orderAsk = z.object({
  user_id: id,
  items: z
    .array(z.object({ sku: id, qty: z.number().int().min(1).max(20) }))
    .min(1)
    .max(10),
  /** "Apply my usable coupon of this campaign." */
  coupon_campaign: id.nullable(),
});
const orderDone = z.object({
  order_id: z.string(),
  total: money,
  discount: money,
  coupon_id: z.string().nullable(),
  status: orderStatus,
});
const orderSeen = z.object({
  order_id: z.string(),
  user_id: z.string(),
  status: orderStatus,
  total: money,
  captured: money,
  refunded: money,
  refund_state: z.string().nullable(),
  coupon_id: z.string().nullable(),
});
export const claimAsk = z.object({ campaign_id: id, user_id: id });
const claimDone = z.object({ coupon_id: z.string(), code: z.string() });
const couponSeen = z.object({
  id: z.string(),
  code: z.string(),
  campaign_id: z.string(),
  amount: money,
  status: z.string(),
});
const jobAccepted = z.object({ job_id: z.string() });

export const issueAsk = z.object({
  campaign_id: id,
  audience: audienceSchema,
  declared_audience: z.number().int().min(0).nullable().default(null),
});
export const recallAsk = z.object({ campaign_id: id });
export const withdrawAsk = z.object({
  policy: z.string().regex(/^[a-z][a-z0-9-]{0,40}@[1-9][0-9]{0,5}$/),
  campaign_id: id,
  scope: z.string().min(1).max(2_000),
  carve_outs: z.string().max(2_000).nullable().default(null),
  coupon_action: z.enum(["release", "void"]),
  deadline_ms: z.number().int().positive().max(10_000),
  compensation: z
    .string()
    .regex(/^(flat:[0-9]{1,9}|rate:[0-9]{1,2}(\.[0-9]{1,2})?%)$/)
    .nullable()
    .default(null),
});

const json = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
const body = <S extends z.ZodType>(schema: S) => ({
  required: true,
  content: { "application/json": { schema } },
});
const refused = (description: string) => json(errorBody, description);

export const homeRoute = createRoute({
  method: "get",
  path: "/home",
  request: { query: z.object({ user_id: id.optional() }) },
  responses: {
    200: json(
      z.object({ campaigns: z.array(z.unknown()), products: z.array(z.unknown()) }),
      "what is on",
    ),
  },
});

export const couponsRoute = createRoute({
  method: "get",
  path: "/coupons",
  request: { query: ofUser },
  responses: {
    200: json(z.object({ coupons: z.array(couponSeen) }), "the member's coupons"),
    503: refused("overloaded"),
  },
});

export const claimRoute = createRoute({
  method: "post",
  path: "/coupons/claim",
  request: { headers: keyHeader, body: body(claimAsk) },
  responses: {
    201: json(claimDone, "claimed"),
    400: refused("idempotency_key_required"),
    422: refused("sold_out, not_entitled, already_claimed"),
    503: refused("overloaded"),
  },
});

export const orderRoute = createRoute({
  method: "post",
  path: "/orders",
  request: { headers: keyHeader, body: body(orderAsk) },
  responses: {
    201: json(orderDone, "placed and paid"),
    400: refused("idempotency_key_required"),
    404: refused("unknown_member, unknown_sku"),
    409: refused("in_flight: another attempt with this key is in work"),
    422: refused("coupon_not_available, coupon_recalled, sold_out, payment_declined, key_reused"),
    503: refused("overloaded: nothing was done"),
    504: refused("payment_unknown: the gateway did not answer; the order is reconciled"),
  },
});

export const readOrderRoute = createRoute({
  method: "get",
  path: "/orders/{id}",
  request: { params: byId },
  responses: {
    200: json(orderSeen, "the order"),
    404: refused("unknown_order"),
    503: refused("overloaded"),
  },
});

export const readOrdersRoute = createRoute({
  method: "get",
  path: "/orders",
  request: { query: ofUser },
  responses: {
    200: json(z.object({ orders: z.array(orderSeen) }), "the member's orders, newest first"),
    503: refused("overloaded"),
  },
});

export const cancelRoute = createRoute({
  method: "post",
  path: "/orders/{id}/cancel",
  request: { headers: keyHeader, params: byId },
  responses: {
    200: json(z.object({ order_id: z.string(), status: orderStatus }), "cancelled by its customer"),
    404: refused("unknown_order"),
    409: refused("not_cancellable"),
    502: refused("refund_failed"),
    503: refused("overloaded"),
  },
});

const operator = { security: [{ operator: [] }], headers: keyHeader };
const operatorRoute = <P extends string, S extends z.ZodType>(path: P, ask: S) =>
  createRoute({
    method: "post",
    path,
    security: operator.security,
    request: { headers: operator.headers, body: body(ask) },
    responses: {
      202: json(jobAccepted, "accepted; follow it in /operator/vitals"),
      409: refused("policy_exists"),
      422: refused(
        "audience_exceeds_declared, audience_not_eligible, audience_exceeds_cap, unknown_campaign, bad_scope",
      ),
    },
  });

export const issueRoute = operatorRoute("/operator/issue", issueAsk);
export const recallRoute = operatorRoute("/operator/recall", recallAsk);
export const withdrawRoute = operatorRoute("/operator/withdraw", withdrawAsk);

export const vitalsRoute = createRoute({
  method: "get",
  path: "/operator/vitals",
  security: operator.security,
  responses: {
    200: json(
      z.object({
        queue_depth: z.number().int(),
        jobs: z.array(
          z.object({
            id: z.string(),
            kind: z.string(),
            done: z.number(),
            total: z.number(),
            state: z.string(),
          }),
        ),
      }),
      "how much is waiting, and how far the jobs are",
    ),
  },
});

export const drainedRoute = createRoute({
  method: "get",
  path: "/operator/drained",
  security: operator.security,
  responses: {
    200: json(
      z.object({ drained: z.boolean(), waiting: z.string() }),
      "whether everything has come to rest",
    ),
  },
});

export type OrderAsk = z.output<typeof orderAsk>;
export type ClaimAsk = z.output<typeof claimAsk>;
export type IssueAsk = z.output<typeof issueAsk>;
export type RecallAsk = z.output<typeof recallAsk>;
export type WithdrawAsk = z.output<typeof withdrawAsk>;
export type OrderDone = z.output<typeof orderDone>;
export type OrderSeen = z.output<typeof orderSeen>;
export type CouponSeen = z.output<typeof couponSeen>;
export type OrderStatus = z.output<typeof orderStatus>;
