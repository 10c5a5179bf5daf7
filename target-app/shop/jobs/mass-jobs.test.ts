/** Mass jobs on a real stage: what guarded keeps whatever dies or fails, and what naive really does to its customers. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Client, Pool } from "pg";
import type { TestDatabase } from "../../test-database.ts";
import { createQueue, MASS_JOBS } from "../job-queue.ts";
import { openStage, startCluster, until, type Stage } from "./test-stage.ts";

let cluster: TestDatabase;
let stage: Stage;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());
afterEach(() => stage[Symbol.asyncDispose]());

const WITHDRAW = {
  policy: "withdraw@1",
  campaign_id: "member-day",
  scope: "coupon_campaign = 'member-day'",
  carve_outs: "status = 'shipped'",
  coupon_action: "void",
  deadline_ms: 10_000,
  compensation: "rate:10%",
};
const MEMBER_DAY = { campaign_id: "member-day", audience: "eligible", declared_audience: 20_000 };
/** Everybody, for a campaign of twenty: the accident of the night. */
const SEOULCON = { campaign_id: "seoulcon", audience: "all-members", declared_audience: 20 };

const jobEnded = (jobId: string) => async () =>
  (await stage.number(
    "shop",
    `SELECT count(*) FROM job_marks WHERE job_id = '${jobId}' AND mark = 'ended'`,
  )) === 1;

async function issueMemberDay(): Promise<void> {
  const { jobId } = await stage.operate("issue", MEMBER_DAY);
  await until("member-day is issued", 15_000, jobEnded(jobId));
}

/** Things that must be so in any books at rest, each a query that finds what is not. */
const BROKEN: Readonly<Record<string, string>> = {
  "an order's status is not its last event's": `SELECT o.id FROM orders o JOIN LATERAL (SELECT to_status FROM order_events e WHERE e.order_id = o.id ORDER BY version DESC LIMIT 1) e ON true WHERE e.to_status <> o.status`,
  "an order's events are no chain": `SELECT order_id FROM (SELECT order_id, version, from_status, lag(to_status) OVER w AS before, row_number() OVER w AS n FROM order_events WINDOW w AS (PARTITION BY order_id ORDER BY version)) e WHERE version <> n OR from_status IS DISTINCT FROM before`,
  "a coupon's events are no chain": `SELECT coupon_id FROM (SELECT coupon_id, version, from_status, lag(to_status) OVER w AS before, row_number() OVER w AS n FROM coupon_events WINDOW w AS (PARTITION BY coupon_id ORDER BY version)) e WHERE version <> n OR from_status IS DISTINCT FROM before`,
  "a coupon's status is not its last event's": `SELECT c.id FROM coupons c JOIN LATERAL (SELECT to_status FROM coupon_events e WHERE e.coupon_id = c.id ORDER BY version DESC LIMIT 1) e ON true WHERE e.to_status <> c.status`,
  "an undeclared transition": `SELECT order_id FROM order_events e WHERE NOT EXISTS (SELECT FROM transitions t WHERE t.entity = 'order' AND t.from_status IS NOT DISTINCT FROM e.from_status AND t.to_status = e.to_status)`,
  "a used coupon without exactly one live order": `SELECT c.id FROM coupons c LEFT JOIN orders o ON o.coupon_id = c.id AND o.status IN ('pending', 'paid', 'held', 'cancelling', 'shipped') GROUP BY c.id, c.status HAVING (c.status = 'used') <> (count(o.id) = 1)`,
  "a ledger entry that does not balance": `SELECT entry_id FROM ledger GROUP BY entry_id HAVING sum(debit) <> sum(credit)`,
  "a clearing account that is not empty": `SELECT account FROM ledger JOIN accounts USING (account) WHERE kind = 'clearing' GROUP BY account HAVING sum(debit) <> sum(credit)`,
  "a refund account not asked for what waits": `SELECT 1 WHERE (SELECT COALESCE(sum(credit - debit), 0) FROM ledger WHERE account = 'refunds_awaiting_account') <> (SELECT COALESCE(sum(amount), 0) FROM refunds WHERE state = 'awaiting_account')`,
  "a cancelled order whose refund is not whole": `SELECT o.id FROM orders o LEFT JOIN refunds r ON r.order_id = o.id WHERE o.status = 'cancelled' GROUP BY o.id HAVING COALESCE(sum(r.amount), 0) <> o.captured OR count(r.id) > 1`,
  "stock that does not add up": `SELECT sku FROM stock LEFT JOIN stock_events e USING (sku) GROUP BY sku, taken HAVING COALESCE(-sum(e.qty), 0) <> taken`,
};

async function brokenPromises(): Promise<string[]> {
  const found: string[] = [];
  for (const [name, sql] of Object.entries(BROKEN)) {
    const count = (await stage.rows("shop", sql)).length;
    if (count > 0) found.push(`${name}: ${count}`);
  }
  const netOfGateway = await stage.rows(
    "gateway",
    `SELECT order_id, sum(CASE kind WHEN 'capture' THEN amount WHEN 'refund' THEN -amount ELSE 0 END)::text AS net, count(*) FILTER (WHERE kind = 'refund') AS refunds FROM payments GROUP BY order_id`,
  );
  const ofShop = await stage.rows(
    "shop",
    "SELECT id::text, (captured - refunded)::text AS net FROM orders WHERE captured > 0",
  );
  const net = new Map(netOfGateway.map((row) => [row["order_id"], row["net"]]));
  const differing = ofShop.filter((row) => net.get(row["id"]) !== row["net"]).length;
  if (differing > 0) found.push(`money that shop and gateway disagree on: ${differing}`);
  const double = netOfGateway.filter((row) => Number(row["refunds"]) > 1).length;
  if (double > 0) found.push(`refunded twice: ${double}`);
  return found;
}

/** Every cancel, recall and compensation told exactly once. */
async function untold(): Promise<string[]> {
  const events = await stage.rows(
    "shop",
    `SELECT 'order ' || order_id AS ref FROM order_events WHERE to_status = 'cancelled' AND actor = 'job'
     UNION ALL SELECT 'coupon ' || coupon_id FROM coupon_events WHERE to_status = 'recalled'
     UNION ALL SELECT 'compensation ' || id FROM compensations`,
  );
  const told = await stage.rows(
    "sink",
    "SELECT ref_kind || ' ' || ref AS ref FROM messages WHERE reason <> ''",
  );
  const due = events.map((row) => String(row["ref"])).toSorted();
  const sent = told.map((row) => String(row["ref"])).toSorted();
  return due.length === sent.length
    ? due.filter((ref, index) => ref !== sent[index])
    : [`${due.length} due, ${sent.length} told`];
}

describe("guarded", () => {
  beforeEach(async () => {
    stage = await openStage(cluster, "guarded");
  });

  test("issues exactly the declared audience, and refuses the audience nobody declared", async () => {
    const refused = await stage.operate("issue", SEOULCON);
    expect(refused.status).toBe(422);
    await issueMemberDay();
    expect(
      await stage.number(
        "shop",
        "SELECT count(DISTINCT user_id) FROM coupons WHERE campaign_id = 'member-day'",
      ),
    ).toBe(20_000);
    expect(await stage.number("shop", "SELECT count(*) FROM coupons")).toBe(20_000);
    expect(
      await stage.number(
        "shop",
        "SELECT issued FROM campaign_counters WHERE campaign_id = 'member-day'",
      ),
    ).toBe(20_000);
    const again = await stage.operate("issue", MEMBER_DAY); // the cap is used up
    expect(again.status).toBe(422);
  });

  test("the cap is a constraint of the database: no statement, however wrong, gets past it", async () => {
    await issueMemberDay();
    const careless = new Client(stage.books.shop);
    await careless.connect();
    await expect(
      careless.query(
        "UPDATE campaign_counters SET issued = issued + 1 WHERE campaign_id = 'member-day'",
      ),
    ).rejects.toThrow("issued_within_cap");
    await careless.end();
  });

  test("a worker killed in the middle of a chunk: its chunk is free within 3 s, the batch completes, everything exactly once", async () => {
    await issueMemberDay();
    const placed = await stage.orders(800, "member-day");
    expect(placed).toBe(800);
    // Somebody looks at an order of the last chunk, so that this chunk is certainly in work when the worker dies.
    const blocker = new Client(stage.books.shop);
    await blocker.connect();
    await blocker.query("BEGIN");
    await blocker.query(
      "SELECT FROM orders WHERE status = 'paid' ORDER BY id DESC LIMIT 1 FOR KEY SHARE",
    );
    const { rows: pinned } = await blocker.query<{ id: string }>(
      "SELECT id FROM orders WHERE status = 'paid' ORDER BY id DESC LIMIT 1",
    );
    const { status, jobId } = await stage.operate("withdraw", WITHDRAW);
    expect(status).toBe(202);
    await blocker.query("SELECT FROM orders WHERE id = $1 FOR UPDATE", [pinned[0]?.id]);
    const done = `SELECT done FROM job_progress WHERE job_id = '${jobId}'`;
    await until(
      "half of the batch is done",
      10_000,
      async () => (await stage.number("shop", done)) >= 250,
    );
    await until(
      "the last chunk waits for the pinned order",
      5_000,
      async () =>
        (await stage.number(
          "shop",
          "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'worker' AND wait_event_type = 'Lock'",
        )) >= 1,
    );
    await stage.killWorker();
    expect(
      await stage.number(
        "shop",
        `SELECT count(*) FROM job_marks WHERE job_id = '${jobId}' AND mark = 'ended'`,
      ),
    ).toBe(0);
    await blocker.query("ROLLBACK");
    await blocker.end();
    const before = await stage.number(
      "shop",
      "SELECT count(*) FROM orders WHERE status = 'cancelled'",
    );
    expect(before).toBeLessThan(placed);
    await stage.startWorker();
    const free = await until("the dead worker's chunk is done", 3_000, jobEnded(jobId));
    expect(free).toBeLessThan(3_000);
    const drainedS = await stage.drained(8);
    expect(drainedS).toBeLessThan(8);

    const inScope = await stage.number(
      "shop",
      "SELECT count(*) FROM policy_snapshots WHERE attributes ->> 'coupon_campaign' = 'member-day' AND attributes ->> 'status' <> 'shipped'",
    );
    expect(inScope).toBeGreaterThanOrEqual(500);
    const count = (sql: string) => stage.number("shop", `SELECT count(*) FROM ${sql}`);
    expect(await count("orders WHERE status = 'cancelled'")).toBe(inScope);
    expect(
      await count(
        "order_events WHERE to_status = 'cancelled' AND policy = 'withdraw@1' AND actor = 'job'",
      ),
    ).toBe(inScope);
    expect(await count("order_events WHERE to_status = 'cancelled'")).toBe(inScope);
    expect(await count("refunds")).toBe(inScope);
    expect(await count("refunds WHERE state NOT IN ('done', 'awaiting_account')")).toBe(0);
    expect(
      await count(
        "refunds JOIN orders ON orders.id = order_id JOIN members ON members.id = user_id WHERE (state = 'done') <> has_refund_account",
      ),
    ).toBe(0);
    expect(
      await count("compensations JOIN orders ON orders.id = order_id WHERE amount = captured / 10"),
    ).toBe(inScope);
    expect(await count("compensations")).toBe(inScope);
    expect(
      await count("coupons WHERE campaign_id = 'member-day' AND status IN ('issued', 'released')"),
    ).toBe(0);
    expect(await count("orders WHERE status = 'shipped' AND shipping_hold")).toBe(0);
    expect(
      await stage.number("gateway", "SELECT count(*) FROM payments WHERE kind = 'refund'"),
    ).toBe(await count("refunds WHERE state = 'done'"));
    expect(await untold()).toEqual([]);
    expect(await brokenPromises()).toEqual([]);
  });

  test("four seconds without one bank's refunds, orders and recalls at the same time: every refund is made once, every promise holds", async () => {
    await issueMemberDay();
    await stage.orders(400, "member-day");
    await stage.orders(100, null, 21_000);
    await stage.gatewayMode({ refunds: "failing" });
    // People go on using the coupon, and ordering without, while it is withdrawn.
    const during = Promise.all([
      stage.orders(400, "member-day", 5_000, 10),
      stage.orders(200, null, 22_000, 5),
    ]);
    await delay(200);
    const { jobId } = await stage.operate("withdraw", WITHDRAW);
    await until("the cancel batch is done", 10_000, jobEnded(jobId));
    await delay(3_000);
    expect(
      await stage.number("shop", "SELECT count(*) FROM refunds WHERE state = 'requested'"),
    ).toBeGreaterThan(0); // it waits by name
    await stage.gatewayMode({ refunds: "ok" });
    await during;
    expect(await stage.drained(8)).toBeLessThan(8);
    expect(
      await stage.number(
        "shop",
        "SELECT count(*) FROM policy_snapshots s JOIN orders o ON o.id = s.order_id WHERE s.attributes ->> 'coupon_campaign' = 'member-day' AND s.attributes ->> 'status' <> 'shipped' AND o.status <> 'cancelled'",
      ),
    ).toBe(0);
    expect(
      await stage.number(
        "shop",
        "SELECT count(*) FROM order_events e WHERE to_status = 'cancelled' AND NOT EXISTS (SELECT FROM policy_snapshots s WHERE s.order_id = e.order_id AND s.attributes ->> 'coupon_campaign' = 'member-day')",
      ),
    ).toBe(0);
    expect(
      await stage.number(
        "shop",
        "SELECT count(*) FROM refunds WHERE state NOT IN ('done', 'awaiting_account')",
      ),
    ).toBe(0);
    expect(await untold()).toEqual([]);
    expect(await brokenPromises()).toEqual([]);
  });

  test("a payment whose answer was lost ends as the gateway's book says, within ten seconds", async () => {
    await stage.gatewayMode({ captures: "charge-and-lose" });
    expect(await stage.order("lost-1", "u000001", null)).toBe(504);
    await stage.gatewayMode({ captures: "silent" });
    expect(await stage.order("silent-1", "u000002", null)).toBe(504);
    await stage.gatewayMode({ captures: "ok" });
    await stage.drained(10);
    const ended = await stage.rows(
      "shop",
      "SELECT intent, to_status FROM order_events WHERE from_status = 'pending' ORDER BY intent",
    );
    expect(ended).toEqual([
      { intent: "lost-1", to_status: "paid" },
      { intent: "silent-1", to_status: "failed" },
    ]);
    expect(await brokenPromises()).toEqual([]);
  });

  test("a message that hangs with whoever took it comes back by itself, and its work is done once", async () => {
    const pool = new Pool({ ...stage.books.shop, max: 1 });
    const boss = createQueue(pool, { supervise: false });
    await boss.start();
    stage.pauseWorker();
    const { jobId } = await stage.operate("issue", MEMBER_DAY);
    const taken = await boss.fetch(MASS_JOBS);
    expect(taken).toHaveLength(1);
    stage.resumeWorker();
    await until("the issue is done by somebody else", 8_000, jobEnded(jobId));
    expect(await stage.number("shop", "SELECT count(*) FROM coupons")).toBe(20_000);
    await boss.stop({ graceful: false });
    await pool.end();
  });

  test("an idle worker costs its database a handful of transactions a second", async () => {
    await stage.drained(5);
    const asked = `SELECT sum(xact_commit)::int FROM pg_stat_database WHERE datname = current_database()`;
    await delay(1_000);
    const before = await stage.number("shop", asked);
    await delay(4_000);
    const after = await stage.number("shop", asked);
    // four are expected; the statistics come in bursts, and two are this test's own
    expect((after - before) / 4).toBeLessThan(8);
  });
});

describe("naive", () => {
  beforeEach(async () => {
    stage = await openStage(cluster, "naive");
  });

  test("the wrong audience gets the coupon: above the cap, beyond the entitled", async () => {
    const { status, jobId } = await stage.operate("issue", SEOULCON);
    expect(status).toBe(202);
    await until("seoulcon is issued", 15_000, jobEnded(jobId));
    expect(
      await stage.number("shop", "SELECT count(*) FROM coupons WHERE campaign_id = 'seoulcon'"),
    ).toBe(25_000);
  });

  test("a killed worker's batch does not resume: some are cancelled, their neighbours are not, and no order says under which rule", async () => {
    await issueMemberDay();
    await stage.orders(700, "member-day");
    const { jobId } = await stage.operate("withdraw", WITHDRAW);
    await until(
      "a part of the batch is done",
      10_000,
      async () =>
        (await stage.number("shop", `SELECT done FROM job_progress WHERE job_id = '${jobId}'`)) >=
        100,
    );
    await stage.killWorker();
    const atDeath = await stage.number(
      "shop",
      "SELECT count(*) FROM orders WHERE status = 'cancelled'",
    );
    expect(atDeath).toBeGreaterThan(0);
    await stage.startWorker();
    await delay(4_000);
    expect(
      await stage.number("shop", "SELECT count(*) FROM orders WHERE status = 'cancelled'"),
    ).toBe(atDeath);
    expect(await stage.drained(3)).toBeLessThan(3); // the batch is given up, not open
    expect(
      await stage.rows("shop", `SELECT state FROM job_progress WHERE job_id = '${jobId}'`),
    ).toEqual([{ state: "failed" }]);
    expect(
      await stage.number("shop", "SELECT count(*) FROM orders WHERE status IN ('paid', 'shipped')"),
    ).toBeGreaterThan(0);
    expect(
      await stage.number(
        "shop",
        "SELECT count(*) FROM order_events WHERE to_status = 'cancelled' AND policy IS NOT NULL",
      ),
    ).toBe(0);
    expect(
      await stage.number(
        "shop",
        "SELECT count(*) FROM orders JOIN members ON members.id = user_id WHERE status = 'cancelled' AND NOT has_refund_account",
      ),
    ).toBe(0);
    // The provider takes fifty messages a second; nobody keeps the rest.
    const told = await stage.number("sink", "SELECT count(*) FROM messages");
    expect(told).toBeLessThan(atDeath);
  });
});
