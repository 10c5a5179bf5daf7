/** Logs are JSON lines with request ids, and what could name or rob a person is gone before a line is written. */
import { Hono } from "hono";
import { expect, test } from "vitest";
import { reportFailedRequests } from "./failed-requests.ts";
import { createLog, type Log } from "./log.ts";

function listening(): { readonly log: Log; readonly lines: () => Record<string, unknown>[] } {
  const written: string[] = [];
  const log = createLog("shop", "run-1", { write: (text: string) => void written.push(text) });
  return { log, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("personal data and secrets are removed, at the top and one level down", () => {
  const { log, lines } = listening();
  const person = { name: "김서준", email: "kim@example.invalid", phone: "010-0000-0000" };
  log.info({ ...person, member: person, token: "t0ken", order: "o-1" }, "told");
  const [line] = lines();
  expect(line).toMatchObject({ service: "shop", run: "run-1", order: "o-1", msg: "told" });
  expect(line).toMatchObject({ name: "[private]", token: "[private]" });
  expect(JSON.stringify(line)).not.toMatch(/김서준|kim@|010-|t0ken/);
});

test("a request that fails is one line with the id that its answer carries", async () => {
  const { log, lines } = listening();
  const app = new Hono();
  reportFailedRequests(app, log, "shop");
  app.post("/orders", () => {
    throw new Error("the pool is gone");
  });
  const answer = await app.request("/orders?user_id=u1", {
    method: "POST",
    headers: { "idempotency-key": "order-7" },
  });
  expect(answer.status).toBe(500);
  const id = answer.headers.get("x-request-id");
  expect(id).toMatch(/^[\w-]{36}$/);
  expect(lines()).toMatchObject([
    { request: id, method: "POST", path: "/orders", intent: "order-7" },
  ]);
});

test("a caller's own request id is kept, and one that could forge a line is not", async () => {
  const { log, lines } = listening();
  const app = new Hono();
  reportFailedRequests(app, log, "shop");
  app.get("/", () => {
    throw new Error("no");
  });
  for (const id of ["trace-42", 'x","level":99', "x".repeat(65)]) {
    await app.request("/", { headers: { "x-request-id": id } });
  }
  const ids = lines().map((line) => line["request"]);
  expect(ids[0]).toBe("trace-42");
  for (const id of ids.slice(1)) expect(id).toMatch(/^[\w-]{36}$/);
});
