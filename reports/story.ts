/**
 * What one run means, as rows that the terminal, the pages and summary.md all show alike: a question, its answer, the
 * rules behind it and a mark. Pure; text comes from the sentence table, figures from the view.
 */
import type { InvariantVerdict, MatchedPair, Verdict } from "../harness/history/run-folder.ts";
import { figure, NBSP, perSecond, percent, secondsText, UNKNOWN, whole } from "./numbers.ts";
import { headroomOf, watchedS, type RunView } from "./run-view.ts";
import type { Say } from "./sentences.ts";

/** good: holds · bad: broken · open: undecided or not known. */
export type Mark = "good" | "bad" | "open";

export interface Fact {
  readonly key: string;
  readonly label: string;
  readonly text: string;
  /** Ids of the rules that judge it; empty where none does. */
  readonly rules: readonly string[];
  readonly mark: Mark;
}

/** The one line: may the promotion be sent? */
export function goWord(say: Say, go: boolean | null): string {
  return go === null ? say("undecided") : say(go ? "go" : "noGo");
}

export function markOfGo(go: boolean | null): Mark {
  return go === null ? "open" : go ? "good" : "bad";
}

export function markOfVerdict(verdict: InvariantVerdict["verdict"]): Mark {
  return verdict === "pass" ? "good" : verdict === "fail" ? "bad" : "open";
}

export function verdictText(say: Say, verdict: InvariantVerdict["verdict"]): string {
  return say(verdict === "not-applicable" ? "notApplicable" : verdict);
}

/** "served well up to 320/s, forecast 290/s, headroom 10 %", without what is not known. */
export function sendItLine(say: Say, view: RunView): string {
  const served = view.verdict.collapse.served_well_per_s;
  const expected = view.run.expect_peak_per_s;
  const headroom = headroomOf(view);
  return [
    say("servedWell", { rate: served === null ? say("notMeasured") : perSecond(say, served) }),
    ...(expected === null ? [] : [say("forecast", { rate: perSecond(say, expected) })]),
    ...(headroom === null ? [] : [say("headroom", { share: percent(headroom) })]),
  ].join(", ");
}

/** The worst verdict among these rules: one broken is bad, all that were judged held is good. */
function markOfRules(verdict: Verdict, ids: readonly string[]): Mark {
  const judged = verdict.invariants
    .filter((rule) => ids.includes(rule.id))
    .map((rule) => rule.verdict);
  if (judged.includes("fail")) return "bad";
  return judged.includes("pass") && !judged.includes("inconclusive") ? "good" : "open";
}

const rule = (verdict: Verdict, id: string): InvariantVerdict | undefined =>
  verdict.invariants.find((one) => one.id === id);

/** Did it come back when the crowd left? */
function recovery(say: Say, view: RunView): { readonly text: string; readonly mark: Mark } {
  const { collapse } = view.verdict;
  const watched = secondsText(say, watchedS(view));
  if (
    collapse.collapsed === false &&
    collapse.recovered_after_s === null &&
    collapse.metastable !== "yes"
  )
    return { text: say("neverCollapsed"), mark: "good" };
  if (collapse.recovered_after_s !== null)
    return {
      text: say("recoveredAfter", { seconds: secondsText(say, collapse.recovered_after_s) }),
      mark: "good",
    };
  if (collapse.collapsed === null) return { text: say("collapseUnknown"), mark: "open" };
  if (collapse.metastable !== "yes")
    return { text: say("notRecoveredYet", { seconds: watched }), mark: "bad" };
  const growing = (collapse.backlog_slope_per_s ?? 0) > 0;
  return {
    text: say(growing ? "notRecoveredGrowing" : "notRecoveredStuck", { seconds: watched }),
    mark: "bad",
  };
}

/** Being told to come back is a fair answer; a few silences are no collapse, and not nothing either. */
function neverServedMark(count: number | null, told: number, collapsed: boolean | null): Mark {
  if (count !== null && count <= told) return "good";
  return count !== null && collapsed === true ? "bad" : "open";
}

/** orders/s, recovery, never served. */
export function serviceFacts(say: Say, view: RunView): Fact[] {
  const { collapse } = view.verdict;
  const restarted =
    collapse.goodput_restarted === null
      ? ""
      : say("afterRestart", { rate: figure(collapse.goodput_restarted) });
  const triple = say("goodputTriple", {
    before: figure(collapse.goodput_before),
    surge: figure(collapse.goodput_in),
    after: figure(collapse.goodput_after),
  });
  const { unserved } = view;
  const neverServed = unserved?.intents ?? collapse.lost_intents;
  return [
    {
      key: "goodput",
      label: say("goodputRow"),
      text: triple + restarted,
      rules: [],
      mark: collapse.collapsed === null ? "open" : collapse.collapsed ? "bad" : "good",
    },
    { key: "recovered", label: say("recoveredRow"), rules: [], ...recovery(say, view) },
    {
      key: "never-served",
      label: say("neverServedRow"),
      text:
        unserved === null
          ? whole(neverServed)
          : say("toldComeBack", { count: whole(unserved.intents), told: whole(unserved.told) }),
      rules: [],
      mark: neverServedMark(neverServed, unserved?.told ?? 0, collapse.collapsed),
    },
  ];
}

/** Where the books were not read, the judge's own count still says something. */
const countOr = (known: number | null | undefined, judged: InvariantVerdict | undefined): string =>
  known !== null && known !== undefined
    ? whole(known)
    : judged === undefined || judged.verdict === "not-applicable"
      ? UNKNOWN
      : whole(judged.count);

function refundText(say: Say, view: RunView): string {
  const { cancels } = view.books;
  const missing = countOr(cancels?.notRefunded, rule(view.verdict, "P4"));
  if (cancels === null || cancels.refundPending === 0) return missing;
  const parameters = { count: missing, pending: whole(cancels.refundPending) };
  return cancels.refundPendingUntold === 0
    ? say("refundPendingTold", parameters)
    : say("refundPendingUntold", { ...parameters, untold: whole(cancels.refundPendingUntold) });
}

function withoutRuleText(say: Say, view: RunView): string {
  const { x0 } = view.verdict;
  if (markOfRules(view.verdict, ["X0"]) === "open" && x0.cancelled === 0) return UNKNOWN;
  const parameters = { count: whole(x0.without_rule), total: whole(x0.cancelled) };
  return say(
    x0.without_rule === 0 && x0.label === "none" && x0.cancelled > 0
      ? "countOfByPolicy"
      : "countOf",
    parameters,
  );
}

const TOLD_ELSEWHERE: ReadonlySet<string> = new Set([
  "C1",
  "C2",
  "C3",
  "O2",
  "X0",
  "P4",
  "P5",
  "X1",
  "P1",
]);

/** A count the rule does not blame (its deadline had not passed when the books were read) is open, never a tick. */
function withDoubt(count: number | null | undefined, told: Fact): Fact {
  return (count ?? 0) > 0 && told.mark === "good" ? { ...told, mark: "open" } : told;
}

/** Above the cap, no rule behind it, not refunded, not told, charged twice, unknown; then every other broken rule. */
export function customerFacts(say: Say, view: RunView): Fact[] {
  const { verdict, books } = view;
  const fact = (key: string, label: string, text: string, rules: readonly string[]): Fact => ({
    key,
    label,
    text,
    rules,
    mark: markOfRules(verdict, rules),
  });
  const aboveCap =
    books.campaigns === null
      ? null
      : books.campaigns.reduce((sum, campaign) => sum + campaign.aboveCap, 0);
  const open = verdict.outcomes.info - verdict.outcomes.info_resolved;
  const leftOut = verdict.x0.rules["R3"];
  const others = verdict.invariants.filter(
    (one) => one.verdict === "fail" && !TOLD_ELSEWHERE.has(one.id),
  );
  return [
    fact("above-cap", say("aboveCapRow"), countOr(aboveCap, rule(verdict, "C1")), [
      "C1",
      "C2",
      "C3",
    ]),
    fact("without-rule", say("withoutRuleRow"), withoutRuleText(say, view), ["X0"]),
    {
      ...fact("left-out", say("leftOutRow"), leftOut === undefined ? UNKNOWN : whole(leftOut), [
        "X0",
      ]),
      ...(leftOut === 0 && markOfRules(verdict, ["X0"]) === "bad" ? { mark: "good" as const } : {}),
    },
    fact("not-refunded", say("notRefundedRow"), refundText(say, view), ["P4", "P5"]),
    withDoubt(
      books.cancels?.notTold,
      fact("not-told", say("notToldRow"), countOr(books.cancels?.notTold, rule(verdict, "X1")), [
        "X1",
      ]),
    ),
    fact("bought-twice", say("boughtTwiceRow"), countOr(null, rule(verdict, "O2")), ["O2"]),
    fact("double-charge", say("doubleChargeRow"), countOr(null, rule(verdict, "P1")), ["P1"]),
    {
      key: "unknown",
      label: say("unknownRow"),
      text: say("countOf", { count: whole(open), total: whole(verdict.outcomes.info) }),
      rules: [],
      mark: open === 0 ? "good" : "open",
    },
    {
      key: "other-rules",
      label: say("otherRulesRow"),
      text:
        others.length === 0
          ? "0"
          : others.map((one) => `${one.id}${NBSP}${whole(one.count)}`).join(" · "),
      rules: [],
      mark: others.length === 0 ? "good" : "bad",
    },
  ];
}

export interface RuleCounts {
  readonly failed: number;
  readonly passed: number;
  readonly undecided: number;
  readonly absent: number;
}

export function ruleCounts(verdict: Verdict): RuleCounts {
  const of = (word: InvariantVerdict["verdict"]): number =>
    verdict.invariants.filter((one) => one.verdict === word).length;
  return {
    failed: of("fail"),
    passed: of("pass"),
    undecided: of("inconclusive"),
    absent: of("not-applicable"),
  };
}

/** "generator late by 2.1 ms (p99), not the bottleneck; 26 rules judged, 0 undecided". */
export function trustLine(say: Say, view: RunView): string {
  const { generator } = view.verdict;
  const counts = ruleCounts(view.verdict);
  const lateness = `${figure(generator.lateness_ms_p99)}${NBSP}ms`;
  return `${say(generator.saturated ? "trustBad" : "trustGood", { lateness })}; ${say("trustRules", { judged: counts.failed + counts.passed, undecided: counts.undecided })}`;
}

type Side = MatchedPair["left"];

const isOneOf = (text: string, ...words: readonly string[]): boolean =>
  words.includes(text.toLowerCase().replaceAll("_", " "));

/** What became of the order itself. */
export function outcomeText(say: Say, side: Side): string {
  if (isOneOf(side.outcome, "cancelled", "cancelling")) return say("fateCancelled");
  if (isOneOf(side.outcome, "held")) return say("fateHeld");
  if (isOneOf(side.outcome, "kept and shipped", "shipped")) return say("fateShipped");
  if (isOneOf(side.outcome, "kept")) return say("fateKept");
  return side.outcome;
}

const REFUNDS = new Map<
  string,
  | "refundDone"
  | "refundPending"
  | "refundRequested"
  | "refundPart"
  | "refundMissing"
  | "refundNone"
  | "refundUnknown"
>([
  ["done", "refundDone"],
  ["awaiting account", "refundPending"],
  ["only requested", "refundRequested"],
  ["in part", "refundPart"],
  ["missing", "refundMissing"],
  ["nothing was paid", "refundNone"],
  ["none due", "refundNone"],
  ["unknown", "refundUnknown"],
]);

/** What became of the money; the judge's own words where they are none of its vocabulary. */
export function refundWord(say: Say, side: Side): string {
  const key = REFUNDS.get(side.refund);
  return key === undefined ? side.refund : say(key);
}

/** Cancelled or held: only then a refund and a notice are due. */
export function isHarmed(side: Side): boolean {
  return isOneOf(side.outcome, "cancelled", "cancelling", "held");
}

/** "cancelled, refund missing, no message" or "kept and shipped". */
export function fateText(say: Say, side: Side): string {
  if (!isHarmed(side)) return outcomeText(say, side);
  const told = say(side.told ? "told" : "untold");
  return [
    outcomeText(say, side),
    ...(isOneOf(side.outcome, "held") ? [] : [refundWord(say, side)]),
    told,
  ].join(", ");
}

/** The facts the judge compares (harness/judge/matched-pairs.ts), as words for people. */
const FACTS = new Map<
  string,
  | "factRefundAccount"
  | "factShipped"
  | "factMinute"
  | "factSeller"
  | "factBatch"
  | "factCharge"
  | "factAttempts"
>([
  ["refund account on file", "factRefundAccount"],
  ["shipped before the first cancel", "factShipped"],
  ["minute of purchase", "factMinute"],
  ["place in the batch (by purchase)", "factBatch"],
  ["seller", "factSeller"],
  ["gateway's answer to the charge", "factCharge"],
  ["attempts until the order stood", "factAttempts"],
]);

/** A fact's name in words; the judge's own name for attributes of a user's service. */
export function factText(say: Say, fact: string): string {
  const key = FACTS.get(fact);
  return key === undefined ? fact : say(key);
}

/** "What separates them: a refund account on file. …" for the first (best) separator. */
export function separatesText(say: Say, pair: MatchedPair): string {
  const [best] = pair.separates;
  return best === undefined
    ? say("separatesNothing")
    : say("separates", { fact: factText(say, best.fact) });
}

/** Why the run ended with its exit code. */
export function exitText(say: Say, code: number): string {
  switch (code) {
    case 0:
      return say("exit0");
    case 99:
      return say("exit99");
    case 105:
      return say("exit105");
    case 111:
      return say("exit111");
    case 112:
      return say("exit112");
    case 114:
      return say("exit114");
    default:
      return say("exitOther");
  }
}
