/** Shedding: one request too many is refused before any work is done for it. With the limit Infinity, never. */
import type { MiddlewareHandler } from "hono";

/** When a shed customer may come again, seconds. */
const RETRY_AFTER_S = "1";
const OVERLOADED = JSON.stringify({
  error: "overloaded",
  message: "too many at once; nothing was done, come again",
});

/** Counts the requests inside and refuses those above `max`. */
export function admission(max: number): MiddlewareHandler {
  let inWork = 0;
  return async (c, next) => {
    if (inWork >= max)
      return c.body(OVERLOADED, 503, {
        "content-type": "application/json",
        "retry-after": RETRY_AFTER_S,
      });
    inWork++;
    try {
      await next();
    } finally {
      inWork--;
    }
    return undefined;
  };
}
