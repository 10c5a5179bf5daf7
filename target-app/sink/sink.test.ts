/** The sink as a real process on a real PostgreSQL. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate, startProcess, type TestProcess } from "../gateway/test-process.ts";
import type { Database } from "../process.ts";
import { startTestDatabase, withClient, type TestDatabase } from "../test-database.ts";
import { tokenBucket } from "./app.ts";

const started = new AsyncDisposableStack();
let cluster: TestDatabase;
let db: Database;
let sink: TestProcess;

beforeAll(async () => {
  cluster = started.use(await startTestDatabase());
  db = await cluster.create("sink");
  await migrate(db, "sink/migrations");
  sink = await startProcess("sink/main.ts", {
    runId: "t",
    port: 0,
    db,
    merchantToken: "merchant-token",
  });
  started.use(sink);
});
afterAll(() => started.disposeAsync());

const message = (id: string) => ({
  id,
  user_id: "u000001",
  ref_kind: "order",
  ref: "o1",
  event_at_us: 1_700_000_000_000_000,
  template: "order-cancelled",
  reason: "withdrawn",
  channel: "sms",
});
const send = (ids: readonly string[], token = "merchant-token") =>
  fetch(`${sink.url}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ messages: ids.map(message) }),
  });

test("a message sent twice arrives once, within a batch and across them", async () => {
  expect(await (await send(["m1", "m2", "m2"])).json()).toEqual({ accepted: 2, repeated: 1 });
  expect(await (await send(["m2", "m3"])).json()).toEqual({ accepted: 1, repeated: 1 });
  const rows = await withClient(
    db,
    async (client) =>
      (await client.query<{ id: string }>("SELECT id FROM messages ORDER BY id")).rows,
  );
  expect(rows.map((row) => row.id)).toEqual(["m1", "m2", "m3"]);
});

test("strangers and malformed messages change nothing", async () => {
  expect((await send(["m4"], "wrong-tokennnn")).status).toBe(401);
  expect((await send([])).status).toBe(400);
  const rows = await withClient(
    db,
    async (client) => (await client.query("SELECT 1 FROM messages WHERE id = 'm4'")).rows,
  );
  expect(rows).toEqual([]);
});

test("the provider's rate holds: a burst of one second's worth, then the even rate", () => {
  const allowed = tokenBucket(50);
  expect(Array.from({ length: 60 }, () => allowed(0)).filter(Boolean)).toHaveLength(50);
  expect(Array.from({ length: 60 }, () => allowed(500)).filter(Boolean)).toHaveLength(25);
  expect(allowed(501)).toBe(false);
});
