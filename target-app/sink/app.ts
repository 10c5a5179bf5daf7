/** Where SMS, e-mail and push end up: takes messages, once each, and answers how many were new. */
import { reportFailedRequests } from "../failed-requests.ts";
import { timingSafeEqual } from "node:crypto";
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Pool } from "pg";
import type { Log } from "../log.ts";
import { monotonicMs } from "../clock.ts";

const BATCH_MAX = 2_000;
/** A provider of text messages sells a number of requests a second; a request may carry a whole batch. */
const REQUESTS_PER_SECOND = 50;

const message = z.object({
  id: z.string().min(1).max(200),
  user_id: z.string().min(1).max(200),
  ref_kind: z.enum(["order", "coupon", "refund", "compensation"]),
  ref: z.string().min(1).max(200),
  event_at_us: z.number().int().optional(),
  template: z.string().min(1).max(100),
  reason: z.string().min(1).max(500),
  channel: z.enum(["sms", "email", "push"]),
});

const errorBody = z.object({ error: z.string(), message: z.string() });
const content = <S extends z.ZodType>(schema: S) => ({ "application/json": { schema } });

const messagesRoute = createRoute({
  method: "post",
  path: "/messages",
  request: {
    body: {
      required: true,
      content: content(z.object({ messages: z.array(message).min(1).max(BATCH_MAX) })),
    },
  },
  responses: {
    200: {
      description: "taken; a message known by its id counts as a repeat",
      content: content(z.object({ accepted: z.number(), repeated: z.number() })),
    },
    429: { description: "more requests than the contract allows", content: content(errorBody) },
  },
});

const INSERT = {
  name: "messages",
  text: `
    INSERT INTO messages (id, user_id, ref_kind, ref, event_at_us, template, reason, channel)
    SELECT id, user_id, ref_kind, ref, event_at_us, template, reason, channel
    FROM jsonb_to_recordset($1::jsonb)
      AS m (id text, user_id text, ref_kind text, ref text, event_at_us bigint, template text, reason text, channel text)
    ON CONFLICT (id) DO NOTHING`,
};

/** The sink as a Hono application. */
export function createSink(pool: Pool, merchantToken: string, log: Log): OpenAPIHono {
  const app = new OpenAPIHono({
    defaultHook: (result, c) =>
      result.success
        ? undefined
        : c.json({ error: "malformed", message: z.prettifyError(result.error) }, 400),
  });
  reportFailedRequests(app, log, "sink");
  app.get("/health", (c) => c.json({ ok: true }));
  app.doc31("/openapi.json", { openapi: "3.1.0", info: { title: "sink", version: "1" } });
  const expected = Buffer.from(`Bearer ${merchantToken}`);
  app.use("/messages", async (c, next) => {
    const given = Buffer.from(c.req.header("authorization") ?? "");
    if (given.length === expected.length && timingSafeEqual(given, expected)) return next();
    return c.json({ error: "unauthorized", message: "expected this run's bearer token" }, 401);
  });
  const allowed = tokenBucket(REQUESTS_PER_SECOND);
  app.openapi(messagesRoute, async (c) => {
    if (!allowed(monotonicMs())) {
      c.header("retry-after", "1");
      return c.json(
        {
          error: "too_many_requests",
          message: `the contract allows ${REQUESTS_PER_SECOND} requests a second`,
        },
        429,
      );
    }
    const { messages } = c.req.valid("json");
    const { rowCount } = await pool.query({ ...INSERT, values: [JSON.stringify(messages)] });
    const accepted = rowCount ?? 0;
    return c.json({ accepted, repeated: messages.length - accepted }, 200);
  });
  return app;
}

/** A bucket of one second's worth, filled evenly. The caller gives the time, in milliseconds. */
export function tokenBucket(perSecond: number): (nowMs: number) => boolean {
  let tokens = perSecond;
  let lastMs: number | undefined;
  return (nowMs) => {
    tokens = Math.min(perSecond, tokens + ((nowMs - (lastMs ?? nowMs)) * perSecond) / 1_000);
    lastMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
