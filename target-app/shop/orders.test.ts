/** What the two shops promise (and, naive, fail to promise) about orders, coupons, claims and webhooks. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signWebhook } from "../gateway/webhook-signature.ts";
import { withClient, type TestDatabase } from "../test-database.ts";
import { nowMs } from "../clock.ts";
import {
  startPreparedCluster,
  startTestShop,
  WEBHOOK_SECRET,
  type Reply,
  type TestShop,
} from "./test-shop.ts";

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
const captures = async (shop: TestShop, intent: string): Promise<number> =>
  withClient(shop.gatewayDb, async (client) => {
    const sql =
      "SELECT count(*)::int AS n FROM payments WHERE kind = 'capture' AND merchant_ref = $1";
    return (await client.query<{ n: number }>(sql, [intent])).rows[0]?.n ?? -1;
  });
const grant = (shop: TestShop, user: string, status = "issued"): Promise<Row[]> =>
  rows(
    shop,
    `WITH made AS (INSERT INTO coupons (code, campaign_id, user_id, amount, status) VALUES (gen_random_uuid()::text, 'member-day', $1, 10000, $2) RETURNING id)
     INSERT INTO coupon_events (coupon_id, version, to_status, actor, reason) SELECT id, 1, $2, 'job', 'test' FROM made RETURNING coupon_id::text`,
    [user, status],
  );
const ask = (user: string, coupon: string | null = null, sku = "shoes-01", qty = 1): unknown => ({
  user_id: user,
  items: [{ sku, qty }],
  coupon_campaign: coupon,
});
const order = (
  shop: TestShop,
  user: string,
  key: string,
  coupon: string | null = null,
): Promise<Reply> => shop.post("/orders", ask(user, coupon), key);

describe.each(["naive", "guarded"] as const)("in the %s shop", (variant) => {
  const shop = (): TestShop => (variant === "naive" ? naive : guarded);

  test("an acknowledged order is in the books: paid, captured once, coupon used, audit without a gap, ledger balanced", async () => {
    const [coupon] = await grant(shop(), "u000101");
    const answer = await order(shop(), "u000101", `${variant}-whole`, "member-day");
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      total: 111_000,
      discount: 10_000,
      coupon_id: coupon?.["coupon_id"],
      status: "paid",
    });
    const id = answer.body["order_id"];
    expect(
      await rows(
        shop(),
        "SELECT status, captured::int, intent, attributes, version FROM orders WHERE id = $1",
        [id],
      ),
    ).toEqual([
      {
        status: "paid",
        captured: 111_000,
        intent: `${variant}-whole`,
        version: 2,
        attributes: {
          coupon_campaign: "member-day",
          seller: "seller-shoes",
          payment_method: expect.stringMatching(/card|transfer/),
        },
      },
    ]);
    expect(await captures(shop(), `${variant}-whole`)).toBe(1);
    const audit = await rows(
      shop(),
      "SELECT version, from_status, to_status FROM order_events WHERE order_id = $1 ORDER BY version",
      [id],
    );
    expect(audit).toEqual([
      { version: 1, from_status: null, to_status: "pending" },
      { version: 2, from_status: "pending", to_status: "paid" },
    ]);
    const used = await rows(
      shop(),
      "SELECT status, version = (SELECT max(version) FROM coupon_events WHERE coupon_id = coupons.id) AS audited FROM coupons WHERE id = $1",
      [coupon?.["coupon_id"]],
    );
    expect(used).toEqual([{ status: "used", audited: true }]);
    expect(
      await rows(
        shop(),
        "SELECT sum(debit)::int AS debit, sum(credit)::int AS credit FROM ledger WHERE ref = $1",
        [id],
      ),
    ).toEqual([{ debit: 121_000, credit: 121_000 }]);
  });

  test("a customer's reads find the order and the coupon", async () => {
    await grant(shop(), "u000102");
    const placed = await order(shop(), "u000102", `${variant}-read`, "member-day");
    const one = await shop().get(`/orders/${String(placed.body["order_id"])}`);
    expect(one.body).toMatchObject({
      user_id: "u000102",
      status: "paid",
      total: 111_000,
      captured: 111_000,
      refunded: 0,
      refund_state: null,
    });
    const list = await shop().get("/orders?user_id=u000102");
    expect(list.body["orders"]).toEqual([one.body]);
    const coupons = await shop().get("/coupons?user_id=u000102");
    expect(coupons.body["coupons"]).toEqual([
      expect.objectContaining({
        id: one.body["coupon_id"],
        campaign_id: "member-day",
        status: "used",
      }),
    ]);
  });

  test.each([
    {
      name: "no usable coupon",
      user: "u000103",
      coupon: "member-day",
      sku: "shoes-01",
      qty: 1,
      error: "coupon_not_available",
    },
    {
      name: "a recalled coupon",
      user: "u000104",
      coupon: "member-day",
      sku: "shoes-01",
      qty: 1,
      error: "coupon_recalled",
    },
    {
      name: "an empty shelf",
      user: "u000105",
      coupon: null,
      sku: "shoes-14",
      qty: 1,
      error: "sold_out",
    },
  ])(
    "refused for $name, an order leaves nothing behind",
    async ({ user, coupon, sku, qty, error }) => {
      if (error === "coupon_recalled") await grant(shop(), user, "recalled");
      await rows(shop(), "UPDATE stock SET taken = initial WHERE sku = 'shoes-14'");
      const answer = await shop().post(
        "/orders",
        ask(user, coupon, sku, qty),
        `${variant}-${error}`,
      );
      expect(answer).toMatchObject({ status: 422, body: { error } });
      expect(await rows(shop(), "SELECT id FROM orders WHERE user_id = $1", [user])).toEqual([]);
      expect(await captures(shop(), `${variant}-${error}`)).toBe(0);
    },
  );

  test("a declined payment gives coupon and stock back, and leaves no live order", async () => {
    await grant(shop(), "u000106");
    const before = await rows(shop(), "SELECT taken FROM stock WHERE sku = 'outer-13'");
    // 20 jackets cost more than a card can pay
    const declined = await shop().post(
      "/orders",
      {
        user_id: "u000106",
        items: [
          { sku: "outer-13", qty: 20 },
          { sku: "outer-12", qty: 20 },
        ],
        coupon_campaign: "member-day",
      },
      `${variant}-declined`,
    );
    expect(declined).toMatchObject({ status: 422, body: { error: "payment_declined" } });
    expect(await rows(shop(), "SELECT taken FROM stock WHERE sku = 'outer-13'")).toEqual(before);
    expect(
      await rows(shop(), "SELECT id FROM orders WHERE user_id = 'u000106' AND status <> 'failed'"),
    ).toEqual([]);
    expect((await order(shop(), "u000106", `${variant}-again`, "member-day")).status).toBe(201);
  });

  test("a malformed request is told what is wrong with it", async () => {
    const answer = await shop().post(
      "/orders",
      { user_id: "u000001", items: [], coupon_campaign: null },
      "malformed",
    );
    expect(answer).toMatchObject({
      status: 400,
      body: { error: "malformed", message: expect.stringContaining("items") },
    });
  });

  test("a webhook that the gateway did not sign changes nothing", async () => {
    const placed = await order(shop(), "u000107", `${variant}-forged`);
    const id = placed.body["order_id"];
    const before = await rows(shop(), "SELECT * FROM orders WHERE id = $1", [id]);
    const events = [
      {
        event_id: "evil",
        type: "payment.captured",
        payment_id: "p",
        order_id: id,
        amount: 1,
        idempotency_key: null,
      },
    ];
    const answer = await shop().post("/webhooks/payments", { events });
    expect(answer.status).toBe(401);
    expect(await rows(shop(), "SELECT * FROM orders WHERE id = $1", [id])).toEqual(before);
    expect(
      await rows(
        shop(),
        "SELECT count(*)::int AS n FROM webhooks WHERE NOT signature_ok AND NOT applied",
      ),
    ).toEqual([{ n: 1 }]);
  });

  test("says who it is, and describes itself", async () => {
    expect((await shop().get("/.well-known/stampede")).body).toEqual({
      run_id: "test",
      environment: "rehearsal",
    });
    const document = await shop().get("/openapi.json");
    expect(Object.keys(document.body["paths"] as object)).toEqual(
      expect.arrayContaining(["/orders", "/coupons/claim", "/operator/withdraw"]),
    );
    expect((await shop().get("/home?user_id=u000001")).body["products"]).toHaveLength(40);
  });
});

describe("idempotency keys", () => {
  test("guarded: thirty attempts at once with one key make one order and one capture, and every answer names it", async () => {
    const first = await Promise.all(
      Array.from({ length: 30 }, () => order(guarded, "u000201", "thirty")),
    );
    const repeated = await order(guarded, "u000201", "thirty");
    expect(repeated.status).toBe(201);
    for (const { status, body } of first.filter((answer) => answer.status === 201))
      expect({ status, body }).toEqual({ status: 201, body: repeated.body });
    expect(
      first.filter((answer) => answer.status === 409 && answer.headers.get("retry-after") === "1")
        .length,
    ).toBeGreaterThan(0);
    expect(
      await rows(guarded, "SELECT count(*)::int AS n FROM orders WHERE intent = 'thirty'"),
    ).toEqual([{ n: 1 }]);
    expect(await captures(guarded, "thirty")).toBe(1);
  });

  test("guarded: the same key with another body is refused", async () => {
    await order(guarded, "u000202", "reused");
    const other = await guarded.post("/orders", ask("u000202", null, "shoes-02"), "reused");
    expect(other).toMatchObject({ status: 422, body: { error: "key_reused" } });
  });

  test("guarded: an order without a key is refused", async () => {
    expect(await guarded.post("/orders", ask("u000203"))).toMatchObject({
      status: 400,
      body: { error: "idempotency_key_required" },
    });
  });

  test("naive: the key is stored and not looked at, so a retry buys twice", async () => {
    await order(naive, "u000204", "twice");
    await order(naive, "u000204", "twice");
    expect(
      await rows(
        naive,
        "SELECT count(*)::int AS n FROM orders WHERE intent = 'twice' AND status = 'paid'",
      ),
    ).toEqual([{ n: 2 }]);
    expect(await captures(naive, "twice")).toBe(2);
  });

  test("guarded: of ten orders at once for one coupon, one gets it", async () => {
    await grant(guarded, "u000205");
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        order(guarded, "u000205", `one-coupon-${n}`, "member-day"),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201,
      ...Array.from({ length: 9 }, () => 422),
    ]);
  });
});

describe("under pressure", () => {
  test("guarded: the 25th order in work is shed before any work, and told when to come back", async () => {
    await guarded.provider({ latencyMs: 400 });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => order(guarded, "u000301", `shed-${n}`)),
    );
    await guarded.provider({ latencyMs: 5 });
    const shed = answers.filter(({ status }) => status === 503);
    expect(shed).toHaveLength(40 - 24);
    for (const { headers, body } of shed)
      expect([headers.get("retry-after"), body["error"]]).toEqual(["1", "overloaded"]);
    expect(
      await rows(guarded, "SELECT count(*)::int AS n FROM orders WHERE user_id = 'u000301'"),
    ).toEqual([{ n: 24 }]);
  });

  test("guarded: no connection is held while the gateway thinks; naive: ten are, and reads wait behind them", async () => {
    const readDuring = async (shop: TestShop): Promise<number> => {
      await shop.provider({ latencyMs: 600 });
      const orders = Array.from({ length: 12 }, (_, n) => order(shop, "u000302", `held-${n}`));
      await new Promise((resolve) => setTimeout(resolve, 200)); // let them reach the gateway
      const began = nowMs();
      expect((await shop.get("/coupons?user_id=u000302")).status).toBe(200);
      const waitedMs = nowMs() - began;
      expect((await Promise.all(orders)).map(({ status }) => status)).toEqual(
        Array.from({ length: 12 }, () => 201),
      );
      await shop.provider({ latencyMs: 5 });
      return waitedMs;
    };
    expect(await readDuring(guarded)).toBeLessThan(250);
    expect(await readDuring(naive)).toBeGreaterThan(250);
  });

  test("guarded: a silent gateway leaves the order pending and says so, never paid or gone", async () => {
    await guarded.provider({ captures: "silent" });
    const answer = await order(guarded, "u000303", "silent");
    await guarded.provider({ captures: "ok" });
    expect(answer).toMatchObject({ status: 504, body: { error: "payment_unknown" } });
    expect(await rows(guarded, "SELECT status FROM orders WHERE intent = 'silent'")).toEqual([
      { status: "pending" },
    ]);
    expect(await order(guarded, "u000303", "silent")).toMatchObject({
      status: 409,
      body: { error: "in_flight" },
    });
  });
});

describe("claims", () => {
  const campaign = (shop: TestShop): Promise<Row[]> =>
    rows(
      shop,
      `WITH made AS (INSERT INTO campaigns (id, kind, cap, amount, per_user, valid_from, valid_to) VALUES ('first-five', 'grant', 5, 5000, 1, now(), now() + interval '1 hour') RETURNING id, cap)
       INSERT INTO campaign_counters (campaign_id, cap) SELECT id, cap FROM made`,
    );
  const claim = (shop: TestShop, user: string, key: string, id = "first-five"): Promise<Reply> =>
    shop.post("/coupons/claim", { campaign_id: id, user_id: user }, key);

  test("guarded: of forty people at once, exactly the cap is served and the rest is told sold_out", async () => {
    await campaign(guarded);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => claim(guarded, `u00${1000 + n}`, `claim-${n}`)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(answers.filter(({ body }) => body["error"] === "sold_out")).toHaveLength(35);
    expect(
      await rows(
        guarded,
        "SELECT issued::int FROM campaign_counters WHERE campaign_id = 'first-five'",
      ),
    ).toEqual([{ issued: 5 }]);
    expect(
      await rows(
        guarded,
        "SELECT count(*)::int AS n FROM coupons JOIN coupon_events ON coupon_id = id WHERE campaign_id = 'first-five'",
      ),
    ).toEqual([{ n: 5 }]);
    const winner = answers.findIndex(({ status }) => status === 201);
    const again = await claim(guarded, `u00${1000 + winner}`, `claim-${winner}`);
    expect(again.body).toEqual(answers[winner]?.body); // the same key, the same code
    expect((await claim(guarded, `u00${1000 + winner}`, "another-key")).body["error"]).toBe(
      "already_claimed",
    );
  });

  test.each(["naive", "guarded"] as const)(
    "%s: who is not in the eligibility snapshot gets nothing",
    async (variant) => {
      const shop = variant === "naive" ? naive : guarded;
      const [outsider] = await rows(
        shop,
        "SELECT id FROM members WHERE id NOT IN (SELECT user_id FROM eligible WHERE campaign_id = 'seoulcon') ORDER BY id LIMIT 1",
      );
      expect(
        (await claim(shop, String(outsider?.["id"]), "outsider", "seoulcon")).body["error"],
      ).toBe("not_entitled");
      const [winner] = await rows(
        shop,
        "SELECT user_id FROM eligible WHERE campaign_id = 'seoulcon' LIMIT 1",
      );
      expect((await claim(shop, String(winner?.["user_id"]), "winner", "seoulcon")).status).toBe(
        201,
      );
    },
  );

  test("naive: a cap that is looked at first and filled later is overrun by forty people at once", async () => {
    await campaign(naive);
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => claim(naive, `u00${1000 + n}`, `claim-${n}`)),
    );
    const [count] = await rows(
      naive,
      "SELECT count(*)::int AS n FROM coupons WHERE campaign_id = 'first-five'",
    );
    expect(count?.["n"]).toBeGreaterThan(5);
  });
});

describe("a customer's own cancel", () => {
  test("guarded: frees the coupon and names the refund's state; without a refund account it waits, with a message", async () => {
    const states = [];
    for (const [account, user] of [
      [true, "u000401"],
      [false, "u000402"],
    ] as const) {
      await rows(guarded, "UPDATE members SET has_refund_account = $2 WHERE id = $1", [
        user,
        account,
      ]);
      await grant(guarded, user);
      const placed = await order(guarded, user, `own-${user}`, "member-day");
      const id = String(placed.body["order_id"]);
      expect(await guarded.post(`/orders/${id}/cancel`, {}, `cancel-${user}`)).toMatchObject({
        status: 200,
        body: { status: "cancelled" },
      });
      expect((await guarded.post(`/orders/${id}/cancel`, {}, `cancel-${user}`)).status).toBe(200);
      states.push(
        ...(await rows(guarded, "SELECT state, amount::int FROM refunds WHERE order_id = $1", [
          id,
        ])),
      );
      expect(
        await rows(guarded, "SELECT sum(debit - credit)::int AS n FROM ledger WHERE ref = $1", [
          id,
        ]),
      ).toEqual([{ n: 0 }]);
    }
    expect(states).toEqual([
      { state: "requested", amount: 111_000 },
      { state: "awaiting_account", amount: 111_000 },
    ]);
    expect(
      await rows(guarded, "SELECT status FROM coupons WHERE user_id IN ('u000401', 'u000402')"),
    ).toEqual([{ status: "released" }, { status: "released" }]);
    expect(await rows(guarded, "SELECT user_id, ref_kind FROM outbox")).toEqual([
      { user_id: "u000402", ref_kind: "refund" },
    ]);
  });

  test("guarded: what has shipped is not cancelled, and the customer is told", async () => {
    const placed = await order(guarded, "u000403", "shipped");
    const id = String(placed.body["order_id"]);
    await rows(guarded, "UPDATE orders SET status = 'shipped', version = 3 WHERE id = $1", [id]);
    expect(await guarded.post(`/orders/${id}/cancel`, {}, "late")).toMatchObject({
      status: 409,
      body: { error: "not_cancellable" },
    });
  });

  test("guarded: the refund's webhook, delivered three times, pays it out once", async () => {
    const [refund] = await rows(
      guarded,
      "SELECT order_id::text, idempotency_key, amount::int FROM refunds WHERE state = 'requested' LIMIT 1",
    );
    const events = [
      {
        event_id: "refund-1",
        type: "refund.done",
        payment_id: "p",
        order_id: refund?.["order_id"],
        amount: refund?.["amount"],
        idempotency_key: refund?.["idempotency_key"],
      },
    ];
    const body = JSON.stringify({ events });
    for (let delivery = 0; delivery < 3; delivery++) {
      const signature = signWebhook(WEBHOOK_SECRET, Math.floor(nowMs() / 1_000), body);
      const answer = await fetch(`${guarded.url}/webhooks/payments`, {
        method: "POST",
        headers: { "x-gateway-signature": signature },
        body,
      });
      expect(answer.status).toBe(200);
    }
    expect(
      await rows(guarded, "SELECT refunded::int, refund_state FROM orders WHERE id = $1", [
        refund?.["order_id"],
      ]),
    ).toEqual([{ refunded: 111_000, refund_state: "done" }]);
    expect(
      await rows(
        guarded,
        "SELECT applied FROM webhooks WHERE event_id = 'refund-1' ORDER BY receipt",
      ),
    ).toEqual([{ applied: true }, { applied: false }, { applied: false }]);
    expect(
      await rows(
        guarded,
        "SELECT sum(debit - credit)::int AS n FROM ledger WHERE account = 'refund_clearing'",
      ),
    ).toEqual([{ n: 0 }]);
  });
});
