/**
 * X0, no random cancellation: makes what its seven rules read, merges their verdicts into one, and sizes what they
 * found: index, entropy, label, and matched pairs of customers.
 */
import { messageOf } from "../errors.ts";
import { literal, type Database, type Row } from "../history/duckdb.ts";
import type { InvariantVerdict, X0Verdict } from "../history/run-folder.ts";
import { classFigures, labelOf, type ClassFigures } from "./arbitrariness.ts";
import type { LoadedBooks } from "./load-books.ts";
import { matchedPairs } from "./matched-pairs.ts";
import { preparePolicyTables } from "./policy-tables.ts";

const RULE = /^X0-(R[1-7])$/;
/** Fewer orders than this share standing in a class of two or more say nothing about like and alike. */
const ALIKE_SHARE_MIN = 0.5;

/** X0 in figures, and what keeps it from a plain pass. */
export interface SizedX0 {
  readonly x0: X0Verdict;
  readonly doubts: readonly string[];
}

/** Whether a file is one of X0's rules. */
export function isRule(id: string): boolean {
  return RULE.test(id);
}

/**
 * Tables that the rules read beside the canonical ones; runs before any invariant. A failure is X0's doubt, and the
 * rules that miss their tables are inconclusive; the other invariants are judged all the same.
 */
export async function prepareX0(db: Database, books: LoadedBooks): Promise<void> {
  await db.run("CREATE TABLE x0_doubts (text VARCHAR)");
  let problems: readonly string[];
  try {
    problems = await preparePolicyTables(db, books.present);
  } catch (error) {
    problems = [`the policies could not be read: ${messageOf(error).split("\n")[0] ?? ""}`];
  }
  for (const problem of problems)
    await db.run(`INSERT INTO x0_doubts VALUES (${literal(problem)})`);
}

const WORST_FIRST = ["fail", "inconclusive", "pass", "not-applicable"] as const;

/** fail over inconclusive over pass over not-applicable; one rule that does not apply leaves the others their word; a doubt takes away the pass. */
export function mergeRules(
  rules: readonly InvariantVerdict[],
  doubts: readonly string[] = [],
): InvariantVerdict | null {
  const worst = WORST_FIRST.map((word) => rules.find((rule) => rule.verdict === word)).find(
    (rule) => rule !== undefined,
  );
  if (worst === undefined) return null;
  const sum = (of: (rule: InvariantVerdict) => number): number =>
    rules.reduce((total, rule) => total + of(rule), 0);
  const open = rules
    .filter((rule) => rule.because !== null)
    .map((rule) => `${rule.id.slice(3)}: ${rule.because ?? ""}`);
  const because = [...doubts, ...new Set(open)];
  return {
    ...worst,
    id: "X0",
    name: "no-random-cancellation",
    class: "P",
    holds:
      "no order is cancelled or held at random: equal before the published policy, equal in outcome",
    verdict: worst.verdict !== "fail" && doubts.length > 0 ? "inconclusive" : worst.verdict,
    count: sum((rule) => rule.count),
    possible: sum((rule) => rule.possible),
    considered: Math.max(...rules.map((rule) => rule.considered)),
    unknown: Math.max(...rules.map((rule) => rule.unknown)),
    because: because.length === 0 ? null : because.join(" · "),
    took_ms: sum((rule) => rule.took_ms),
  };
}

const figure = (row: Row | undefined, name: string): number => Number(row?.[name] ?? 0);

/** Sizes of classes that look the same come back as one row, however many orders stand alone. */
async function sizeClasses(db: Database): Promise<ClassFigures> {
  const rows = await db.all(`
    SELECT cancelled, kept, undecided, count(*) AS classes FROM (
      SELECT count(*) FILTER (NOT undecided AND state <> 'kept') AS cancelled, count(*) FILTER (NOT undecided AND state = 'kept') AS kept, count(*) FILTER (undecided) AS undecided
      FROM policy_orders WHERE set_aside IS NULL GROUP BY ref, class)
    GROUP BY cancelled, kept, undecided`);
  return classFigures(
    rows.map((row) => ({
      cancelled: figure(row, "cancelled"),
      kept: figure(row, "kept"),
      undecided: figure(row, "undecided"),
      classes: figure(row, "classes"),
    })),
  );
}

/** Orders treated unlike the rest of their class, among all and among the decided ones. */
async function differences(
  db: Database,
): Promise<{ all: number; decided: number; undecidedDue: number }> {
  const unlike = (where: string): string => `
    (SELECT coalesce(sum(orders - usual), 0) FROM (SELECT sum(n) AS orders, max(n) AS usual FROM (
      SELECT ref, class, count(*) AS n FROM policy_orders WHERE set_aside IS NULL AND ${where} GROUP BY ref, class, outcome) GROUP BY ref, class))`;
  const [row] =
    await db.all(`SELECT ${unlike("true")} AS everyone, ${unlike("NOT undecided")} AS decided,
    (SELECT count(*) FROM policy_orders WHERE set_aside IS NULL AND undecided AND due AND state IS DISTINCT FROM target) AS undecided_due`);
  return {
    all: figure(row, "everyone"),
    decided: figure(row, "decided"),
    undecidedDue: figure(row, "undecided_due"),
  };
}

/** Orders the system cancelled or held, and those of them that no published rule covers. */
async function cancelledOrders(
  db: Database,
): Promise<{ policies: number; cancelled: number; withoutRule: number }> {
  const [row] = await db.all(`
    SELECT (SELECT count(*) FROM policy_list) AS policies, count(DISTINCT d.order_id) AS cancelled,
      count(DISTINCT d.order_id) FILTER (len(d.policies) <> 1 OR s.order_id IS NULL OR s.due = false OR p.published_seq > d.first_seq) AS without_rule
    FROM order_decisions d LEFT JOIN policy_list p ON p.ref = d.policies[1] LEFT JOIN policy_scope s ON s.ref = d.policies[1] AND s.order_id = d.order_id
    WHERE d.who = 'system'`);
  return {
    policies: figure(row, "policies"),
    cancelled: figure(row, "cancelled"),
    withoutRule: figure(row, "without_rule"),
  };
}

const percent = (share: number): string => `${Math.floor(share * 100)} %`;

/** The figures behind X0; runs after the rules. */
export async function describeX0(
  db: Database,
  rules: readonly InvariantVerdict[],
): Promise<SizedX0> {
  const counts = Object.fromEntries(rules.map((rule) => [rule.id.slice(3), rule.count]));
  const doubts = (await db.all("SELECT text FROM x0_doubts")).map((row) => String(row["text"]));
  const nothing: X0Verdict = {
    rules: counts,
    label: "none",
    index_low: null,
    index_high: null,
    entropy: null,
    matched_pairs: 0,
    cancelled: 0,
    without_rule: 0,
    pairs: [],
  };
  if (rules.length === 0) return { x0: nothing, doubts: [] };
  try {
    const { policies, cancelled, withoutRule } = await cancelledOrders(db);
    // Without any published rule there is nothing to hold the cancels against; they are counted, not judged.
    if (policies === 0)
      return {
        x0: { ...nothing, cancelled, without_rule: cancelled },
        doubts: cancelled === 0 ? doubts : [...doubts, "no policy declared"],
      };
    const figures = await sizeClasses(db);
    const { all, decided, undecidedDue } = await differences(db);
    const of = (rule: string): number => counts[rule] ?? 0;
    const label = labelOf({
      violated: rules.some((rule) => rule.verdict === "fail"),
      differences: all,
      differencesDecided: decided,
      violationsDecided:
        of("R1") +
        of("R2") +
        of("R6") +
        of("R7") +
        Math.max(0, of("R3") - undecidedDue) +
        Math.max(0, of("R5") - undecidedDue),
    });
    if (figures.alikeShare !== null && figures.alikeShare < ALIKE_SHARE_MIN) {
      doubts.push(
        `only ${percent(figures.alikeShare)} of ${figures.orders} orders have an equal in the snapshot; half of them are needed`,
      );
    }
    return {
      x0: {
        rules: counts,
        label,
        index_low: figures.indexLow,
        index_high: figures.indexHigh,
        entropy: figures.entropy,
        matched_pairs: figures.pairs,
        cancelled,
        without_rule: withoutRule,
        pairs: figures.pairs === 0 ? [] : await matchedPairs(db),
      },
      doubts,
    };
  } catch (error) {
    return {
      x0: nothing,
      doubts: [
        ...doubts,
        `the figures could not be worked out: ${messageOf(error).split("\n")[0] ?? ""}`,
      ],
    };
  }
}
