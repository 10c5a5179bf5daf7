/** The gateway's HTTP side: who may call, how long it takes, what it answers. */
import { reportFailedRequests } from "../failed-requests.ts";
import { timingSafeEqual } from "node:crypto";
import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { Pool } from "pg";
import type { Log } from "../log.ts";
import { Charges } from "./charges.ts";
import { changeMode, FAILING_RAIL, SLOW_MS, type Mode } from "./modes.ts";
import {
  chargeRoute,
  findRoute,
  modeRoute,
  refundBatchRoute,
  refundRoute,
  voidRoute,
} from "./routes.ts";
import {
  paymentsOf,
  refundAll,
  tellLostCapture,
  voidPayment,
  type RefundItem,
  type RefundResult,
} from "./store.ts";
import type { Webhooks } from "./webhooks.ts";

export interface GatewayParts {
  readonly pool: Pool;
  readonly mode: Mode;
  readonly webhooks: Webhooks;
  readonly adminToken: string;
  readonly merchantToken: string;
  readonly log: Log;
}

/** What Node's server gives beside the request; absent when a test calls `app.request`. */
interface Env {
  Bindings: { outgoing?: ServerResponse };
}

/** How long a silent gateway holds a caller who does not leave, milliseconds. */
const SILENCE_MAX_MS = 30_000;

const REFUND_STATUS: Record<Exclude<RefundResult, "ok">, 404 | 422 | 503> = {
  unknown_payment: 404,
  no_refund_account: 422,
  exceeds_captured: 422,
  key_reused: 422,
  rail_unavailable: 503,
};

/** The gateway as a Hono application. */
export function createGateway(parts: GatewayParts): OpenAPIHono<Env> {
  const { pool, mode, webhooks, log } = parts;
  const app = new OpenAPIHono<Env>({
    defaultHook: (result, c) =>
      result.success
        ? undefined
        : c.json(
            {
              error: "malformed",
              message: result.error.issues
                .map((issue) => `${issue.path.join(".")}: ${issue.message}`)
                .join("; "),
            },
            400,
          ),
  });
  reportFailedRequests(app, log, "gateway");
  app.get("/health", (c) => c.json({ ok: true }));
  app.doc31("/openapi.json", { openapi: "3.1.0", info: { title: "gateway", version: "1" } });
  const merchant = bearer(parts.merchantToken);
  app.use("/payments/*", merchant);
  app.use("/refunds/*", merchant);
  app.use("/admin/*", bearer(parts.adminToken));

  addPayments(app, pool, mode, webhooks);
  addRefunds(app, pool, mode, webhooks);
  app.openapi(modeRoute, (c) => {
    changeMode(mode, c.req.valid("json"));
    log.info({ mode }, "mode changed");
    return c.json({ mode: { ...mode } }, 200);
  });
  return app;
}

function addPayments(app: OpenAPIHono<Env>, pool: Pool, mode: Mode, webhooks: Webhooks): void {
  const charges = new Charges(pool);
  app.openapi(chargeRoute, async (c) => {
    const captures = mode.captures;
    if (captures === "silent") {
      await delay(SILENCE_MAX_MS);
      return hangUp(c);
    }
    const latencyMs = mode.latencyMs + (captures === "slow" ? SLOW_MS : 0);
    const [answer] = await Promise.all([charges.charge(c.req.valid("json")), delay(latencyMs)]);
    if (answer.kind === "key-reused")
      return c.json(
        { error: "key_reused", message: "this idempotency key came with another order or amount" },
        422,
      );
    if (captures === "charge-and-lose") {
      await tellLostCapture(pool, answer.payment_id);
      webhooks.wake();
      return hangUp(c);
    }
    const { payment_id, authorize_id, result, rail } = answer;
    return c.json({ payment_id, authorize_id, result, rail }, 200);
  });
  app.openapi(findRoute, async (c) =>
    c.json({ payments: await paymentsOf(pool, c.req.valid("query").merchant_ref) }, 200),
  );
  app.openapi(voidRoute, async (c) => {
    const [{ result, void_id }] = await Promise.all([
      voidPayment(pool, c.req.valid("param").id),
      delay(mode.latencyMs),
    ]);
    if (void_id !== null) return c.json({ void_id }, 200);
    return c.json(
      { error: result, message: "this payment cannot be voided" },
      result === "unknown_payment" ? 404 : 409,
    );
  });
}

function addRefunds(app: OpenAPIHono<Env>, pool: Pool, mode: Mode, webhooks: Webhooks): void {
  const refund = async (items: readonly RefundItem[]) => {
    const rail = mode.refunds === "failing" ? FAILING_RAIL : null;
    const [answers] = await Promise.all([refundAll(pool, items, rail), delay(mode.latencyMs)]);
    webhooks.wake();
    return answers;
  };
  app.openapi(refundRoute, async (c) => {
    const [answer] = await refund([c.req.valid("json")]);
    if (answer === undefined)
      throw new Error("expected one answer to one refund, but there was none");
    if (answer.result === "ok")
      return c.json({ refund_id: answer.refund_id ?? "", result: "ok" as const }, 200);
    const status = REFUND_STATUS[answer.result];
    return c.json({ error: answer.result, message: "the refund was not made" }, status);
  });
  app.openapi(refundBatchRoute, async (c) =>
    c.json({ results: await refund(c.req.valid("json").refunds) }, 200),
  );
}

/** Cuts the connection without a word: the caller cannot know what happened. */
function hangUp(c: Context<Env>): never {
  c.env.outgoing?.destroy();
  throw new Error("hung up on purpose");
}

function bearer(token: string): MiddlewareHandler {
  const expected = Buffer.from(`Bearer ${token}`);
  return async (c, next) => {
    const given = Buffer.from(c.req.header("authorization") ?? "");
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      return c.json({ error: "unauthorized", message: "expected this run's bearer token" }, 401);
    await next();
    return undefined;
  };
}
