/** What the operator can rely on: commands that need the token, happen once, whole, and never behind the crowd. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withClient, type TestDatabase } from "../test-database.ts";
import { nowMs } from "../clock.ts";
import { OPERATOR_TOKEN, startPreparedCluster, startTestShop, type TestShop } from "./test-shop.ts";

let cluster: TestDatabase;
let naive: TestShop;
let guarded: TestShop;

beforeAll(async () => {
  cluster = await startPreparedCluster();
  [naive, guarded] = await Promise.all([
    startTestShop(cluster, "naive"),
    startTestShop(cluster, "guarded"),
  ]);
});

afterAll(async () => {
  await Promise.all([naive, guarded].map((shop) => shop[Symbol.asyncDispose]()));
  await cluster[Symbol.asyncDispose]();
});

type Row = Readonly<Record<string, unknown>>;
const rows = (shop: TestShop, sql: string, values: unknown[] = []): Promise<Row[]> =>
  withClient(shop.db, async (client) => (await client.query<Row>(sql, values)).rows);
const ALL = { campaign_id: "seoulcon", audience: "all-members", declared_audience: 20 };
const WITHDRAW = {
  policy: "withdraw@1",
  campaign_id: "member-day",
  scope: "coupon_campaign = 'member-day' and status = 'paid'",
  carve_outs: "seller = 'seller-bags'",
  coupon_action: "void",
  deadline_ms: 10_000,
  compensation: "rate:10%",
};

describe("who may command", () => {
  test.each(["/operator/issue", "/operator/recall", "/operator/withdraw"])(
    "%s without the token is refused",
    async (path) => {
      expect((await guarded.post(path, ALL)).status).toBe(401);
    },
  );

  test("the vitals are the operator's too", async () => {
    expect((await guarded.get("/operator/vitals")).status).toBe(401);
    expect(
      (await guarded.get("/operator/vitals", { authorization: `Bearer ${OPERATOR_TOKEN}` })).status,
    ).toBe(200);
  });
});

describe("issuing", () => {
  test("guarded: a job over every member, declared for twenty, is refused before the first coupon", async () => {
    expect(await guarded.operate("/operator/issue", ALL, "blast")).toMatchObject({
      status: 422,
      body: { error: "audience_exceeds_declared" },
    });
    expect(await rows(guarded, "SELECT id FROM jobs")).toEqual([]);
  });

  test.each([
    {
      name: "nothing declared",
      change: { declared_audience: null },
      error: "audience_exceeds_declared",
    },
    {
      name: "people outside the snapshot",
      change: { declared_audience: 20_000 },
      error: "audience_not_eligible",
    },
    { name: "an unknown campaign", change: { campaign_id: "nowhere" }, error: "unknown_campaign" },
  ])("guarded: refused for $name", async ({ change, error }) => {
    expect(await guarded.operate("/operator/issue", { ...ALL, ...change }, error)).toMatchObject({
      status: 422,
      body: { error },
    });
  });

  test("naive: the same blast is accepted, since nothing has been issued yet", async () => {
    const answer = await naive.operate("/operator/issue", ALL, "blast");
    expect(answer.status).toBe(202);
    expect(
      await rows(naive, "SELECT audience, declared_audience::int, actor FROM jobs WHERE id = $1", [
        answer.body["job_id"],
      ]),
    ).toEqual([{ audience: "all-members", declared_audience: 20, actor: "operator" }]);
  });

  test("a legal job is declared and queued in one transaction, and a repeated command starts nothing twice", async () => {
    const legal = { campaign_id: "member-day", audience: "eligible", declared_audience: 20_000 };
    const first = await guarded.operate("/operator/issue", legal, "member-day");
    const again = await guarded.operate("/operator/issue", legal, "member-day");
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body).toEqual(first.body);
    const queued = await rows(
      guarded,
      "SELECT job.xmin = jobs.xmin AS together FROM pgboss.job JOIN jobs ON jobs.id = data ->> 'job_id' WHERE jobs.intent = 'member-day'",
    );
    expect(queued).toEqual([{ together: true }]);
  });
});

describe("withdrawing", () => {
  const sell = async (shop: TestShop): Promise<void> => {
    for (const [n, sku] of ["shoes-01", "bags-01", "outer-01"].entries()) {
      const user = `u00050${n}`;
      if (sku !== "outer-01")
        await rows(
          shop,
          "INSERT INTO coupons (code, campaign_id, user_id, amount) VALUES ('T' || $1, 'member-day', $1, 10000)",
          [user],
        );
      const coupon_campaign = sku === "outer-01" ? null : "member-day";
      const placed = await shop.post(
        "/orders",
        { user_id: user, items: [{ sku, qty: 1 }], coupon_campaign },
        `sold-${n}`,
      );
      expect(placed.status).toBe(201);
    }
  };

  test.each(["naive", "guarded"] as const)(
    "%s: publishing writes policy and snapshot of every live order in one commit",
    async (variant) => {
      const shop = variant === "naive" ? naive : guarded;
      await sell(shop);
      const answer = await shop.operate("/operator/withdraw", WITHDRAW, "withdraw");
      expect(answer.status).toBe(202);
      const snapshot = await rows(
        shop,
        "SELECT attributes ->> 'coupon_campaign' AS campaign, attributes ->> 'seller' AS seller, attributes ->> 'status' AS status, policy_snapshots.xmin = policies.xmin AS together FROM policy_snapshots JOIN policies USING (policy, version) ORDER BY order_id",
      );
      expect(snapshot).toEqual([
        { campaign: "member-day", seller: "seller-shoes", status: "paid", together: true },
        { campaign: "member-day", seller: "seller-bags", status: "paid", together: true },
        { campaign: "none", seller: "seller-outer", status: "paid", together: true },
      ]);
      expect((await shop.operate("/operator/withdraw", WITHDRAW, "withdraw")).body).toEqual(
        answer.body,
      );
    },
  );

  test("guarded: what is in scope and not carved out stops shipping in the same commit; its jobs name the policy", async () => {
    expect(
      await rows(
        guarded,
        "SELECT seller, shipping_hold FROM orders WHERE intent LIKE 'sold-%' ORDER BY id",
      ),
    ).toEqual([
      { seller: "seller-shoes", shipping_hold: true },
      { seller: "seller-bags", shipping_hold: false },
      { seller: "seller-outer", shipping_hold: false },
    ]);
    expect(
      await rows(
        guarded,
        "SELECT DISTINCT orders.xmin = policies.xmin AS together FROM orders, policies WHERE shipping_hold",
      ),
    ).toEqual([{ together: true }]);
    expect(
      await rows(
        guarded,
        "SELECT kind, policy FROM jobs WHERE campaign_id = 'member-day' AND kind <> 'issue' ORDER BY kind",
      ),
    ).toEqual([
      { kind: "cancel", policy: "withdraw@1" },
      { kind: "compensate", policy: "withdraw@1" },
      { kind: "recall", policy: "withdraw@1" },
    ]);
  });

  test("naive: nothing stops shipping, and the batch names no policy", async () => {
    expect(await rows(naive, "SELECT count(*)::int AS n FROM orders WHERE shipping_hold")).toEqual([
      { n: 0 },
    ]);
    expect(
      await rows(
        naive,
        "SELECT kind, policy FROM jobs WHERE campaign_id = 'member-day' ORDER BY kind",
      ),
    ).toEqual([
      { kind: "cancel", policy: null },
      { kind: "recall", policy: null },
    ]);
  });

  test("a published policy is not published again, and a scope outside the grammar is refused with its place", async () => {
    expect(await guarded.operate("/operator/withdraw", WITHDRAW, "other-intent")).toMatchObject({
      status: 409,
      body: { error: "policy_exists" },
    });
    const bad = await guarded.operate(
      "/operator/withdraw",
      { ...WITHDRAW, policy: "withdraw@2", scope: "status = ;DROP" },
      "bad",
    );
    expect(bad).toMatchObject({
      status: 422,
      body: { error: "bad_scope", message: expect.stringContaining("character") },
    });
    expect(await rows(guarded, "SELECT version FROM policies")).toEqual([{ version: 1 }]);
  });

  test("guarded: a coupon of a campaign being recalled does not come back to life when its order is cancelled", async () => {
    const [order] = await rows(guarded, "SELECT id::text FROM orders WHERE intent = 'sold-0'");
    expect((await guarded.post(`/orders/${String(order?.["id"])}/cancel`, {}, "own")).status).toBe(
      200,
    );
    expect(await rows(guarded, "SELECT status FROM coupons WHERE user_id = 'u000500'")).toEqual([
      { status: "void" },
    ]);
  });
});

describe("watching", () => {
  const authorization = `Bearer ${OPERATOR_TOKEN}`;

  test("naive: with forty orders on ten connections the vitals still answer at once, and count the waiting", async () => {
    await naive.provider({ latencyMs: 700 });
    const orders = Array.from({ length: 40 }, (_, n) =>
      naive.post(
        "/orders",
        { user_id: "u000600", items: [{ sku: "shoes-02", qty: 1 }], coupon_campaign: null },
        `crowd-${n}`,
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 250)); // let them arrive
    const began = nowMs();
    const vitals = await naive.get("/operator/vitals", { authorization });
    expect(nowMs() - began).toBeLessThan(300);
    expect(vitals.body["queue_depth"]).toBe(40);
    const drained = await naive.get("/operator/drained", { authorization });
    expect(drained.body).toMatchObject({
      drained: false,
      waiting: expect.stringContaining("40 request(s) in work"),
    });
    await naive.provider({ latencyMs: 5 });
    expect((await Promise.all(orders)).every(({ status }) => status === 201)).toBe(true);
  });

  test("drained names what it waits for, and is true when nothing is left", async () => {
    const before = await guarded.get("/operator/drained", { authorization });
    expect(before.body).toMatchObject({
      drained: false,
      waiting: expect.stringContaining("job(s) open"),
    });
    await rows(guarded, "UPDATE job_progress SET state = 'done'");
    await rows(guarded, "UPDATE refunds SET state = 'done'");
    await rows(guarded, "DELETE FROM outbox_pending");
    const after = await guarded.get("/operator/drained", { authorization });
    expect(after.body).toEqual({ drained: true, waiting: "" });
  });
});
