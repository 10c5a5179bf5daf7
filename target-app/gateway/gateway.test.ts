/** The gateway as a real process on a real PostgreSQL: what it promises to a merchant. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Database } from "../process.ts";
import { startTestDatabase, withClient, type TestDatabase } from "../test-database.ts";
import { migrate, startProcess, type TestProcess } from "./test-process.ts";
import { signWebhook, verifyWebhook } from "./webhook-signature.ts";

const ADMIN = "admin-token";
const MERCHANT = "merchant-token";
const SECRET = "webhook-secret";
const started = new AsyncDisposableStack();
let cluster: TestDatabase;
let db: Database;
let gateway: TestProcess;

beforeAll(async () => {
  cluster = started.use(await startTestDatabase());
  db = await cluster.create("gateway");
  await migrate(db, "gateway/migrations");
  gateway = await startProcess("gateway/main.ts", {
    runId: "t",
    port: 0,
    db,
    adminToken: ADMIN,
    merchantToken: MERCHANT,
    webhookSecret: SECRET,
    latencyMs: 5,
  });
  started.use(gateway);
});
afterAll(() => started.disposeAsync());

const answerSchema = z.object({
  payment_id: z.string().optional(),
  authorize_id: z.string().optional(),
  result: z.string().optional(),
  error: z.string().optional(),
  refund_id: z.string().optional(),
  void_id: z.string().optional(),
  results: z
    .array(
      z.object({
        idempotency_key: z.string(),
        result: z.string(),
        refund_id: z.string().nullable(),
      }),
    )
    .optional(),
  payments: z
    .array(
      z.object({
        payment_id: z.string(),
        amount: z.number(),
        refunded: z.number(),
        voided: z.boolean(),
      }),
    )
    .optional(),
});

async function call(
  method: string,
  path: string,
  body?: unknown,
  token = MERCHANT,
): Promise<{ status: number; body: z.infer<typeof answerSchema> }> {
  const response = await fetch(gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: answerSchema.parse(await response.json()) };
}

const charge = (key: string, more: Record<string, unknown> = {}) =>
  call("POST", "/payments", {
    merchant_ref: key,
    order_id: `o-${key}`,
    amount: 10_000,
    idempotency_key: key,
    ...more,
  });
const refund = (key: string, order: string, amount: number, account = true) =>
  call("POST", "/refunds", { order_id: `o-${order}`, amount, idempotency_key: key, account });
const mode = (change: Record<string, unknown>) => call("POST", "/admin/mode", change, ADMIN);
const count = (sql: string, values: unknown[] = []) =>
  withClient(db, async (client) =>
    Number(
      (await client.query<{ n: string }>(`SELECT count(*) AS n FROM ${sql}`, values)).rows[0]?.n,
    ),
  );

describe("charging", () => {
  test("a key is charged once, however concurrently it comes, and always gets the same answer", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => charge("k1")));
    expect(new Set(answers.map((answer) => answer.body.payment_id)).size).toBe(1);
    expect(answers.every((answer) => answer.status === 200 && answer.body.result === "ok")).toBe(
      true,
    );
    expect((await charge("k1")).body.payment_id).toBe(answers[0]?.body.payment_id);
    expect(await count("payments WHERE order_id = 'o-k1'")).toBe(2); // one authorization, one capture
  });

  test("the same key with another amount is refused and charges nothing", async () => {
    await charge("k2");
    expect(await charge("k2", { amount: 1 })).toMatchObject({
      status: 422,
      body: { error: "key_reused" },
    });
    expect(await count("payments WHERE order_id = 'o-k2' AND kind = 'capture'")).toBe(1);
  });

  test("a card over its limit is declined, without a capture, and stays declined", async () => {
    const first = await charge("k3", { amount: 5_000_001 });
    expect(first.body.result).toBe("declined");
    expect((await charge("k3", { amount: 5_000_001 })).body).toEqual(first.body);
    expect(await count("payments WHERE order_id = 'o-k3' AND kind = 'capture'")).toBe(0);
  });

  test("nobody without the merchant's token is served", async () => {
    expect((await call("POST", "/payments", {}, "wrong-tokennn")).status).toBe(401);
    expect((await call("POST", "/admin/mode", {}, MERCHANT)).status).toBe(401);
    expect((await charge("k4", { amount: -1 })).status).toBe(400);
  });
});

describe("giving back", () => {
  test("refunds never exceed the capture, also when many try at once", async () => {
    await charge("r1");
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => refund(`r1-${index}`, "r1", 3_000)),
    );
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(3);
    expect(answers.filter((answer) => answer.body.error === "exceeds_captured")).toHaveLength(5);
    expect((await call("GET", "/payments?merchant_ref=r1")).body.payments).toMatchObject([
      { amount: 10_000, refunded: 9_000, voided: false },
    ]);
  });

  test("a batch is bounded as a whole, repeats are told apart by their keys, each item has its own answer", async () => {
    await charge("r2");
    await charge("r3");
    const batch = {
      refunds: [
        { order_id: "o-r2", amount: 6_000, idempotency_key: "b1", account: true },
        { order_id: "o-r2", amount: 6_000, idempotency_key: "b2", account: true },
        { order_id: "o-r3", amount: 10_000, idempotency_key: "b3", account: false },
        { order_id: "o-none", amount: 1, idempotency_key: "b4", account: true },
      ],
    };
    const first = (await call("POST", "/refunds/batch", batch)).body.results;
    expect(first?.map((item) => item.result)).toEqual([
      "ok",
      "exceeds_captured",
      "no_refund_account",
      "unknown_payment",
    ]);
    expect((await call("POST", "/refunds/batch", batch)).body.results).toEqual(first);
    expect(await count("payments WHERE order_id = 'o-r2' AND kind = 'refund'")).toBe(1);
  });

  test("a void gives the whole capture back once, and never beside a refund", async () => {
    const { body } = await charge("v1");
    const first = await call("POST", `/payments/${body.payment_id}/void`);
    expect(first.status).toBe(200);
    expect((await call("POST", `/payments/${body.payment_id}/void`)).body).toEqual(first.body);
    expect((await refund("v1-r", "v1", 1)).body.error).toBe("exceeds_captured");
    const other = await charge("v2");
    await refund("v2-r", "v2", 1);
    expect((await call("POST", `/payments/${other.body.payment_id}/void`)).body.error).toBe(
      "already_refunded",
    );
  });

  test("while one bank's refund side is down its refunds are refused, the other's are made, and after healing all are", async () => {
    const orders = Array.from({ length: 24 }, (_, index) => `f${index}`);
    await Promise.all(orders.map((order) => charge(order)));
    const refunds = orders.map((order) => ({
      order_id: `o-${order}`,
      amount: 10_000,
      idempotency_key: `rf-${order}`,
      account: true,
    }));
    await mode({ refunds: "failing" });
    const broken = (await call("POST", "/refunds/batch", { refunds })).body.results ?? [];
    await mode({ refunds: "ok" });
    const words = new Set(broken.map((item) => item.result));
    expect([...words].toSorted()).toEqual(["ok", "rail_unavailable"]); // 24 payments on one of two rails: 1 in 8 million
    const healed = (await call("POST", "/refunds/batch", { refunds })).body.results ?? [];
    expect(healed.every((item) => item.result === "ok")).toBe(true);
    expect(await count("payments WHERE idempotency_key LIKE 'rf-%'")).toBe(24);
  });
});

describe("webhooks", () => {
  test("a charge whose answer is lost is charged once and told by a signed webhook, repeated as asked", async () => {
    const seen: { header: string; body: string }[] = [];
    const merchant = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        seen.push({ header: String(request.headers["x-gateway-signature"]), body });
        response.writeHead(seen.length === 1 ? 500 : 200).end(); // the first delivery is refused: it must come again
      });
    }).listen(0, "127.0.0.1");
    await once(merchant, "listening");
    const notify_url = `http://127.0.0.1:${(merchant.address() as AddressInfo).port}/webhooks/payments`;
    await mode({ captures: "charge-and-lose", repeatWebhooks: 1 });
    await expect(charge("w1", { notify_url })).rejects.toThrow("fetch failed");
    await mode({ captures: "ok" });
    await expect.poll(() => seen.length, { timeout: 5_000 }).toBe(3);
    await mode({ repeatWebhooks: 0 });
    merchant.close();
    merchant.closeAllConnections();
    const nowS = Math.floor(new Date().getTime() / 1_000);
    for (const { header, body } of seen) {
      expect(verifyWebhook(SECRET, header, body, nowS)).toBe(true);
      expect(verifyWebhook(SECRET, header, body.replace("10000", "90000"), nowS)).toBe(false);
      expect(verifyWebhook("another secret", header, body, nowS)).toBe(false);
      expect(JSON.parse(body)).toMatchObject({
        events: [{ type: "payment.captured", order_id: "o-w1", amount: 10_000 }],
      });
    }
    expect((await charge("w1", { notify_url })).status).toBe(200);
    expect(await count("payments WHERE order_id = 'o-w1' AND kind = 'capture'")).toBe(1);
  });

  test("an old signature is not accepted again", () => {
    const header = signWebhook(SECRET, 1_000, "{}");
    expect(verifyWebhook(SECRET, header, "{}", 1_299)).toBe(true);
    expect(verifyWebhook(SECRET, header, "{}", 1_301)).toBe(false);
    expect(verifyWebhook(SECRET, undefined, "{}", 1_000)).toBe(false);
  });
});
