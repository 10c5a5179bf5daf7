/** What the merged verdict promises: precedence, no failure blamed on a saturated generator, and an honest GO. */
import { describe, expect, test } from "vitest";
import { EXIT, EXIT_PRECEDENCE } from "../errors.ts";
import type {
  CollapseVerdict,
  GeneratorHealth,
  InvariantVerdict,
  LimitVerdict,
} from "../history/run-folder.ts";
import { mergeVerdict, type Findings } from "./verdict.ts";

const invariant = (id: string, verdict: InvariantVerdict["verdict"]): InvariantVerdict => ({
  id,
  name: "cap",
  class: "S",
  holds: "…",
  verdict,
  count: verdict === "fail" ? 3 : 0,
  possible: 0,
  considered: 9,
  unknown: 0,
  because: null,
  first: null,
  worst: null,
  last: null,
  witness: null,
  took_ms: 1,
});
const limit = (
  name: string,
  verdict: LimitVerdict["verdict"],
  expression = "latency_p99_ms < 500",
): LimitVerdict => ({ name, expression, observed: 0.25, verdict, because: null });
const calm: CollapseVerdict = {
  collapsed: false,
  capacity_per_s: 320,
  baseline_per_s: 160,
  depth: 0,
  began_s: null,
  lost_intents: 12,
  lost_avoidable: 0,
  recovered_after_s: null,
  intervention_s: null,
  metastable: "no",
  decided_by: "never collapsed",
  amplification_max: 1,
  goodput_before: 160,
  goodput_in: 500,
  goodput_after: 160,
  goodput_restarted: null,
  surge_share: 1,
  backlog_slope_per_s: 0,
  served_well_per_s: 590,
  margins: {},
};
const healthy: GeneratorHealth = {
  lateness_ms_p99: 4,
  dropped: 0,
  dropped_share: 0,
  event_loop_delay_ms_p99: 3,
  cpu_share: 0.4,
  socket_errors: 0,
  saturated: false,
  because: [],
};
const saturated: GeneratorHealth = {
  ...healthy,
  saturated: true,
  because: ["arrivals were 900 ms late (p99)"],
};
const good: Findings = {
  invariants: [invariant("C1", "pass")],
  thresholds: [],
  slos: [],
  collapse: calm,
  generator: healthy,
  expectPeakPerS: 290,
  endings: [],
};

describe("exit code and verdict", () => {
  test.each([
    ["all passes", {}, "pass", 0],
    [
      "nothing exercised lowers nothing",
      { invariants: [invariant("C9", "not-applicable")] },
      "pass",
      0,
    ],
    [
      "a broken rule",
      { invariants: [invariant("C1", "pass"), invariant("X0", "fail")] },
      "fail",
      111,
    ],
    ["a missed objective", { slos: [limit("fast", "fail")] }, "fail", 99],
    ["a crossed threshold", { thresholds: [limit("p95", "fail")] }, "fail", 99],
    [
      "both: the broken rule is told",
      { invariants: [invariant("C1", "fail")], slos: [limit("fast", "fail")] },
      "fail",
      111,
    ],
    ["an undecided rule", { invariants: [invariant("O1", "inconclusive")] }, "inconclusive", 112],
    [
      "a failure beside something undecided stays a failure",
      { invariants: [invariant("O1", "inconclusive"), invariant("C1", "fail")] },
      "fail",
      111,
    ],
    ["an undecided objective", { slos: [limit("fast", "inconclusive")] }, "inconclusive", 112],
    ["interrupted", { endings: [105] }, "inconclusive", 105],
    [
      "interrupted, rules broken",
      { endings: [105], invariants: [invariant("C1", "fail")] },
      "fail",
      105,
    ],
    [
      "a fault not proved undone outranks all",
      { endings: [105, 114], invariants: [invariant("C1", "fail")] },
      "fail",
      114,
    ],
    [
      "the script threw, an objective was missed",
      { endings: [107], slos: [limit("fast", "fail")] },
      "fail",
      107,
    ],
    [
      "test.fail and a broken rule: the rule",
      { endings: [110], invariants: [invariant("C1", "fail")] },
      "fail",
      111,
    ],
    ["test.abort", { endings: [108] }, "inconclusive", 108],
    ["a saturated generator", { generator: saturated }, "inconclusive", 112],
    [
      "a saturated generator cannot fail objectives",
      { generator: saturated, slos: [limit("fast", "fail")], thresholds: [limit("p95", "fail")] },
      "inconclusive",
      112,
    ],
    [
      "… nor hide a broken rule",
      { generator: saturated, invariants: [invariant("C1", "fail")] },
      "fail",
      111,
    ],
  ] satisfies [string, Partial<Findings>, string, number][])(
    "%s",
    (_what, change, verdict, code) => {
      expect(mergeVerdict({ ...good, ...change })).toMatchObject({ verdict, exit_code: code });
    },
  );

  test("of any two endings the one design.md lists first is the exit code", () => {
    const endings = EXIT_PRECEDENCE.filter(
      (code) => code !== EXIT.pass && code !== EXIT.invalidConfiguration,
    );
    for (const [index, first] of endings.entries()) {
      for (const later of endings.slice(index + 1))
        expect(mergeVerdict({ ...good, endings: [later, first] }).exit_code).toBe(first);
    }
  });
});

test("a saturated generator leaves no conclusion about collapse, thresholds and objectives standing", () => {
  const collapse: CollapseVerdict = {
    ...calm,
    collapsed: true,
    metastable: "yes",
    depth: 1,
    began_s: 12,
  };
  const merged = mergeVerdict({
    ...good,
    generator: saturated,
    collapse,
    slos: [limit("fast", "pass")],
    thresholds: [limit("p95", "fail")],
  });
  expect(merged.collapse).toMatchObject({
    collapsed: null,
    metastable: "unknown",
    depth: null,
    served_well_per_s: null,
  });
  expect([...merged.slos, ...merged.thresholds].map((one) => one.verdict)).toEqual([
    "inconclusive",
    "inconclusive",
  ]);
  expect(merged.collapse.decided_by).toContain("arrivals were 900 ms late");
  expect(merged.go).toBeNull();
});

describe("GO", () => {
  const enough = limit("most are served", "pass", "goodput_share{phase:surge} >= 0.8");
  test.each([
    [
      "served above the forecast",
      {},
      true,
      "served well up to 590/s, forecast 290/s, headroom 103 %",
    ],
    ["exactly at the forecast", { expectPeakPerS: 590 }, true, "headroom 0 %"],
    [
      "below the forecast and nobody said that is enough",
      { expectPeakPerS: 660 },
      false,
      "headroom -11 %, and no objective on goodput",
    ],
    [
      "below it, and only a latency objective holds",
      { expectPeakPerS: 660, slos: [limit("fast", "pass")] },
      false,
      "no objective on goodput",
    ],
    [
      "below it, perfect shedding within the declared objective",
      { expectPeakPerS: 660, slos: [enough] },
      true,
      'as much as "most are served" allows',
    ],
    [
      "below it, the objective missed",
      { expectPeakPerS: 660, slos: [{ ...enough, verdict: "fail" as const }] },
      false,
      'the objective "most are served" was missed',
    ],
    [
      "collapsed and came back, objectives met",
      { collapse: { ...calm, collapsed: true, began_s: 12, recovered_after_s: 3.04 } },
      true,
      "came back by itself after 3 s",
    ],
    [
      "collapsed and stayed down",
      { collapse: { ...calm, collapsed: true, began_s: 12, metastable: "yes" as const } },
      false,
      "collapsed 12 s into the run and did not come back by itself",
    ],
    [
      "collapsed, return not seen",
      { collapse: { ...calm, collapsed: true, metastable: "unknown" as const } },
      false,
      "was not seen to come back",
    ],
    [
      "a broken rule",
      { invariants: [invariant("X0", "fail")] },
      false,
      "1 rule was broken: X0 cap",
    ],
    [
      "an undecided rule",
      { invariants: [invariant("X0", "inconclusive")] },
      null,
      "1 rule is undecided: X0 cap",
    ],
    ["interrupted", { endings: [105] }, null, "the run was interrupted"],
    [
      "nobody knows whether it collapsed",
      { collapse: { ...calm, collapsed: null, decided_by: "no baseline" } },
      null,
      "no baseline",
    ],
    ["no forecast", { expectPeakPerS: null }, null, "no forecast was given"],
    [
      "no forecast, but a broken rule",
      { expectPeakPerS: null, invariants: [invariant("C1", "fail")] },
      false,
      "C1 cap",
    ],
    [
      "nobody knows how much was served well",
      { collapse: { ...calm, served_well_per_s: null } },
      null,
      "nobody can say up to what rate",
    ],
    ["a fault not proved undone", { endings: [114] }, false, "not proved undone"],
  ] satisfies [string, Partial<Findings>, boolean | null, string][])(
    "%s",
    (_what, change, go, words) => {
      const merged = mergeVerdict({ ...good, ...change });
      expect(merged.go).toBe(go);
      expect(merged.go_because.join("\n")).toContain(words);
    },
  );
});
