/**
 * Matched pairs: two customers in one class, alike in everything the policy may look at, one cancelled and one not; and
 * which fact outside the policy separates cancelled from kept best. Facts are those known before the decision: a kept
 * order that ships afterwards was not kept because it shipped.
 */
import { literal, type Database, type Row } from "../history/duckdb.ts";
import type { MatchedPair } from "../history/run-folder.ts";
import { separations, type FactCount, type Separation } from "./arbitrariness.ts";

const PAIRS_SHOWN = 5;
const SEPARATORS_SHOWN = 3;
/** A second fact is worth a pair when it explains at least this share of what the better ones leave. */
const LEFT_EXPLAINED_LEAST = 0.05;
/** Looked at: the classes with the most differing pairs, and at most so many orders of them. */
const CLASS_LIMIT = 200;
const ORDER_LIMIT = 200_000;
const ATTRIBUTE_LIMIT = 10;

interface Fact {
  readonly name: string;
  /** SQL over the pool: the text shown to people. */
  readonly shown: string;
  /** SQL over the pool: few values, so that they can be counted. */
  readonly bucket: string;
}

type Side = MatchedPair["left"];

const yesNo = (condition: string): string =>
  `CASE WHEN ${condition} THEN 'yes' WHEN NOT (${condition}) THEN 'no' ELSE 'unknown' END`;
const same = (name: string, sql: string): Fact => ({ name, shown: sql, bucket: sql });

const FACTS: readonly Fact[] = [
  same("refund account on file", yesNo("has_account")),
  same("shipped before the first cancel", yesNo("shipped_early")),
  {
    name: "minute of purchase",
    shown: "strftime(make_timestamp(ordered_us), '%H:%M')",
    bucket: "CAST(minute_tenth AS VARCHAR)",
  },
  {
    name: "place in the batch (by purchase)",
    shown: "place || ' of ' || places",
    bucket: "CAST(place * 10 // (places + 1) AS VARCHAR)",
  },
  same("seller", "seller"),
  same("gateway's answer to the charge", "coalesce(charge, 'none')"),
  same(
    "attempts until the order stood",
    "CASE WHEN attempts >= 3 THEN '3 or more' ELSE coalesce(CAST(attempts AS VARCHAR), 'unknown') END",
  ),
];

/** Orders of the mixed classes with everything the facts need, one row each, in the table `pair_pool`. */
const POOL = `
  CREATE OR REPLACE TABLE pair_pool AS
  WITH mixed AS (
    SELECT ref, class, count(*) FILTER (state <> 'kept') AS k, count(*) FILTER (state = 'kept') AS m FROM policy_orders WHERE set_aside IS NULL AND NOT undecided
    GROUP BY ref, class HAVING k > 0 AND m > 0 ORDER BY k * m DESC, ref, class LIMIT ${CLASS_LIMIT}),
  chosen AS (
    SELECT p.ref, p.class, p.order_id, p.state FROM policy_orders p SEMI JOIN mixed USING (ref, class)
    WHERE p.set_aside IS NULL AND NOT p.undecided ORDER BY hash(p.order_id), p.ref LIMIT ${ORDER_LIMIT}),
  bought AS (SELECT order_id, min(seq) AS ordered_seq, min(at_us) AS ordered_us FROM order_events SEMI JOIN chosen USING (order_id) GROUP BY order_id),
  parcels AS (SELECT order_id, min(seq) AS shipped_seq FROM order_events SEMI JOIN chosen USING (order_id) WHERE to_status = 'shipped' GROUP BY order_id),
  charges AS (SELECT order_id, max(result) AS charge FROM payments SEMI JOIN chosen USING (order_id) WHERE kind = 'capture' GROUP BY order_id),
  baskets AS (SELECT order_id, string_agg(sku || ' ×' || qty, ', ' ORDER BY sku, qty) AS items FROM order_items SEMI JOIN chosen USING (order_id) GROUP BY order_id),
  batch AS (SELECT min(first_seq) AS began_seq FROM order_decisions WHERE who = 'system'),
  tries AS (SELECT intent, max(attempt) AS attempts FROM ops WHERE kind = 'order' GROUP BY intent)
  SELECT c.ref, c.class, c.order_id, c.state <> 'kept' AS cancelled, o.user_id, o.seller, o.total, o.attributes, coalesce(b.items, '') AS items, b0.ordered_us, b0.ordered_seq,
    m.has_refund_account AS has_account, coalesce(k.shipped_seq <= batch.began_seq, false) AS shipped_early, g.charge, t.attempts,
    count(*) OVER (PARTITION BY c.ref) AS places, row_number() OVER (PARTITION BY c.ref ORDER BY b0.ordered_seq, c.order_id) AS place,
    (b0.ordered_us - min(b0.ordered_us) OVER ()) // greatest(60000000, (max(b0.ordered_us) OVER () - min(b0.ordered_us) OVER ()) // 9 + 1) AS minute_tenth
  FROM chosen c JOIN orders o ON o.id = c.order_id CROSS JOIN batch LEFT JOIN bought b0 ON b0.order_id = c.order_id LEFT JOIN baskets b ON b.order_id = c.order_id
    LEFT JOIN parcels k ON k.order_id = c.order_id LEFT JOIN members m ON m.id = o.user_id LEFT JOIN charges g ON g.order_id = c.order_id LEFT JOIN tries t ON t.intent = o.intent`;

/** Names and types of the attributes of some rows. */
async function structureOf(db: Database, from: string): Promise<Map<string, unknown>> {
  const [row] = await db.all(
    `SELECT CAST(json_group_structure(attributes) AS VARCHAR) AS structure FROM ${from} WHERE json_type(attributes) = 'OBJECT'`,
  );
  const parsed: unknown =
    typeof row?.["structure"] === "string" ? JSON.parse(row["structure"]) : {};
  return new Map(typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : []);
}

/** The fixed facts, and what the final rows say that no snapshot declares; a declared attribute is never among them. */
async function factsOf(db: Database): Promise<Fact[]> {
  const declared = await structureOf(
    db,
    "(SELECT s.attributes FROM policy_snapshots s SEMI JOIN pair_pool USING (order_id))",
  );
  const final = await structureOf(db, "pair_pool");
  const undeclared = [...final]
    .filter(
      ([name, type]) =>
        (type === "VARCHAR" || type === "BOOLEAN") &&
        !declared.has(name) &&
        name !== "status" &&
        !/["\\]/.test(name),
    )
    .slice(0, ATTRIBUTE_LIMIT)
    .map(([name]) =>
      same(
        name.replaceAll("_", " "),
        `coalesce(json_extract_string(attributes, ${literal(`$."${name}"`)}), 'none')`,
      ),
    );
  return [...FACTS.filter((fact) => !declared.has(fact.name)), ...undeclared];
}

const valueOf = (fact: Fact): string => `coalesce(${fact.bucket}, 'unknown')`;

/** Orders per value of each fact, by class; `given` facts divide the classes further. */
async function countFacts(
  db: Database,
  facts: readonly Fact[],
  given: readonly Fact[] = [],
): Promise<FactCount[]> {
  const strata = ["ref", "class", ...given.map(valueOf)].join(" || ' ' || ");
  const counts = facts.map(
    (
      fact,
    ) => `SELECT ${literal(fact.name)} AS fact, ${strata} AS class, coalesce(${fact.bucket}, 'unknown') AS value,
    count(*) FILTER (cancelled) AS cancelled, count(*) FILTER (NOT cancelled) AS kept FROM pair_pool GROUP BY ALL`,
  );
  const rows = await db.all(counts.join(" UNION ALL "));
  return rows.map((row) => ({
    fact: String(row["fact"]),
    class: String(row["class"]),
    value: String(row["value"]),
    cancelled: Number(row["cancelled"]),
    kept: Number(row["kept"]),
  }));
}

/** Which value the cancelled and which the kept have in the most pairs that the fact tells apart. */
function typicalValues(
  counts: readonly FactCount[],
  fact: string,
): { cancelled: string; kept: string } | null {
  const rows = counts.filter((count) => count.fact === fact);
  const byClass = Map.groupBy(rows, (row) => row.class);
  const pairs = new Map<string, { cancelled: string; kept: string; n: number }>();
  for (const cells of byClass.values()) {
    for (const left of cells) {
      for (const right of cells) {
        if (left.value === right.value || left.cancelled === 0 || right.kept === 0) continue;
        const key = JSON.stringify([left.value, right.value]);
        const pair = pairs.get(key) ?? { cancelled: left.value, kept: right.value, n: 0 };
        pair.n += left.cancelled * right.kept;
        pairs.set(key, pair);
      }
    }
  }
  return [...pairs.values()].toSorted((a, b) => b.n - a.n)[0] ?? null;
}

/** Pairs nearest in time, each order in one pair only. `how` adds to what both must share or be told apart by. */
async function nearest(
  db: Database,
  alike: readonly string[],
  left: string,
  right: string,
): Promise<[string, string][]> {
  const on = ["ref", "class", ...alike.map((_, index) => `alike_${index}`)]
    .map((column) => `l.${column} = r.${column}`)
    .join(" AND ");
  const shared = alike.map((sql, index) => `, ${sql} AS alike_${index}`).join("");
  const side = (where: string, cancelled: boolean): string =>
    `(SELECT *${shared}, coalesce(ordered_us, ordered_seq, 0) AS moment FROM pair_pool WHERE ${cancelled ? "" : "NOT "}cancelled AND ${where})`;
  const half = (order: string): string =>
    `SELECT l.order_id AS l, r.order_id AS r, abs(l.moment - r.moment) AS apart FROM ${side(left, true)} l ASOF JOIN ${side(right, false)} r ON ${on} AND l.moment ${order} r.moment`;
  const rows = await db.all(
    `SELECT l, r FROM (${half(">=")} UNION ALL ${half("<=")}) ORDER BY apart, l, r LIMIT 200`,
  );
  const taken = new Set<string>();
  return rows.flatMap((row): [string, string][] => {
    const pair: [string, string] = [String(row["l"]), String(row["r"])];
    if (pair.some((order) => taken.has(order))) return [];
    for (const order of pair) taken.add(order);
    return [pair];
  });
}

/** A fact that tells cancelled from kept, with the values that most pairs differ in; `given`: better facts, held equal. */
interface Separator {
  readonly fact: Fact;
  readonly cancelled: string;
  readonly kept: string;
  readonly given: readonly Fact[];
}

/**
 * The best fact of all, then the best of what it leaves unexplained (conditional mutual information within its values),
 * and so on: a kept customer may have had no refund account, or may have stood too far back in the batch.
 */
async function separatorsOf(db: Database, facts: readonly Fact[]): Promise<Separator[]> {
  const found: Separator[] = [];
  while (found.length < SEPARATORS_SHOWN) {
    const given = found.map((separator) => separator.fact);
    const rest = facts.filter((fact) => !given.includes(fact));
    const counts = await countFacts(db, rest, given);
    const [best] = separations(counts);
    const fact = rest.find((one) => one.name === best?.fact);
    const least = found.length === 0 ? 0 : LEFT_EXPLAINED_LEAST;
    if (best === undefined || fact === undefined || !(best.explains > least)) break;
    const values = typicalValues(counts, fact.name);
    if (values === null) break;
    found.push({ fact, ...values, given });
  }
  return found;
}

/** First those who bought the same for the same and differ in a separator, then with fewer conditions. */
async function choosePairs(
  db: Database,
  separators: readonly Separator[],
): Promise<[string, string][]> {
  const chosen: [string, string][] = [];
  const used = new Set<string>();
  const take = async (
    alike: readonly string[],
    left: string,
    right: string,
    most: number,
  ): Promise<void> => {
    if (chosen.length >= most) return;
    for (const pair of await nearest(db, alike, left, right)) {
      if (chosen.length >= most || pair.some((order) => used.has(order))) continue;
      for (const order of pair) used.add(order);
      chosen.push(pair);
    }
  };
  for (const [index, { fact, cancelled, kept, given }] of separators.entries()) {
    const most = Math.ceil((PAIRS_SHOWN * (index + 1)) / separators.length);
    const [left, right] = [cancelled, kept].map((value) => `${valueOf(fact)} = ${literal(value)}`);
    const alike = given.map(valueOf);
    for (const bought of [["items", "total"], ["total"], []]) {
      await take([...bought, ...alike], left ?? "", right ?? "", most);
    }
  }
  await take([], "true", "true", PAIRS_SHOWN);
  return chosen;
}

const objectOf = (text: unknown): Record<string, unknown> => {
  const parsed: unknown = typeof text === "string" ? JSON.parse(text) : {};
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
    ? { ...parsed }
    : {};
};

async function sidesOf(
  db: Database,
  orders: readonly string[],
  facts: readonly Fact[],
): Promise<Map<string, { side: Side; buckets: Map<string, unknown> }>> {
  const columns = facts
    .flatMap((fact, index) => [
      `coalesce(${fact.shown}, 'unknown') AS shown_${index}`,
      `coalesce(${fact.bucket}, 'unknown') AS bucket_${index}`,
    ])
    .join(", ");
  const rows = await db.all(`
    WITH facts AS (SELECT order_id, ref, user_id, items, total, ordered_us, ${columns} FROM pair_pool WHERE order_id IN (${orders.map(literal).join(", ")}))
    SELECT f.*, p.state, p.status, p.share, p.told, CAST(s.attributes AS VARCHAR) AS declared, coalesce(c.campaign_id, o.coupon_id) AS coupon,
      CASE WHEN p.state = 'kept' THEN 'none due' WHEN e.captured = 0 THEN 'nothing was paid' WHEN e.refunded >= e.captured THEN 'done' WHEN e.awaiting > 0 THEN 'awaiting account'
           WHEN e.requested > 0 THEN 'only requested' WHEN e.refunded > 0 THEN 'in part' WHEN e.captured IS NULL THEN 'unknown' ELSE 'missing' END AS refund
    FROM facts f JOIN policy_orders p USING (ref, order_id) JOIN orders o ON o.id = f.order_id LEFT JOIN coupons c ON c.id = o.coupon_id
      LEFT JOIN cancel_effects e ON e.order_id = f.order_id LEFT JOIN policy_snapshots s ON s.order_id = f.order_id AND s.policy || '@' || s.version = f.ref`);
  return new Map(
    rows.map((row: Row) => {
      const status = String(row["status"]);
      const side: Side = {
        order_id: String(row["order_id"]),
        user_id: String(row["user_id"]),
        ordered_at_us: typeof row["ordered_us"] === "number" ? row["ordered_us"] : null,
        items: String(row["items"]),
        total: Number(row["total"] ?? 0),
        coupon: typeof row["coupon"] === "string" ? row["coupon"] : null,
        outcome:
          row["state"] === "kept" ? (status === "shipped" ? "kept and shipped" : "kept") : status,
        refund: String(row["refund"]),
        told: row["told"] === true,
        attributes: objectOf(row["declared"]),
        undeclared: Object.fromEntries(
          facts.map((fact, index) => [fact.name, row[`shown_${index}`]]),
        ),
      };
      return [
        side.order_id,
        { side, buckets: new Map(facts.map((fact, index) => [fact.name, row[`bucket_${index}`]])) },
      ];
    }),
  );
}

/**
 * At most five pairs, the cancelled customer on the left, and in each what separates the two, the fact that separates
 * best over all pairs first; those that the fewest facts tell apart come first. Needs the tables of policy-tables.ts.
 */
export async function matchedPairs(db: Database): Promise<MatchedPair[]> {
  await db.run(POOL);
  const facts = await factsOf(db);
  const ranked: readonly Separation[] = separations(await countFacts(db, facts));
  const pairs = await choosePairs(db, await separatorsOf(db, facts));
  if (pairs.length === 0) return [];
  const sides = await sidesOf(db, pairs.flat(), facts);
  const told = pairs.flatMap(([one, other]): MatchedPair[] => {
    const left = sides.get(one);
    const right = sides.get(other);
    if (left === undefined || right === undefined) return [];
    const separates = ranked
      .filter(({ fact }) => left.buckets.get(fact) !== right.buckets.get(fact))
      .map(({ fact }) => ({
        fact,
        left: left.side.undeclared[fact],
        right: right.side.undeclared[fact],
      }));
    return [{ left: left.side, right: right.side, separates }];
  }); // The cleanest first: a pair that only one fact tells apart needs no further word.
  return told.toSorted((a, b) => a.separates.length - b.separates.length);
}
