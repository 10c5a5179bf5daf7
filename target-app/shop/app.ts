/** The shop's HTTP side: counting, shedding, who may call, and the routes; what they do is in files of their own. */
import { reportFailedRequests } from "../failed-requests.ts";
import { timingSafeEqual } from "node:crypto";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { admission } from "./admission.ts";
import { issue, recall, withdraw } from "./operate.ts";
import { readCoupons, readOrder, readOrders } from "./read.ts";
import * as routes from "./routes.ts";
import type { Answer, Shop, Work } from "./shop.ts";
import { VARIANTS, type VariantParts } from "./variants.ts";
import { readDrained, readVitals } from "./vitals.ts";
import { readDelivery, recordForgery, SIGNATURE_HEADER } from "./webhook-events.ts";

/** The shop as a Hono application. */
export function createShop(shop: Shop): OpenAPIHono {
  const app = new OpenAPIHono({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const problems = result.error.issues.map(
        ({ path, message }) => `${path.join(".")}: ${message}`,
      );
      return c.json({ error: "malformed", message: problems.join("; ") }, 400);
    },
  });
  reportFailedRequests(app, shop.log, "shop");
  app.get("/health", (c) => c.json({ ok: true }));
  app.get("/.well-known/stampede", (c) => c.json({ run_id: shop.runId, environment: "rehearsal" }));
  app.openAPIRegistry.registerComponent("securitySchemes", "operator", {
    type: "http",
    scheme: "bearer",
  });
  app.doc31("/openapi.json", { openapi: "3.1.0", info: { title: "coupon shop", version: "1" } });
  const variant = VARIANTS[shop.variant];
  addOrders(app, shop, variant);
  addReads(app, shop, variant);
  addWebhooks(app, shop, variant);
  addOperator(app, shop);
  return app;
}

function addOrders(app: OpenAPIHono, shop: Shop, variant: VariantParts): void {
  // Before the body is even read: a refused customer costs next to nothing.
  const ordersGate = admission(variant.ordersInWorkMax);
  const othersGate = admission(variant.othersInWorkMax);
  app.post("/orders", counted(shop.work), ordersGate);
  app.post("/orders/:id/cancel", counted(shop.work), othersGate);
  app.post("/coupons/claim", counted(shop.work), othersGate);
  app.openapi(routes.orderRoute, async (c) => {
    return send(c, await variant.placeOrder(shop, c.req.valid("json"), keyOf(c)), 201);
  });
  app.openapi(routes.cancelRoute, async (c) => {
    return send(c, await variant.cancelOrder(shop, c.req.valid("param").id, keyOf(c)), 200);
  });
  app.openapi(routes.claimRoute, async (c) => {
    return send(c, await variant.claimCoupon(shop, c.req.valid("json"), keyOf(c)), 201);
  });
}

function addReads(app: OpenAPIHono, shop: Shop, variant: VariantParts): void {
  const gate = admission(variant.othersInWorkMax);
  for (const path of ["/orders", "/orders/:id", "/coupons"])
    app.get(path, counted(shop.work), gate);
  app.openapi(routes.homeRoute, (c) => {
    return c.body(shop.catalogue.home, 200, { "content-type": "application/json" }) as never;
  });
  app.openapi(routes.couponsRoute, async (c) => {
    return c.json({ coupons: await readCoupons(shop, c.req.valid("query").user_id) }, 200);
  });
  app.openapi(routes.readOrdersRoute, async (c) => {
    return c.json({ orders: await readOrders(shop, c.req.valid("query").user_id) }, 200);
  });
  app.openapi(routes.readOrderRoute, async (c) => {
    return send(c, await readOrder(shop, c.req.valid("param").id), 200);
  });
}

function addWebhooks(app: OpenAPIHono, shop: Shop, variant: VariantParts): void {
  app.post("/webhooks/payments", async (c) => {
    const events = readDelivery(
      shop.webhookSecret,
      c.req.header(SIGNATURE_HEADER),
      await c.req.text(),
    );
    if (events === null) {
      await recordForgery(shop);
      return c.json({ error: "bad_signature", message: "not signed by the gateway" }, 401);
    }
    await variant.receiveWebhook(shop, events);
    return c.json({ received: events.length });
  });
}

function addOperator(app: OpenAPIHono, shop: Shop): void {
  app.use("/operator/*", bearer(shop.operatorToken));
  app.openapi(routes.issueRoute, async (c) => {
    return send(c, await issue(shop, c.req.valid("json"), keyOf(c)), 202);
  });
  app.openapi(routes.recallRoute, async (c) => {
    return send(c, await recall(shop, c.req.valid("json"), keyOf(c)), 202);
  });
  app.openapi(routes.withdrawRoute, async (c) => {
    return send(c, await withdraw(shop, c.req.valid("json"), keyOf(c)), 202);
  });
  app.openapi(routes.vitalsRoute, async (c) => c.json(await readVitals(shop), 200));
  app.openapi(routes.drainedRoute, async (c) => c.json(await readDrained(shop), 200));
}

function keyOf(c: Context): string | null {
  return c.req.header("idempotency-key") ?? null;
}

/** Says an answer in HTTP. The routes' schemas list every status and word; `never` spares naming them twice. */
function send<T extends object>(c: Context, answer: Answer<T>, status: 200 | 201 | 202): never {
  if (answer.kind === "done") return c.json(answer.value, status) as never;
  if (answer.retryAfterS !== undefined) c.header("retry-after", String(answer.retryAfterS));
  return c.json({ error: answer.error, message: answer.message }, answer.status) as never;
}

/** Counts a customer's request from its arrival to its answer, whether or not the customer still waits for it. */
function counted(work: Work): MiddlewareHandler {
  return async (_c, next) => {
    work.accepted++;
    try {
      await next();
    } finally {
      work.accepted--;
    }
  };
}

function bearer(token: string): MiddlewareHandler {
  const expected = Buffer.from(`Bearer ${token}`);
  return async (c, next) => {
    const given = Buffer.from(c.req.header("authorization") ?? "");
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      return c.json({ error: "unauthorized", message: "expected this run's operator token" }, 401);
    await next();
    return undefined;
  };
}
