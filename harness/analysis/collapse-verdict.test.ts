/** Collapse, depth, loss, recovery and metastability on literal curves: each test is one sentence of the definition. */
import { describe, expect, test } from "vitest";
import { collapseVerdict } from "./collapse-verdict.ts";
import { courseFor, curves, step, type CourseOptions, type Stretch } from "./curves.fixture.ts";
import type { FaultRecord } from "../history/operation.ts";
import type { CollapseVerdict } from "../history/run-folder.ts";

const BASELINE: Stretch = {
  name: "baseline",
  role: "baseline",
  forS: 8,
  offered: 150,
  good: 150,
  queue: () => 3,
};
const SURGE: Stretch = {
  name: "surge",
  role: "trigger",
  forS: 3,
  offered: 600,
  good: 60,
  tries: 3,
  queue: (s) => 3 + 300 * s,
};
const DEAD: Stretch = {
  name: "watch",
  role: "watch",
  forS: 25,
  offered: 150,
  good: 0,
  tries: 4,
  queue: (s) => 900 + 300 * s,
};
const HEALTHY: Stretch = {
  name: "watch",
  role: "watch",
  forS: 25,
  offered: 150,
  good: 150,
  queue: () => 3,
};

const judge = (stretches: readonly Stretch[], options: CourseOptions = {}): CollapseVerdict =>
  collapseVerdict(curves(stretches), courseFor(stretches, options));

describe("collapse", () => {
  test("goodput under half of min(λ, G_B) for 5 s is one, and it began at its first second", () => {
    const verdict = judge([
      BASELINE,
      { ...HEALTHY, name: "slow", role: "trigger", forS: 2 },
      { ...DEAD, forS: 20 },
    ]);
    expect(verdict).toMatchObject({ collapsed: true, depth: 1 });
    // Seconds slide by 100 ms: the first second with less than half begins up to half a second before the fall.
    expect(verdict.began_s).toBeGreaterThanOrEqual(9.5);
    expect(verdict.began_s).toBeLessThanOrEqual(10);
  });

  test("4 s of nothing are none", () => {
    const verdict = judge([BASELINE, { ...DEAD, role: "trigger", forS: 4 }, HEALTHY]);
    expect(verdict).toMatchObject({ collapsed: false, began_s: null, depth: 1 });
  });

  test("just over half is none, just under half is one; both margins say how near", () => {
    const at = (good: number): CollapseVerdict =>
      judge([BASELINE, { ...DEAD, role: "trigger", forS: 10, good }, HEALTHY]);
    expect(at(80).collapsed).toBe(false);
    expect(at(70).collapsed).toBe(true);
    expect(at(80).margins["collapse"]).toBeCloseTo(5 / 75, 1);
    expect(at(70).margins["collapse"]).toBeCloseTo(5 / 75, 1);
  });

  test("fewer customers are no collapse: λ and not G_B is the measure when the crowd goes home", () => {
    expect(judge([BASELINE, SURGE, { ...HEALTHY, offered: 20, good: 20 }]).collapsed).toBe(false);
  });

  test("perfect shedding has depth 0, loses nothing avoidable, and has served its capacity well", () => {
    const verdict = judge([
      BASELINE,
      { ...SURGE, forS: 10, good: 300, refused: 300, tries: 1 },
      HEALTHY,
    ]);
    expect(verdict).toMatchObject({
      collapsed: false,
      depth: 0,
      lost_intents: 3000,
      lost_avoidable: 0,
      surge_share: 1,
      served_well_per_s: 300,
    });
  });

  test("lost intents are those not good from the trigger on, by second split at μ", () => {
    const verdict = judge([BASELINE, { ...SURGE, good: 100 }, HEALTHY]);
    expect(verdict.lost_intents).toBe(1500);
    expect(verdict.lost_avoidable).toBe(600);
    expect(verdict.surge_share).toBeCloseTo(1 / 3, 5);
  });

  test("without a known capacity nothing is said of depth, avoidable loss and surge share", () => {
    expect(judge([BASELINE, SURGE, DEAD], { capacity: null })).toMatchObject({
      collapsed: true,
      depth: null,
      lost_avoidable: null,
      surge_share: null,
      lost_intents: 5370,
    });
  });
});

describe("recovery", () => {
  test("counts from the trigger's end to the first window of 10 s that is served as well and as fast as before", () => {
    const verdict = judge([BASELINE, SURGE, { ...DEAD, forS: 5 }, { ...HEALTHY, forS: 20 }]);
    expect(verdict.metastable).toBe("no");
    // 5 % of the window may still lie in the dead stretch.
    expect(verdict.recovered_after_s).toBeCloseTo(4.5, 1);
  });

  test("served but slow is not recovered: p99 above max(1.5 p99_B, p99_B + 100 ms)", () => {
    const at = (ms: number): CollapseVerdict => judge([BASELINE, SURGE, { ...HEALTHY, ms }]);
    expect(at(115).recovered_after_s).toBe(0);
    expect(at(130).recovered_after_s).toBeNull();
  });

  test("94 % is not 95 %", () => {
    expect(
      judge([BASELINE, SURGE, { ...HEALTHY, offered: 100, good: 94 }]).recovered_after_s,
    ).toBeNull();
    expect(judge([BASELINE, SURGE, { ...HEALTHY, offered: 100, good: 95 }]).recovered_after_s).toBe(
      0,
    );
  });

  test("a long run asks for 30 s", () => {
    const long = (goodS: number): Stretch[] => [
      { ...BASELINE, forS: 160 },
      SURGE,
      { ...HEALTHY, forS: goodS },
      { ...DEAD, name: "again", forS: 60 },
    ];
    expect(judge(long(15)).recovered_after_s).toBeNull();
    expect(judge(long(40)).recovered_after_s).toBe(0);
  });

  test("recovery after a restart is not recovery: the watch ends at the operator's first step", () => {
    const after = { ...HEALTHY, name: "restart", role: "intervention", forS: 20 } as const;
    const verdict = judge([BASELINE, SURGE, { ...DEAD, forS: 20 }, after], {
      faults: [step("restart", 31, 32)],
    });
    expect(verdict).toMatchObject({
      collapsed: true,
      recovered_after_s: null,
      metastable: "yes",
      intervention_s: 31,
      goodput_after: 0,
      goodput_restarted: 150,
    });
    expect(verdict.decided_by).toContain("restart");
  });

  test("a mis-issue belongs to the trigger and ends no watch", () => {
    const verdict = judge(
      [BASELINE, { ...SURGE, name: "mis-issue", forS: 2, offered: 150, good: 150 }, SURGE, HEALTHY],
      { faults: [step("issue", 8), step("issue", 8.2, 12)] },
    );
    expect(verdict).toMatchObject({ intervention_s: null, recovered_after_s: 0, metastable: "no" });
  });

  test("a fault in the watch is nobody's intervention", () => {
    const fault = { ...step("process-kill", 20, 21), kind: "process-kill" };
    expect(judge([BASELINE, SURGE, DEAD], { faults: [fault] })).toMatchObject({
      intervention_s: null,
      metastable: "yes",
    });
  });

  test("a planned step nobody took leaves the watch open", () => {
    const slot = { ...HEALTHY, name: "restart", role: "intervention", forS: 5 } as const;
    const verdict = judge(
      [BASELINE, SURGE, { ...HEALTHY, forS: 20 }, slot, { ...slot, name: "withdraw", forS: 12 }],
      { faults: [step("withdraw", 36)] },
    );
    expect(verdict).toMatchObject({
      intervention_s: 36,
      recovered_after_s: 0,
      goodput_restarted: null,
    });
  });

  test("customers whom the restart may have saved do not count as goodput after the crowd", () => {
    const saved = { ...HEALTHY, name: "last", forS: 4 } as const;
    const verdict = judge(
      [
        BASELINE,
        SURGE,
        { ...DEAD, forS: 16 },
        saved,
        { ...HEALTHY, name: "restart", role: "intervention", forS: 5 },
      ],
      { faults: [step("restart", 31)] },
    );
    expect(verdict.goodput_after).toBe(0);
  });
});

describe("metastable", () => {
  test("yes: trigger gone, crowd gone, not recovered, and the queue does not shrink", () => {
    const verdict = judge([BASELINE, SURGE, DEAD]);
    expect(verdict).toMatchObject({ metastable: "yes", collapsed: true, recovered_after_s: null });
    expect(verdict.backlog_slope_per_s).toBeCloseTo(300, 5);
    expect(verdict.decided_by).toMatch(
      /not recovered in the 25 s watched.*service's own queue changed by \+300\/s/,
    );
    expect(verdict.decided_by).not.toContain("forever");
  });

  test("yes for a queue that stands still", () => {
    expect(
      judge([BASELINE, SURGE, { ...DEAD, queue: (s) => 900 + 20 * Math.sin(s * 2) }]).metastable,
    ).toBe("yes");
  });

  test("unknown while the queue is being worked off", () => {
    const verdict = judge([BASELINE, SURGE, { ...DEAD, queue: (s) => 5000 - 20 * s }]);
    expect(verdict.metastable).toBe("unknown");
    expect(verdict.decided_by).toContain("still working it off");
  });

  test("unknown when the queue shrank over the watch and was watched for less than 2 × backlog/(μ − λ)", () => {
    const queue = (s: number): number => (s < 15 ? 5000 - 100 * s : 3500);
    expect(judge([BASELINE, SURGE, { ...DEAD, queue }]).metastable).toBe("unknown");
    // 2 × 1,500 / (300 − 150) = 20 s: watched long enough.
    expect(judge([BASELINE, SURGE, { ...DEAD, queue: (s) => queue(s) - 2000 }]).metastable).toBe(
      "yes",
    );
  });

  test("without the service's own word the bound decides, and the verdict says so", () => {
    const { queue: _, ...silent } = DEAD;
    const verdict = judge([BASELINE, SURGE, { ...silent, unansweredTries: 600 }]);
    expect(verdict.metastable).toBe("yes");
    expect(verdict.decided_by).toContain("upper bound");
  });

  test("unknown while the crowd is still there", () => {
    expect(judge([BASELINE, SURGE, { ...DEAD, offered: 200 }])).toMatchObject({
      metastable: "unknown",
      collapsed: true,
    });
  });

  test("unknown when a fault of the trigger was never proved undone; one healed late moves the trigger's end", () => {
    const fault = (endS: number): FaultRecord => ({
      ...step("slow-gateway", 9, endS),
      kind: "latency",
      end_ns: endS * 1e9,
    });
    expect(
      judge([BASELINE, SURGE, DEAD], { faults: [{ ...fault(10), end_ns: -1 }] }).metastable,
    ).toBe("unknown");
    expect(judge([BASELINE, SURGE, HEALTHY], { faults: [fault(14)] }).recovered_after_s).toBe(0);
    expect(courseFor([BASELINE, SURGE, HEALTHY], { faults: [fault(14)] }).trigger).toEqual({
      startS: 8,
      endS: 14,
    });
  });

  test("unknown when it was watched for less than a recovery takes to show", () => {
    const verdict = judge([BASELINE, SURGE, { ...DEAD, forS: 6 }]);
    expect(verdict).toMatchObject({ metastable: "unknown", recovered_after_s: null });
    expect(verdict.decided_by).toContain("watched for 6 s only");
  });

  test("a normal day without a trigger: nothing to come back from", () => {
    expect(judge([BASELINE, HEALTHY])).toMatchObject({
      collapsed: false,
      metastable: "no",
      recovered_after_s: null,
      surge_share: null,
    });
    expect(judge([BASELINE, DEAD])).toMatchObject({ collapsed: true, metastable: "unknown" });
  });
});

describe("undecided", () => {
  const nothing = {
    collapsed: null,
    metastable: "unknown",
    depth: null,
    recovered_after_s: null,
    served_well_per_s: null,
    lost_intents: null,
    margins: {},
  };

  test("a saturated generator decides nothing, and is named", () => {
    const verdict = judge([BASELINE, SURGE, DEAD], { saturated: true });
    expect(verdict).toMatchObject(nothing);
    expect(verdict.decided_by).toContain(
      "load generator was the bottleneck (12 % of the arrivals were late)",
    );
  });

  test("no baseline, nobody in it, or a service that failed in it: nothing to compare with", () => {
    expect(judge([SURGE, DEAD])).toMatchObject(nothing);
    expect(judge([{ ...BASELINE, offered: 0, good: 0 }, SURGE, DEAD])).toMatchObject(nothing);
    const failing = judge([{ ...BASELINE, good: 10 }, SURGE, DEAD]);
    expect(failing).toMatchObject(nothing);
    expect(failing.decided_by).toContain("failing before anything was done to it: 7 %");
  });

  test("intents whose arrival was not recorded: data are missing", () => {
    const stretches = [BASELINE, SURGE, HEALTHY];
    expect(
      collapseVerdict({ ...curves(stretches), orphans: 3 }, courseFor(stretches)),
    ).toMatchObject(nothing);
  });
});

describe("margins and the rate served well", () => {
  test("each deciding figure's distance from its line, as a share of it", () => {
    const { margins } = judge([BASELINE, SURGE, DEAD]);
    expect(margins["load"]).toBeCloseTo(0.5, 5); // 150 of 300
    expect(margins["surge_load"]).toBeCloseTo(1, 5); // 600 of 300
    expect(margins["amplified_load"]).toBeCloseTo(1, 5); // 4 × 150 of 300
    expect(margins["collapse"]).toBeCloseTo(1, 5); // nothing at all is served
    expect(margins["surge_share"]).toBeCloseTo(0.75, 5); // 0.2 of 0.8
    expect(margins["recovery"]).toBeCloseTo(19, 5); // 100 % lost where 5 % may be
    expect(margins["backlog_slope"]).toBeCloseTo(2, 5); // +300/s at 150 arrivals/s
  });

  test("a slope that decided nothing has no margin", () => {
    expect(judge([BASELINE, SURGE, HEALTHY]).margins).not.toHaveProperty("backlog_slope");
    expect(judge([BASELINE, SURGE, HEALTHY]).margins["recovery"]).toBeGreaterThan(0.8);
  });

  test("a surge that a queue swallowed before everything broke was not served well", () => {
    const swallowed = { ...SURGE, good: 600 };
    expect(judge([BASELINE, swallowed, DEAD]).served_well_per_s).toBe(150);
    expect(judge([BASELINE, swallowed, HEALTHY]).served_well_per_s).toBe(600);
  });

  test("a surge of which a tenth got no answer was not served well; openly turning a tenth away was", () => {
    // Two seconds half before and half in the surge may still be served at 95 %; the surge's own rate is not claimed.
    expect(judge([BASELINE, { ...SURGE, good: 540 }, HEALTHY]).served_well_per_s).toBeLessThan(300);
    expect(judge([BASELINE, { ...SURGE, good: 540, refused: 60 }, HEALTHY]).served_well_per_s).toBe(
      540,
    );
  });
});
