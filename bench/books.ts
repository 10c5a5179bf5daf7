/**
 * Synthetic books for the judging bench: a correct shop of any size, made by DuckDB with one SELECT a table. A tenth of
 * the orders use a coupon that is later withdrawn under a published policy: recalled where unused; cancelled, refunded,
 * told and compensated where used. Nothing is random, so the same size gives the same books.
 *
 * Time: `seq` counts the shop's commits, 1,500 µs apart. The issue job comes first, then nine tenths of the orders, the
 * publication and its mass jobs (1,000 rows a commit), then the last tenth of the orders.
 */
import { join } from "node:path";
import { Database, literal } from "../harness/history/duckdb.ts";

const MICROS_PER_COMMIT = 1500;
const T0_US = 1_700_000_000_000_000;

/** Where in the sequence of commits each chapter starts. */
function chaptersOf(orders: number) {
  const coupons = orders / 5;
  const commits = (rows: number): number => Math.ceil(rows / 1000) + 3;
  const firstOrder = 10 + commits(coupons);
  const published = firstOrder + orders * 0.9;
  const recall = published + 1;
  const cancel = recall + commits(coupons);
  const compensate = cancel + commits(orders);
  const ship = compensate + commits(orders);
  const laterOrders = ship + commits(orders);
  return {
    orders,
    coupons,
    firstOrder,
    published,
    recall,
    cancel,
    compensate,
    ship,
    laterOrders,
    end: laterOrders + orders * 0.1,
  };
}

type Chapters = ReturnType<typeof chaptersOf>;

/** Two views everything is cut from: `o` one row an order, `k` one row a coupon of the campaign that is withdrawn. */
function worldSql(c: Chapters): string {
  const before = c.orders * 0.9;
  return `
    CREATE MACRO commit_us(seq) AS ${T0_US} + seq * ${MICROS_PER_COMMIT};
    CREATE VIEW o AS
      WITH numbered AS (SELECT range AS i, range % 10 = 0 AND range < ${before} AS withdrawn FROM range(${c.orders}))
      SELECT i, withdrawn, 'o' || i AS id, 'i' || i AS intent, CASE WHEN withdrawn THEN 'c' || (i // 10) END AS coupon_id,
        'u' || CASE WHEN withdrawn THEN i // 10 ELSE i % ${c.coupons} END AS user_id,
        CASE WHEN i < ${before} THEN ${c.firstOrder} + i ELSE ${c.laterOrders} + i - ${before} END AS seq,
        i % 10 <> 0 AND i < ${c.orders * 0.2} AS shipped,
        50000 + (i % 40) * 1000 AS price, CASE WHEN withdrawn THEN 10000 ELSE 0 END AS discount, price - discount + 3000 AS total,
        ${c.cancel} + 1 + i // 1000 AS cancel_seq, ${c.compensate} + 1 + i // 1000 AS compensate_seq, ${c.ship} + 1 + i // 1000 AS ship_seq,
        CASE WHEN withdrawn THEN 'cancelled' WHEN shipped THEN 'shipped' ELSE 'paid' END AS status,
        '{"coupon_campaign":"' || CASE WHEN withdrawn THEN 'member-day' ELSE 'none' END || '","status":"paid","seller":"s' || (i % 3)
          || '","payment_method":"' || CASE WHEN i % 4 = 1 THEN 'transfer' ELSE 'card' END || '"}' AS attributes
      FROM numbered;
    CREATE VIEW k AS SELECT range AS n, 'c' || range AS id, 'u' || range AS user_id, range < ${c.orders * 0.09} AS used,
        3 + range // 1000 AS issue_seq, ${c.recall} + 1 + range // 1000 AS recall_seq FROM range(${c.coupons});`;
}

function couponTables(c: Chapters): Record<string, string> {
  return {
    coupons: `SELECT id, 'CODE-' || id AS code, 'member-day' AS campaign_id, user_id, 10000 AS amount, CASE WHEN used THEN 'void' ELSE 'recalled' END AS status FROM k
      UNION ALL SELECT 'x' || i, 'SORRY-' || i, 'sorry', user_id, total // 10, 'issued' FROM o WHERE withdrawn`,
    coupon_events: [
      `SELECT id AS coupon_id, issue_seq AS seq, 1 AS version, commit_us(issue_seq) AS at_us, NULL AS from_status, 'issued' AS to_status, 'job' AS actor, 'member day' AS reason,
         NULL AS policy, 'issue' AS job_id, NULL AS order_id, NULL AS intent FROM k`,
      `SELECT id, recall_seq, 2, commit_us(recall_seq), 'issued', 'recalled', 'job', 'withdrawn', 'withdraw@1', 'recall', NULL, NULL FROM k WHERE NOT used`,
      `SELECT coupon_id, seq, 2, commit_us(seq), 'issued', 'used', 'customer', 'order', NULL, NULL, id, intent FROM o WHERE withdrawn`,
      `SELECT coupon_id, cancel_seq, 3, commit_us(cancel_seq), 'used', 'void', 'job', 'withdrawn', 'withdraw@1', 'cancel', id, NULL FROM o WHERE withdrawn`,
      `SELECT 'x' || i, compensate_seq, 1, commit_us(compensate_seq), NULL, 'issued', 'job', 'apology', 'withdraw@1', 'compensate', id, NULL FROM o WHERE withdrawn`,
    ].join(" UNION ALL "),
    campaigns: `SELECT * FROM (VALUES ('member-day', 'coupon', ${c.coupons}::BIGINT, 10000, 1::BIGINT, ${c.coupons * 10_000}::BIGINT, ${T0_US}, NULL::BIGINT),
      ('sorry', 'compensation', NULL, NULL, NULL, NULL, ${T0_US}, NULL)) t(id, kind, cap, amount, per_user, budget, valid_from_us, valid_to_us)`,
    eligible: "SELECT 'member-day' AS campaign_id, user_id, 1 AS snapshot_seq FROM k",
    members: `SELECT 'u' || range AS id, 'Member ' || range AS name, md5('u' || range) AS identity_hash, range % 3 <> 0 AS has_refund_account FROM range(${c.coupons})`,
    jobs: `SELECT * FROM (VALUES ('issue', 'op-issue', 'issue', 'member-day', NULL, ${c.coupons}, 1, 2, ${c.firstOrder - 1}, 'operator'),
      ('recall', 'op-withdraw', 'recall', 'member-day', 'withdraw@1', NULL, ${c.recall}, ${c.recall}, ${c.cancel - 1}, 'operator'),
      ('cancel', 'op-withdraw', 'cancel', 'member-day', 'withdraw@1', NULL, ${c.cancel}, ${c.cancel}, ${c.compensate - 1}, 'operator'),
      ('compensate', 'op-withdraw', 'compensate', 'sorry', 'withdraw@1', ${c.orders * 0.09}, ${c.cancel}, ${c.compensate}, ${c.ship - 1}, 'operator'))
      t(id, intent, kind, campaign_id, policy, declared_audience, declared_seq, start_seq, end_seq, actor)`,
    job_items: `SELECT 'issue' AS job_id, NULL AS order_id, id AS coupon_id, issue_seq AS done_seq FROM k
      UNION ALL SELECT 'recall', NULL, id, recall_seq FROM k WHERE NOT used UNION ALL SELECT 'cancel', id, NULL, cancel_seq FROM o WHERE withdrawn`,
  };
}

function orderTables(c: Chapters): Record<string, string> {
  return {
    orders: `SELECT id, intent, user_id, 's' || (i % 3) AS seller, coupon_id, price AS items_total, discount, 3000 AS fee, total, total AS captured,
      CASE WHEN withdrawn THEN total ELSE 0 END AS refunded, CASE WHEN withdrawn THEN 'done' END AS refund_state, status, attributes::JSON AS attributes FROM o`,
    order_items: "SELECT id AS order_id, 'sku' || (i % 40) AS sku, 1 AS qty, price FROM o",
    order_events: [
      `SELECT id AS order_id, seq, 1 AS version, commit_us(seq) AS at_us, NULL AS from_status, 'pending' AS to_status, 'customer' AS actor, 'order' AS reason,
         NULL AS policy, NULL AS job_id, intent FROM o`,
      "SELECT id, seq, 2, commit_us(seq), 'pending', 'paid', 'gateway', 'captured', NULL, NULL, intent FROM o",
      "SELECT id, ship_seq, 3, commit_us(ship_seq), 'paid', 'shipped', 'operator', 'shipped', NULL, NULL, NULL FROM o WHERE shipped",
      "SELECT id, cancel_seq, 3, commit_us(cancel_seq), 'paid', 'cancelling', 'job', 'withdrawn', 'withdraw@1', 'cancel', NULL FROM o WHERE withdrawn",
      "SELECT id, cancel_seq, 4, commit_us(cancel_seq), 'cancelling', 'cancelled', 'job', 'withdrawn', 'withdraw@1', 'cancel', NULL FROM o WHERE withdrawn",
    ].join(" UNION ALL "),
    policies: `SELECT 'withdraw' AS policy, 1 AS version, ${c.published} AS published_seq, commit_us(${c.published}) AS published_at_us, ${c.published} AS snapshot_seq,
      'coupon_campaign = ''member-day'' and status in (''paid'', ''held'')' AS scope, 'cancel' AS action, NULL::VARCHAR AS carve_outs, 'void' AS coupon_action, 10000 AS deadline_ms, 'rate:10%' AS compensation`,
    policy_snapshots: `SELECT 'withdraw' AS policy, 1 AS version, id AS order_id, attributes::JSON AS attributes, ${c.published} AS snapshot_seq FROM o WHERE i < ${c.orders * 0.9}`,
    compensations:
      "SELECT 'm' || i AS id, user_id, id AS order_id, 'x' || i AS coupon_id, total // 10 AS amount, compensate_seq AS seq FROM o WHERE withdrawn",
    stock: `SELECT 'sku' || range AS sku, ${c.orders} AS initial FROM range(40)`,
    transitions: `SELECT * FROM (VALUES ('order', NULL, 'pending', false), ('order', 'pending', 'paid', false), ('order', 'paid', 'shipped', true), ('order', 'paid', 'cancelling', false),
      ('order', 'cancelling', 'cancelled', true), ('coupon', NULL, 'issued', false), ('coupon', 'issued', 'used', false), ('coupon', 'used', 'void', true), ('coupon', 'issued', 'recalled', true))
      t(entity, from_status, to_status, terminal)`,
    deadlines: `SELECT * FROM (VALUES ('order', 'pending', 10000), ('order', 'held', 10000), ('order', 'cancelling', 10000), ('refund', 'requested', 10000), ('notice', NULL, 10000), ('payment', NULL, 10000)) t(entity, status, ms)`,
  };
}

function moneyTables(c: Chapters): Record<string, string> {
  const shopEnd = c.end;
  return {
    payments: `SELECT 'p' || i AS id, NULL AS parent_id, id AS order_id, intent AS merchant_ref, 'capture' AS kind, total AS amount, 'ok' AS result, intent AS idempotency_key, i + 1 AS seq, commit_us(seq) AS at_us FROM o
      UNION ALL SELECT 'r' || i, 'p' || i, id, intent, 'refund', total, 'ok', 'refund-' || i, ${c.orders} + 1 + i // 1000, commit_us(cancel_seq) + 100000 FROM o WHERE withdrawn`,
    refunds:
      "SELECT id AS order_id, total AS amount, 'done' AS state, cancel_seq AS seq, commit_us(cancel_seq) AS at_us FROM o WHERE withdrawn",
    accounts:
      "SELECT * FROM (VALUES ('receivable', 'asset'), ('sales', 'revenue'), ('refund_clearing', 'clearing'), ('awaiting', 'liability')) t(account, kind)",
    ledger: [
      ["capture", "receivable", "sales", "seq", "true"],
      ["cancel", "sales", "refund_clearing", "cancel_seq", "withdrawn"],
      ["refund", "refund_clearing", "receivable", "cancel_seq", "withdrawn"],
    ]
      .flatMap(([entry, debit, credit, seq, where]) => [
        `SELECT '${entry}:' || i AS entry_id, '${debit}' AS account, total AS debit, 0 AS credit, id AS ref, ${seq} AS seq FROM o WHERE ${where}`,
        `SELECT '${entry}:' || i, '${credit}', 0, total, id, ${seq} FROM o WHERE ${where}`,
      ])
      .join(" UNION ALL "),
    notifications: [
      "SELECT 'no' || i AS id, user_id, 'order' AS ref_kind, id AS ref, cancel_seq AS event_seq, 'order-cancelled' AS template, 'coupon withdrawn' AS reason, 1 + i // 1000 AS seq, commit_us(cancel_seq) + 300000 AS at_us FROM o WHERE withdrawn",
      "SELECT 'nm' || i, user_id, 'compensation', 'm' || i, compensate_seq, 'compensation', 'apology', 1 + i // 1000, commit_us(compensate_seq) + 300000 FROM o WHERE withdrawn",
      "SELECT 'nc' || n, user_id, 'coupon', id, recall_seq, 'coupon-recalled', 'coupon withdrawn', 1 + n // 1000, commit_us(recall_seq) + 300000 FROM k WHERE NOT used",
    ].join(" UNION ALL "),
    books: `SELECT book, 'host' AS clock, 'exact' AS seq_quality, true AS drained, ${shopEnd + 10} AS read_seq, commit_us(${shopEnd}) + 20000000 AS read_at_us FROM (VALUES ('shop'), ('gateway'), ('sink')) t(book)`,
    commits: `SELECT 'shop' AS book, range AS seq, commit_us(range) AS at_us FROM range(1, ${shopEnd + 1})`,
  };
}

/** The client's history: one acknowledged attempt an order, the operator's two steps, a sample of final reads. */
function opsSql(c: Chapters): string {
  const op = (
    process: string,
    intent: string,
    kind: string,
    ns: string,
    request: string,
    response: string,
    from: string,
  ): string =>
    `SELECT ${ns} AS time_intended_ns, ${ns} AS time_invoke_ns, ${ns} + 30000000 AS time_complete_ns, ${process} AS process, ${intent} AS intent, 1 AS attempt, '${kind}' AS kind,
      'ok' AS outcome, 200 AS status, '' AS error, 'baseline' AS phase, 'buyers' AS scenario, 0 AS iteration, true AS final, (${request})::JSON AS request, (${response})::JSON AS response FROM ${from}`;
  const parts = [
    op(
      "'operator'",
      "'op-issue'",
      "issue",
      "0",
      `'{"campaign_id":"member-day","audience":"eligible"}'`,
      `'{"job_id":"issue","issued":${c.coupons}}'`,
      "range(1)",
    ),
    op(
      "'operator'",
      "'op-withdraw'",
      "withdraw",
      `${c.published * MICROS_PER_COMMIT * 1000}`,
      `'{"policy":"withdraw@1"}'`,
      `'{"job_id":"recall"}'`,
      "range(1)",
    ),
    op(
      "'0.' || (i % 5000) || '.0'",
      "intent",
      "order",
      `seq * ${MICROS_PER_COMMIT * 1000}`,
      `'{"user_id":"' || user_id || '","coupon_id":' || coalesce('"' || coupon_id || '"', 'null') || '}'`,
      `'{"order_id":"' || id || '","total":' || total || '}'`,
      "o",
    ),
    op(
      "'harness'",
      "'read-' || i",
      "final-read",
      `${(c.end + 1) * MICROS_PER_COMMIT * 1000}`,
      `'{"entity":"order","id":"' || id || '"}'`,
      `'{"status":"' || status || '"}'`,
      "o WHERE i % 1000 = 0",
    ),
  ];
  return `SELECT row_number() OVER () - 1 AS "index", * FROM (${parts.join(" UNION ALL ")})`;
}

/**
 * Writes evidence and operations of a correct shop as Parquet.
 *
 * @param orders a multiple of 100
 * @param dir an existing folder; gets TABLE.parquet for each table and, beside them, nothing else
 * @param opsPath where the operations go
 * @returns how many rows there are in all
 */
export async function writeBooks(orders: number, dir: string, opsPath: string): Promise<number> {
  await using db = await Database.open({ tempDirectory: dir });
  const chapters = chaptersOf(orders);
  await db.run(worldSql(chapters));
  const tables = { ...couponTables(chapters), ...orderTables(chapters), ...moneyTables(chapters) };
  let rows = 0;
  for (const [path, select] of [
    ...Object.entries(tables).map(([name, sql]) => [join(dir, `${name}.parquet`), sql] as const),
    [opsPath, opsSql(chapters)] as const,
  ]) {
    await db.run(`COPY (${select}) TO ${literal(path)} (FORMAT parquet)`);
    const [count] = await db.all(`SELECT count(*) AS n FROM ${literal(path)}`);
    rows += Number(count?.["n"]);
  }
  return rows;
}
