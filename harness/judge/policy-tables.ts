/**
 * What X0, X1 and X2 look at, worked out once from the canonical tables:
 *
 *     order_decisions   one row an order and decision (hold | cancel): who began it, since when, under which policies
 *     policy_list       one row a policy@version, its texts read: deadline in µs, flat or rate compensation
 *     policy_scope      one row a policy@version and order of its snapshot: in scope? carved out? due? class
 *     cancel_effects    one row an order the system cancelled: refunded, told, compensated, shipped, coupon freed
 *     policy_orders     policy_scope with what became of each order, and why it is set aside where it is
 *     judged_books      one row: which optional tables were really there, with the columns that matter
 *
 * Every attribute comes from the snapshot, never from the final row.
 */
import { messageOf } from "../errors.ts";
import { literal, type Database, type Row } from "../history/duckdb.ts";
import type { LoadedBooks } from "./load-books.ts";
import {
  fieldsOf,
  parsePredicate,
  predicateSql,
  testSql,
  testsOf,
  type Predicate,
} from "./predicate.ts";

const POLICY_LIMIT = 100;
/** More attributes than this cannot make a class anyone could explain. */
const ATTRIBUTE_LIMIT = 64;

const path = (field: string): string => `$."${field}"`;

/**
 * An order's cancel or hold is one decision, however many steps it takes (cancelling, cancelled): who began it counts.
 * `payment`: an unpaid order's end by the gateway or a job no operator started; that is no cancellation of a purchase.
 * `authorised` is NULL where a job is named and no jobs are known.
 */
const DECISIONS = `
  CREATE TABLE order_decisions AS
  WITH steps AS (
    SELECT e.order_id, e.seq, e.at_us, e.policy, e.to_status, coalesce(e.version, e.seq) AS step,
      CASE WHEN e.to_status = 'held' THEN 'hold' ELSE 'cancel' END AS decision,
      CASE WHEN e.actor = 'customer' OR (e.actor = 'job' AND j.actor = 'customer') THEN 'customer'
           WHEN e.from_status = 'pending' AND (e.actor = 'gateway' OR (e.actor = 'job' AND j.actor IS DISTINCT FROM 'operator')) THEN 'payment'
           ELSE 'system' END AS who,
      CASE WHEN e.actor = 'operator' OR (e.actor = 'job' AND j.actor = 'operator') THEN true
           WHEN e.actor = 'job' AND NOT (SELECT has_jobs FROM judged_books) THEN NULL
           ELSE false END AS authorised
    FROM order_events e LEFT JOIN jobs j ON j.id = e.job_id
    WHERE e.to_status IN ('held', 'cancelling', 'cancelled'))
  SELECT order_id, decision, arg_min(who, step) AS who,
    CASE WHEN count_if(authorised = false) > 0 THEN false WHEN count(authorised) < count(*) THEN NULL ELSE true END AS authorised,
    min(seq) AS first_seq, max(seq) AS last_seq, min(step) AS first_step, max(step) AS last_step, min(at_us) AS first_at_us, max(at_us) AS last_at_us,
    bool_or(to_status = 'cancelled') AS completed,
    coalesce(list(DISTINCT policy) FILTER (policy IS NOT NULL AND policy <> ''), []) AS policies
  FROM steps GROUP BY order_id, decision`;

const POLICY_LIST = `
  CREATE TABLE policy_list AS
  SELECT policy || '@' || version AS ref, policy, version, published_seq, published_at_us, scope, carve_outs, coupon_action, compensation,
    CASE WHEN lower(action) IN ('hold', 'held') THEN 'held' WHEN lower(action) = 'recall' THEN NULL ELSE 'cancelled' END AS target,
    deadline_ms * 1000 AS deadline_us,
    try_cast(regexp_extract(compensation, '^\\s*flat:(\\d+)\\s*$', 1) AS BIGINT) AS flat,
    CAST(round(try_cast(regexp_extract(compensation, '^\\s*rate:(\\d+(\\.\\d+)?)%\\s*$', 1) AS DOUBLE) * 10000) AS BIGINT) AS rate_ppm
  FROM policies`;

/** The refund, message, compensation, parcel and coupon of every order the system cancelled; G's ledger before A's word. */
const EFFECTS = `
  CREATE TABLE cancel_effects AS
  WITH hit AS (SELECT d.order_id, d.first_seq, d.first_step, d.last_at_us, o.user_id, o.coupon_id, o.captured
      FROM order_decisions d LEFT JOIN orders o ON o.id = d.order_id WHERE d.who = 'system' AND d.decision = 'cancel'),
  paid AS (SELECT order_id, sum(amount) FILTER (kind = 'capture' AND result = 'ok') AS captured, sum(amount) FILTER (kind = 'refund' AND result = 'ok') AS refunded,
      sum(amount) FILTER (kind = 'refund' AND result = 'unknown') AS refund_unknown, sum(amount) FILTER (kind = 'capture' AND result = 'unknown') AS capture_unknown
      FROM payments SEMI JOIN hit USING (order_id) GROUP BY order_id),
  owed AS (SELECT order_id, sum(amount) FILTER (state = 'done') AS done, sum(amount) FILTER (state = 'awaiting_account') AS awaiting,
      sum(amount) FILTER (state = 'requested') AS requested FROM refunds SEMI JOIN hit USING (order_id) GROUP BY order_id),
  told AS (SELECT h.order_id, count(*) AS told FROM hit h JOIN notifications n ON n.ref_kind = 'order' AND n.ref = h.order_id AND n.user_id = h.user_id
      WHERE n.event_seq >= h.first_seq OR (n.event_seq IS NULL AND (NOT same_clock('shop', 'sink') OR coalesce(n.at_us >= h.last_at_us - 1000, true))) GROUP BY h.order_id),
  comforted AS (SELECT order_id, count(*) AS compensations, sum(amount) AS compensated FROM compensations SEMI JOIN hit USING (order_id) GROUP BY order_id),
  parcels AS (SELECT order_id, min(coalesce(version, seq)) AS shipped_step FROM order_events SEMI JOIN hit USING (order_id) WHERE to_status = 'shipped' GROUP BY order_id),
  freed AS (SELECT h.order_id, bool_or(c.to_status = 'released') AS coupon_released, bool_or(c.to_status = 'void') AS coupon_voided
      FROM hit h JOIN coupon_events c ON c.coupon_id = h.coupon_id AND c.to_status IN ('released', 'void') AND c.seq >= h.first_seq GROUP BY h.order_id)
  SELECT h.order_id, h.user_id, h.coupon_id, h.first_step, h.first_seq, h.last_at_us,
    CASE WHEN b.has_payments THEN coalesce(paid.captured, 0) ELSE h.captured END AS captured,
    coalesce(CASE WHEN b.has_payments THEN paid.refunded ELSE owed.done END, 0) AS refunded,
    coalesce(paid.refund_unknown, 0) AS refund_unknown, coalesce(paid.capture_unknown, 0) AS capture_unknown,
    coalesce(owed.awaiting, 0) AS awaiting, coalesce(owed.requested, 0) AS requested, coalesce(told.told, 0) AS told,
    coalesce(compensations, 0) AS compensations, coalesce(compensated, 0) AS compensated, shipped_step,
    coalesce(coupon_released, false) AS coupon_released, coalesce(coupon_voided, false) AS coupon_voided
  FROM hit h CROSS JOIN judged_books b LEFT JOIN paid USING (order_id) LEFT JOIN owed USING (order_id) LEFT JOIN told USING (order_id)
    LEFT JOIN comforted USING (order_id) LEFT JOIN parcels USING (order_id) LEFT JOIN freed USING (order_id)`;

/**
 * An order may stand in several snapshots. A cancel that names a policy in whose snapshot the order stands belongs to
 * that policy; one that names none belongs to the latest policy published before it. Under the others it is set aside.
 */
const POLICY_ORDERS = `
  CREATE TABLE policy_orders AS
  WITH state AS (
    SELECT s.*, o.user_id, o.status, p.published_seq, p.target,
      CASE WHEN o.id IS NULL THEN 'missing' WHEN o.status IN ('cancelled', 'held', 'cancelling') THEN o.status ELSE 'kept' END AS state
    FROM policy_scope s JOIN policy_list p USING (ref) LEFT JOIN orders o ON o.id = s.order_id),
  open_items AS (SELECT DISTINCT i.order_id FROM job_items i JOIN jobs j ON j.id = i.job_id WHERE j.kind = 'cancel' AND j.end_seq IS NULL AND i.done_seq IS NULL AND i.order_id IS NOT NULL),
  named AS (SELECT DISTINCT d.order_id, d.decision, s.ref FROM (SELECT order_id, decision, unnest(policies) AS ref FROM order_decisions WHERE who = 'system') d
      JOIN policy_scope s ON s.ref = d.ref AND s.order_id = d.order_id),
  standing AS (SELECT order_id, decision, count(*) AS policies FROM named GROUP BY order_id, decision),
  compensated_orders AS (SELECT DISTINCT order_id FROM compensations WHERE order_id IS NOT NULL),
  decided AS (
    SELECT st.*, d.decision, d.who, d.first_seq, d.first_at_us, d.last_at_us, coalesce(d.completed, false) AS completed, n.ref IS NOT NULL AS names_this, coalesce(g.policies, 0) AS names_standing,
      x.order_id IS NOT NULL AS listed_open, z.order_id IS NOT NULL AS compensated_any
    FROM state st LEFT JOIN order_decisions d ON d.order_id = st.order_id AND d.decision = CASE st.state WHEN 'held' THEN 'hold' WHEN 'kept' THEN NULL WHEN 'missing' THEN NULL ELSE 'cancel' END
      LEFT JOIN named n ON n.order_id = st.order_id AND n.decision = d.decision AND n.ref = st.ref
      LEFT JOIN standing g ON g.order_id = st.order_id AND g.decision = d.decision
      LEFT JOIN open_items x ON x.order_id = st.order_id
      LEFT JOIN compensated_orders z ON z.order_id = st.order_id),
  latest AS (SELECT order_id, arg_max(ref, published_seq) AS ref FROM decided WHERE who = 'system' AND names_standing = 0 AND (SELECT count(*) FROM policy_list) > 1
      AND published_seq <= first_seq GROUP BY order_id)
  , became AS (SELECT d.ref, d.order_id, d.user_id, d.in_scope, d.carved, d.due, d.class, d.target, d.state, d.status, d.first_seq, d.first_at_us, d.last_at_us, d.compensated_any,
    (d.state = 'cancelling' OR (d.listed_open AND d.state IN ('kept', 'held'))) AND d.in_scope IS NOT FALSE AS undecided,
    CASE WHEN d.state = 'missing' THEN 'not in the orders table'
         WHEN d.who = 'customer' THEN 'cancelled by its own customer'
         WHEN d.who = 'payment' OR d.status = 'failed' THEN 'never paid'
         WHEN d.who IS NULL AND d.state <> 'kept' THEN 'no audit event says who cancelled it'
         WHEN d.names_standing > 0 AND NOT d.names_this THEN 'cancelled under another policy'
         WHEN l.ref IS NOT NULL AND l.ref <> d.ref THEN 'belongs to a later policy' END AS set_aside,
    CASE WHEN d.state = 'kept' OR e.captured IS NULL OR e.captured = 0 OR NOT (b.has_payments OR b.has_refunds) THEN NULL
         ELSE round((e.refunded + e.awaiting) / e.captured, 2) END AS share,
    coalesce(e.refund_unknown + e.requested > 0, false) AS share_open,
    CASE WHEN d.state <> 'kept' AND b.has_notifications AND d.decision = 'cancel' THEN coalesce(e.told, 0) > 0 END AS told
  FROM decided d CROSS JOIN judged_books b LEFT JOIN latest l ON l.order_id = d.order_id LEFT JOIN cancel_effects e ON e.order_id = d.order_id)
  SELECT *, concat_ws(', ', state, CASE WHEN share IS NOT NULL THEN 'money back ' || CAST(round(share * 100) AS BIGINT) || ' %' END,
      CASE WHEN told THEN 'told' WHEN NOT told THEN 'not told' END, CASE WHEN compensated_any THEN 'compensated' END) AS outcome
  FROM became`;

/** What the rules look at only where it is there; without it they must not take an absent row for a wrong. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  jobs: ["id", "actor"],
  payments: ["order_id", "kind", "amount", "result"],
  refunds: ["order_id", "amount", "state"],
  notifications: ["user_id", "ref_kind", "ref"],
  compensations: ["order_id", "amount"],
  coupons: ["id", "status"],
  coupon_events: ["coupon_id", "to_status", "seq"],
};
const COUPON_AUDIT = [
  "coupon_id",
  "version",
  "from_status",
  "to_status",
  "actor",
  "reason",
  "policy",
];

function booksSql(present: LoadedBooks["present"]): string {
  const has = (table: string, columns: readonly string[]): boolean =>
    columns.every((column) => present.get(table)?.has(column) === true);
  const flags = Object.entries(OPTIONAL).map(
    ([table, columns]) => `${has(table, columns)} AS has_${table}`,
  );
  return `CREATE TABLE judged_books AS SELECT ${flags.join(", ")}, ${has("coupon_events", COUPON_AUDIT)} AS has_coupon_audit`;
}

interface ReadPolicy {
  readonly ref: string;
  readonly where: string;
  readonly scope: Predicate | null;
  readonly carveOuts: Predicate | null;
  readonly problems: readonly string[];
}

function readPolicy(row: Row): ReadPolicy {
  const ref = String(row["ref"]);
  const problems: string[] = [];
  const parse = (column: "scope" | "carve_outs"): Predicate | null => {
    const text = row[column];
    if (typeof text !== "string" || text.trim() === "") {
      if (column === "scope") problems.push(`policy ${ref} has no scope`);
      return null;
    }
    try {
      return parsePredicate(text, `policy ${ref}, ${column}`);
    } catch (error) {
      problems.push(messageOf(error));
      return null;
    }
  };
  const where = `policy = ${literal(String(row["policy"]))} AND version = ${Number(row["version"])}`;
  return { ref, where, scope: parse("scope"), carveOuts: parse("carve_outs"), problems };
}

/** Attributes of a snapshot: all names, and which of them are categorical (JSON strings or booleans). */
async function attributesOf(
  db: Database,
  where: string,
): Promise<{ names: Set<string>; categorical: string[] }> {
  const [row] = await db.all(
    `SELECT CAST(json_group_structure(attributes) AS VARCHAR) AS structure FROM (SELECT DISTINCT attributes FROM policy_snapshots WHERE ${where}) WHERE json_type(attributes) = 'OBJECT'`,
  );
  const structure: unknown =
    typeof row?.["structure"] === "string" ? JSON.parse(row["structure"]) : {};
  const entries =
    typeof structure === "object" && structure !== null ? Object.entries(structure) : [];
  const usable = entries.filter(([name]) => !name.includes('"') && !name.includes("\\"));
  return {
    names: new Set(usable.map(([name]) => name)),
    categorical: usable
      .filter(([, type]) => type === "VARCHAR" || type === "BOOLEAN")
      .map(([name]) => name),
  };
}

/** Fills policy_scope for one policy; @returns what kept it from being decided. */
async function scopeOne(db: Database, policy: ReadPolicy): Promise<readonly string[]> {
  const { names, categorical } = await attributesOf(db, policy.where);
  const predicates = [policy.scope, policy.carveOuts].filter((predicate) => predicate !== null);
  const looked = [...new Set(predicates.flatMap(fieldsOf))];
  const absent = names.size === 0 ? [] : looked.filter((field) => !names.has(field));
  const problems = [
    ...policy.problems,
    ...absent.map(
      (field) =>
        `policy ${policy.ref} looks at the attribute ${field}, which no order of its snapshot has`,
    ),
  ];
  const fields = [...new Set([...looked, ...categorical])];
  if (fields.length > ATTRIBUTE_LIMIT)
    problems.push(
      `policy ${policy.ref} has ${fields.length} attributes; a class is made of at most ${ATTRIBUTE_LIMIT}`,
    );
  const insert = (inScope: string, carved: string, key: string, from: string): Promise<void> =>
    db.run(`INSERT INTO policy_scope SELECT ${literal(policy.ref)}, order_id, in_scope, carved,
      CASE WHEN in_scope = false OR carved = true THEN false WHEN in_scope AND carved = false THEN true END, hash(key)
      FROM (SELECT order_id, ${inScope} AS in_scope, ${carved} AS carved, ${key} AS key FROM ${from})`);
  if (problems.length > 0 || policy.scope === null) {
    // What a policy says is unknown: nobody is in or out of scope, and nobody is known to be like anybody.
    await insert(
      "CAST(NULL AS BOOLEAN)",
      "CAST(NULL AS BOOLEAN)",
      "order_id",
      `policy_snapshots WHERE ${policy.where}`,
    );
    return problems;
  }
  const textOf = (field: string): string => `v[${fields.indexOf(field) + 1}]`;
  const truths = predicates
    .flatMap(testsOf)
    .map((test) => `CAST(${testSql(test, textOf)} AS VARCHAR)`);
  const key = `[${[...truths, ...categorical.map(textOf)].join(", ")}]`;
  const paths = fields.map((field) => literal(path(field))).join(", ");
  await insert(
    predicateSql(policy.scope, textOf),
    policy.carveOuts === null ? "false" : predicateSql(policy.carveOuts, textOf),
    key,
    `(SELECT order_id, json_extract_string(attributes, [${paths}]) AS v FROM policy_snapshots WHERE ${policy.where})`,
  );
  return [];
}

/**
 * Makes the derived tables. Every canonical table must exist (empty ones stand in for absent ones), and so must the
 * macros of derive.ts.
 *
 * @param present the tables and columns that were really there
 * @returns what keeps a policy from being decided (a scope that cannot be read, an attribute no snapshot has): with
 *   any, X0 cannot pass
 */
export async function preparePolicyTables(
  db: Database,
  present: LoadedBooks["present"],
): Promise<readonly string[]> {
  await db.run(booksSql(present));
  await db.run(DECISIONS);
  await db.run(POLICY_LIST);
  await db.run(
    "CREATE TABLE policy_scope (ref VARCHAR, order_id VARCHAR, in_scope BOOLEAN, carved BOOLEAN, due BOOLEAN, class UBIGINT)",
  );
  const rows = await db.all(
    "SELECT ref, policy, version, scope, carve_outs FROM policy_list ORDER BY published_seq, ref",
  );
  const problems: string[] = [];
  if (rows.length > POLICY_LIMIT)
    problems.push(`${rows.length} policies are published; at most ${POLICY_LIMIT} are judged`);
  for (const row of rows.slice(0, POLICY_LIMIT))
    problems.push(...(await scopeOne(db, readPolicy(row))));
  await db.run(EFFECTS);
  await db.run(POLICY_ORDERS);
  return problems;
}
