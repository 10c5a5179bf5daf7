/**
 * What every invariant may lean on beside the canonical tables: the rules of time as SQL macros, each entity's events
 * in the order its row lock gave them, and the client's wishes resolved against the books (design.md §6, §7).
 *
 *     surely_before(seq_a, us_a, seq_b, us_b)  two commits of the shop's book, and no doubt which came first: `seq` says
 *                                              so and `at_us`, where known, is 1,000 µs apart; never true in a book
 *                                              whose seq_quality is approximate
 *     overdue(start_us, ms, book)              when the book was read the deadline had passed, by 1,000 µs or more
 *     read_at(book) · same_clock(a, b) · drained()
 *     books_present(name)                      the tables that were really there: a stand-in is empty and proves nothing
 *     shop_clock(seq, at_us)                   commit times of the shop's book, for columns that hold a seq alone
 *     order_log, coupon_log                    one row an event, with the status before and after it: prev_*, next_*;
 *                                              prev_sure: the order of the two is beyond doubt
 *     payment_log                              the gateway's rows with the order they belong to and what they act on
 *     order_money                              one row an order, or capture without one: what the shop and the gateway say
 *                                              was taken and given back
 *     attempts                                 the operations but reads, with what their JSON asked and was told
 *     intents                                  one row a wish: acknowledged, refused, in_books, resolution
 */
import { READ_KINDS } from "../history/operation.ts";
import { literal, type Database } from "../history/duckdb.ts";
import type { LoadedBooks } from "./load-books.ts";

/** Commits nearer than this are concurrent. */
const CONCURRENT_US = 1_000;

async function macros(db: Database, drained: boolean): Promise<void> {
  const [books] = await db.all(
    "SELECT coalesce(bool_or(seq_quality = 'approximate'), false) AS approximate FROM books WHERE book = 'shop'",
  );
  const exact = books?.["approximate"] !== true;
  await db.run(`
    CREATE MACRO surely_before(sa, ta, sb, tb) AS
      ${exact} AND coalesce(sa < sb, ta < tb, false) AND coalesce(tb - ta >= ${CONCURRENT_US}, true);
    CREATE MACRO exact_order() AS ${exact};
    CREATE MACRO drained() AS ${drained};
    CREATE MACRO read_at(b) AS (SELECT max(read_at_us) FROM books WHERE book = b);
    CREATE MACRO same_clock(a, b) AS a = b OR (SELECT count(clock) = 2 AND count(DISTINCT clock) = 1 FROM books WHERE book IN (a, b));
    -- Books whose time of reading nobody wrote down were read at rest (design.md §7): what is open then stays open.
    CREATE MACRO overdue(start_us, ms, b) AS coalesce(read_at(b) - start_us >= ms * 1000 + ${CONCURRENT_US}, true);
    CREATE TABLE shop_clock AS
      SELECT seq, min(at_us) AS at_us FROM (
        SELECT seq, at_us FROM commits WHERE book = 'shop'
        UNION ALL SELECT seq, at_us FROM coupon_events WHERE (SELECT count(*) FROM commits WHERE book = 'shop') = 0
        UNION ALL SELECT seq, at_us FROM order_events WHERE (SELECT count(*) FROM commits WHERE book = 'shop') = 0)
      WHERE seq IS NOT NULL AND at_us IS NOT NULL GROUP BY seq;`);
}

/** What a log keeps of its events: sorting is the costly part, and every column more is sorted along. */
const LOGS = {
  order_log: {
    table: "order_events",
    id: "order_id",
    keeps: "order_id, seq, version, from_status, to_status",
  },
  coupon_log: {
    table: "coupon_events",
    id: "coupon_id",
    keeps: "coupon_id, seq, version, from_status, to_status, actor, job_id, order_id, intent",
  },
} as const;

/** One entity's events in order: `version` is written under the row's lock and decides, whatever seq and clock say. */
async function logSql(db: Database, log: keyof typeof LOGS): Promise<string> {
  const { table, id, keeps } = LOGS[log];
  const [untimed] = await db.all(`SELECT count(*) AS n FROM ${table} WHERE at_us IS NULL`);
  const timed =
    untimed?.["n"] === 0
      ? `SELECT ${keeps}, at_us AS us FROM ${table}`
      : `SELECT e.* EXCLUDE (at_us), coalesce(e.at_us, k.at_us) AS us FROM (SELECT ${keeps}, at_us FROM ${table}) e LEFT JOIN shop_clock k ON k.seq = CASE WHEN e.at_us IS NULL THEN e.seq END`;
  return `
    WITH timed AS (${timed}),
    chained AS (
      SELECT *, lag(to_status) OVER w AS prev_status, lag(seq) OVER w AS prev_seq, lag(us) OVER w AS prev_us, lag(version) OVER w AS prev_version,
        lead(to_status) OVER w AS next_status, lead(seq) OVER w AS next_seq, lead(us) OVER w AS next_us, row_number() OVER w AS step
      FROM timed WINDOW w AS (PARTITION BY ${id} ORDER BY version NULLS LAST, seq, us))
    SELECT *, coalesce(prev_version < version, false) OR surely_before(prev_seq, prev_us, seq, us) AS prev_sure FROM chained`;
}

/** Where the books keep a wish's key. Orders and claims must (design.md §6); of the others absence proves nothing unless such keys are there at all. */
const KEPT_IN: readonly { kind: string; table: string; where: string; always: boolean }[] = [
  { kind: "order", table: "orders", where: "true", always: true },
  { kind: "claim", table: "coupon_events", where: "true", always: true },
  { kind: "issue", table: "jobs", where: "true", always: true },
  { kind: "issue", table: "coupon_events", where: "from_status IS NULL", always: false },
  { kind: "recall", table: "jobs", where: "true", always: true },
  { kind: "withdraw", table: "jobs", where: "true", always: true },
  { kind: "redeem", table: "coupon_events", where: "to_status = 'used'", always: false },
  {
    kind: "cancel",
    table: "order_events",
    where: "to_status IN ('cancelling', 'cancelled')",
    always: false,
  },
  { kind: "ship", table: "order_events", where: "to_status = 'shipped'", always: false },
];

async function intents(db: Database, books: LoadedBooks): Promise<void> {
  const kinds = new Set((await db.all("SELECT DISTINCT kind FROM ops")).map((row) => row["kind"]));
  const kept = KEPT_IN.filter(
    (place) => kinds.has(place.kind) && books.present.get(place.table)?.has("intent") === true,
  );
  const found = kept.map(
    ({ kind, table, where }) =>
      `CASE WHEN w.kind = ${literal(kind)} THEN w.intent END IN (SELECT intent FROM ${table} WHERE intent IS NOT NULL AND ${where})`,
  );
  const always = kept.filter((place) => place.always).map((place) => literal(place.kind));
  const reads = [...READ_KINDS].map(literal).join(", ");
  await db.run(`
    -- Each JSON text is parsed once, for all that any invariant asks of it.
    CREATE TABLE attempts AS
    SELECT intent, kind, attempt, outcome, process = 'operator' AS operator, time_invoke_ns, time_complete_ns,
      asked[1] AS user_id, asked[2] AS campaign_id, asked[3] AS for_order,
      told[1] AS order_id, told[2] AS coupon_id, told[3] AS code, told[4] AS job_id, told[5] AS issued, told[6] AS status
    FROM (SELECT *, json_extract_string(request, ['$.user_id', '$.campaign_id', '$.order_id']) AS asked,
        CASE WHEN outcome = 'ok' THEN json_extract_string(response, ['$.order_id', '$.coupon_id', '$.code', '$.job_id', '$.issued', '$.status']) END AS told
      FROM ops WHERE kind NOT IN (${reads}));
    CREATE TABLE intents AS
    WITH wishes AS (
      SELECT intent, kind, count(*) AS attempts, count(*) FILTER (outcome = 'info') AS infos, coalesce(bool_or(operator), false) AS operator,
        coalesce(bool_or(outcome = 'ok'), false) AS acknowledged, coalesce(bool_and(outcome = 'fail'), false) AS refused,
        any_value(user_id) AS user_id, any_value(campaign_id) AS campaign_id, coalesce(any_value(order_id), any_value(for_order)) AS order_id
      FROM attempts WHERE intent IS NOT NULL GROUP BY intent, kind),
    placed AS (
      SELECT w.*, ${["false", ...found].map((test) => `coalesce(${test}, false)`).join(" OR ")}
        OR coalesce(CASE WHEN w.kind = 'order' AND w.acknowledged THEN w.order_id END IN (SELECT id FROM orders WHERE id IS NOT NULL), false) AS in_books
      FROM wishes w),
    provable AS (SELECT DISTINCT kind FROM placed WHERE acknowledged AND in_books ${always.length === 0 ? "" : `UNION SELECT unnest([${always.join(", ")}])`})
    SELECT *, CASE
      WHEN acknowledged THEN 'took-effect' WHEN refused THEN 'did-not'
      WHEN in_books THEN 'took-effect' WHEN kind IN (FROM provable) AND drained() THEN 'did-not' ELSE 'unknown' END AS resolution
    FROM placed`);
}

/**
 * The gateway's ledger by order. A row's order is its own order_id, else the order that its merchant_ref names by id or
 * intent, else its parent's. An unknown result that a later row of the same key settled is no longer unknown.
 */
const PAYMENT_LOG = `
  CREATE TABLE payment_log AS
  WITH unnamed AS (SELECT DISTINCT merchant_ref AS ref FROM payments WHERE order_id IS NULL AND merchant_ref IS NOT NULL),
  refs AS (
    SELECT u.ref, coalesce(any_value(o.id), min(i.id)) AS id FROM unnamed u LEFT JOIN orders o ON o.id = u.ref LEFT JOIN orders i ON i.intent = u.ref GROUP BY u.ref),
  settled AS (
    SELECT DISTINCT kind, idempotency_key FROM payments WHERE result IN ('ok', 'declined')
      AND idempotency_key IN (SELECT idempotency_key FROM payments WHERE result = 'unknown')),
  named AS (
    SELECT p.*, coalesce(p.order_id, r.id, p.merchant_ref) AS own_ref FROM payments p LEFT JOIN refs r ON r.ref = CASE WHEN p.order_id IS NULL THEN p.merchant_ref END),
  parents AS (
    SELECT id, any_value(kind) AS kind, any_value(amount) AS amount, any_value(own_ref) AS own_ref FROM named
    WHERE id IN (SELECT parent_id FROM payments WHERE parent_id IS NOT NULL AND (kind <> 'capture' OR order_id IS NULL)) GROUP BY id)
  SELECT p.id, p.parent_id, coalesce(p.own_ref, q.own_ref) AS order_ref, p.kind, q.kind AS parent_kind, p.idempotency_key, p.seq, p.at_us AS us,
    CASE WHEN p.kind = 'void' THEN coalesce(nullif(p.amount, 0), q.amount, 0) ELSE coalesce(p.amount, 0) END AS amount,
    CASE WHEN p.result = 'unknown' AND s.idempotency_key IS NOT NULL THEN 'declined' ELSE p.result END AS result
  FROM named p LEFT JOIN parents q ON q.id = p.parent_id LEFT JOIN settled s ON s.kind = p.kind AND s.idempotency_key = CASE WHEN p.result = 'unknown' THEN p.idempotency_key END`;

/**
 * Both sides of every order's money, joined once. A void of an authorization moves no money; one whose parent nobody
 * names may or may not have undone a capture.
 */
const ORDER_MONEY = `
  CREATE TABLE order_money AS
  WITH sums AS (
    SELECT CASE WHEN order_ref IS NULL THEN 'payment ' || coalesce(CASE WHEN kind = 'capture' THEN id END, parent_id, id) ELSE order_ref END AS order_ref,
      bool_and(order_ref IS NULL) AS nameless,
      sum(amount) FILTER (kind = 'capture' AND result = 'ok') AS captured,
      sum(amount) FILTER (kind = 'refund' AND result = 'ok') AS refunded,
      sum(amount) FILTER (kind = 'void' AND result = 'ok' AND parent_kind = 'capture') AS voided,
      sum(amount) FILTER (kind = 'capture' AND result = 'unknown') AS unknown_in,
      sum(amount) FILTER ((kind = 'refund' AND result = 'unknown') OR (kind = 'void' AND result <> 'declined' AND parent_kind IS NULL)
        OR (kind = 'void' AND result = 'unknown' AND parent_kind = 'capture')) AS unknown_out,
      count(*) FILTER (kind = 'capture' AND result <> 'declined') AS captures,
      max(us) FILTER (kind = 'capture' AND result = 'ok') AS captured_us,
      max(us) FILTER (kind IN ('refund', 'void') AND result = 'ok') AS returned_us,
      min(id) FILTER (kind = 'capture') AS capture_id, max(seq) AS seq
    FROM payment_log GROUP BY 1)
  SELECT coalesce(o.id, m.order_ref) AS order_ref, coalesce(m.nameless, false) AS nameless, m.order_ref IS NOT NULL AS in_gateway, o.id IS NOT NULL AS has_order,
    o.status, coalesce(o.status IN ('pending', 'paid', 'held', 'cancelling', 'shipped'), false) AS live, o.captured AS shop_captured, o.refunded AS shop_refunded,
    coalesce(m.captured, 0)::BIGINT AS captured, coalesce(m.refunded, 0)::BIGINT AS refunded, coalesce(m.voided, 0)::BIGINT AS voided,
    coalesce(m.unknown_in, 0)::BIGINT AS unknown_in, coalesce(m.unknown_out, 0)::BIGINT AS unknown_out, coalesce(m.captures, 0) AS captures,
    m.captured_us, m.returned_us, m.capture_id, m.seq
  FROM orders o FULL JOIN sums m ON m.order_ref = o.id`;

/** Makes the macros, `shop_clock` and `intents`, and of the logs those that one of the queries names. */
export async function derive(
  db: Database,
  books: LoadedBooks,
  drained: boolean,
  queries: readonly string[],
): Promise<void> {
  await macros(db, drained);
  await db.run("CREATE TABLE books_present (name VARCHAR)");
  if (books.present.size > 0)
    await db.run(
      `INSERT INTO books_present VALUES ${[...books.present.keys()].map((name) => `(${literal(name)})`).join(", ")}`,
    );
  await intents(db, books);
  const named = (name: string): boolean => queries.some((sql) => sql.includes(name));
  if (named("payment_log") || named("order_money")) await db.run(PAYMENT_LOG);
  if (named("order_money")) await db.run(ORDER_MONEY);
  if (named("order_log"))
    await db.run(`CREATE TABLE order_log AS ${await logSql(db, "order_log")}`);
  if (named("coupon_log"))
    await db.run(
      `CREATE TABLE coupon_log AS SELECT e.*, c.campaign_id, c.user_id FROM (${await logSql(db, "coupon_log")}) e LEFT JOIN (SELECT id, any_value(campaign_id) AS campaign_id, any_value(user_id) AS user_id FROM coupons GROUP BY id) c ON c.id = e.coupon_id`,
    );
}
