/** What a service says of a request it could not finish: one log line and an answer that carry the same request id. */
import type { Env, Hono } from "hono";
import { requestId } from "hono/request-id";
import type { Log } from "./log.ts";

/** Gives every request an id (the caller's X-Request-Id, else a new one) and logs those that throw. Call it before any route. */
export function reportFailedRequests<E extends Env>(app: Hono<E>, log: Log, service: string): void {
  app.use(requestId({ limitLength: 64 }));
  app.onError((error, c) => {
    log.warn(
      {
        request: c.var.requestId,
        method: c.req.method,
        path: c.req.path,
        intent: c.req.header("idempotency-key"),
        error: String(error),
      },
      "request failed",
    );
    return c.json({ error: "internal", message: `the ${service} could not finish this` }, 500);
  });
}
