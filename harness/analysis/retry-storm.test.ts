/**
 * The reference results of faults.md, through the same functions that judge a run. Where a share is told over 20 seeds,
 * these are 20 seeds; 150 s of virtual time each. The mitigations' times are those of goodput (ΣG ≥ 0.95 Σλ); the full
 * recovery, which waits for the p99 as well, is asserted to come and to come later.
 */
import { describe, expect, test } from "vitest";
import type { CollapseVerdict } from "../history/run-folder.ts";
import { collapseVerdict } from "./collapse-verdict.ts";
import { courseOf } from "./course.ts";
import { recovery } from "./recovery.ts";
import { REFERENCE_STORM, retryStorm, type StormOptions } from "./retry-storm.fixture.ts";
import { amplification } from "./series.ts";

interface Played {
  readonly verdict: CollapseVerdict;
  readonly goodputBackAfterS: number | null;
  /** Amplification over the last 30 s. */
  readonly amplification: number;
}

function play(options: Partial<StormOptions>, seed: number): Played {
  const storm = { ...REFERENCE_STORM, ...options, seed };
  const series = retryStorm(storm);
  const goneS = storm.triggerAtS + storm.triggerS;
  const phases = [
    { name: "baseline", role: "baseline", start_s: 0, end_s: storm.triggerAtS },
    { name: "slow", role: "trigger", start_s: storm.triggerAtS, end_s: goneS },
    { name: "watch", role: "watch", start_s: goneS, end_s: storm.endS },
  ] as const;
  const run = {
    id: "storm",
    phases: [...phases],
    capacity: storm.capacityPerS,
    customer: { deadlineS: 60 },
    goodput_kinds: ["order"],
  };
  const course = courseOf(run, [], { saturated: false, because: [] });
  if (course.watch === null || course.baseline === null)
    throw new Error("the storm has a watch and a baseline");
  return {
    verdict: collapseVerdict(series, course),
    goodputBackAfterS: recovery(series, course.watch, course.baseline, 10).goodputBackAfterS,
    amplification: amplification(series, { startS: storm.endS - 30, endS: storm.endS }),
  };
}

const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const storms = (options: Partial<StormOptions>, count = 20): Played[] =>
  seeds(count).map((seed) => play(options, seed));
const recovered = (played: readonly Played[]): number =>
  played.filter((p) => p.verdict.recovered_after_s !== null).length;
const metastable = (played: readonly Played[]): number =>
  played.filter((p) => p.verdict.metastable === "yes").length;
const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((x, y) => x - y);
  return (
    ((sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN) +
      (sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN)) /
    2
  );
};

describe("the boundary of a retry storm is ρ = 1/(1 + retries)", () => {
  test.each([0.2, 0.23])("below it, ρ %f: 20 of 20 recover, none is metastable", (rho) => {
    const played = storms({ rho });
    expect(recovered(played)).toBe(20);
    expect(played.map((p) => p.verdict.metastable)).toEqual(seeds(20).map(() => "no"));
    expect(Math.max(...played.map((p) => p.amplification))).toBeLessThan(1.1);
  });

  test.each([0.27, 0.3])(
    "above it, ρ %f: 0 of 20 recover, at least 18 are metastable and none is said not to be",
    (rho) => {
      const played = storms({ rho });
      expect(recovered(played)).toBe(0);
      expect(metastable(played)).toBeGreaterThanOrEqual(18);
      expect(played.filter((p) => p.verdict.metastable === "no")).toEqual([]);
      expect(played.every((p) => p.verdict.collapsed === true)).toBe(true);
    },
  );

  test("amplification pins at 4 in a storm that stays", () => {
    const played = storms({ rho: 0.3 });
    expect(Math.min(...played.map((p) => p.amplification))).toBeGreaterThan(3.9);
    expect(Math.max(...played.map((p) => p.verdict.amplification_max ?? 0))).toBeLessThanOrEqual(4);
  });
});

describe("the dose of the trigger decides", () => {
  test.each([
    [0.5, 3],
    [0.7, 2],
    [0.8, 2],
    [0.9, 2],
  ])("ρ %f for %f s: at least 19 of 20 die", (rho, triggerS) => {
    const played = storms({ rho, triggerS });
    expect(20 - recovered(played)).toBeGreaterThanOrEqual(19);
    expect(metastable(played)).toBeGreaterThanOrEqual(19);
  });

  test.each([0.6, 0.7, 0.8, 0.9])("ρ %f for 1 s: at least 18 of 20 survive", (rho) => {
    expect(recovered(storms({ rho, triggerS: 1 }))).toBeGreaterThanOrEqual(18);
  });

  test("between them it is a coin: ρ 0.6 for 2 s dies in about 81 %", () => {
    const died = 1 - recovered(storms({ rho: 0.6, triggerS: 2 }, 60)) / 60;
    // Two standard deviations of a share of 0.81 over 60 seeds are 10 points.
    expect(died).toBeGreaterThan(0.71);
    expect(died).toBeLessThan(0.91);
  });
});

describe("what helps at ρ 0.8 after 5 s", () => {
  const storm = { rho: 0.8, triggerS: 5 };
  const backAfter = (played: readonly Played[]): number =>
    median(played.map((p) => p.goodputBackAfterS ?? Number.POSITIVE_INFINITY));

  test("nothing, and backoff with jitter alone: no goodput at all", () => {
    for (const options of [storm, { ...storm, backoffBaseS: 0.5 }]) {
      const played = storms(options);
      expect(played.map((p) => p.verdict.goodput_after)).toEqual(seeds(20).map(() => 0));
      expect(metastable(played)).toBe(20);
    }
  });

  test.each([
    ["a 10 % retry budget: 15 to 25 s", { retryBudget: 0.1 }, 15, 25],
    ["dropping expired work: 10 to 30 s", { dropExpired: true }, 10, 30],
    ["a queue of at most 100: within 1 s", { queueCap: 100 }, 0, 1],
    ["last in, first out: at once", { order: "lifo" as const }, 0, 0.1],
  ])("%s", (_, mitigation, leastS, mostS) => {
    const played = storms({ ...storm, ...mitigation });
    expect(backAfter(played)).toBeGreaterThanOrEqual(leastS);
    expect(backAfter(played)).toBeLessThanOrEqual(mostS);
    expect(recovered(played)).toBe(20);
    expect(
      played.filter((p) => (p.verdict.recovered_after_s ?? -1) < (p.goodputBackAfterS ?? 0)),
    ).toEqual([]);
  });
});
