/** X0, no random cancellation: merges the verdicts of its seven rules into one and sizes what they found. */
import type { Database } from "../history/duckdb.ts";
import type { InvariantVerdict, X0Verdict } from "../history/run-folder.ts";
import type { LoadedBooks } from "./load-books.ts";

const RULE = /^X0-(R[1-7])$/;

/** Whether a file is one of X0's rules. */
export function isRule(id: string): boolean {
  return RULE.test(id);
}

/** Tables that the rules read beside the canonical ones; runs before any invariant. */
export function prepareX0(_db: Database, _books: LoadedBooks): Promise<void> {
  return Promise.resolve();
}

/** fail over inconclusive over pass over not-applicable; one rule that does not apply leaves the others their word. */
export function mergeRules(rules: readonly InvariantVerdict[]): InvariantVerdict | null {
  const worst = (["fail", "inconclusive", "pass", "not-applicable"] as const)
    .map((word) => rules.find((rule) => rule.verdict === word))
    .find((rule) => rule !== undefined);
  if (worst === undefined) return null;
  const sum = (of: (rule: InvariantVerdict) => number): number =>
    rules.reduce((total, rule) => total + of(rule), 0);
  const open = rules
    .filter((rule) => rule.verdict !== "pass" && rule.because !== null)
    .map((rule) => `${rule.id.slice(3)}: ${rule.because ?? ""}`);
  return {
    ...worst,
    id: "X0",
    name: "no-random-cancellation",
    class: "P",
    holds:
      "no order is cancelled or held at random: equal before the published policy, equal in outcome",
    count: sum((rule) => rule.count),
    possible: sum((rule) => rule.possible),
    considered: Math.max(...rules.map((rule) => rule.considered)),
    unknown: Math.max(...rules.map((rule) => rule.unknown)),
    because: open.length === 0 ? null : open.join(" · "),
    took_ms: sum((rule) => rule.took_ms),
  };
}

/** The figures behind X0; runs after the rules. */
export function describeX0(_db: Database, rules: readonly InvariantVerdict[]): Promise<X0Verdict> {
  return Promise.resolve({
    rules: Object.fromEntries(rules.map((rule) => [rule.id.slice(3), rule.count])),
    label: "none",
    index_low: null,
    index_high: null,
    entropy: null,
    matched_pairs: 0,
    cancelled: 0,
    without_rule: 0,
    pairs: [],
  });
}
