/** Arrivals are computed exactly as k6 computes them: tables of plans and of the offsets they mean. */
import { describe, expect, it } from "vitest";
import { constantArrivals, rampAt, rampingArrivals } from "./arrivals.ts";
import { peakRatePerS } from "./peak-rate.ts";
import { readOptions } from "../options/run-options.ts";

const ms = (offsets: Iterable<number>): number[] =>
  [...offsets].map((ns) => Math.round(ns / 1e4) / 100);

describe("constant-arrival-rate", () => {
  it.each([
    [{ rate: 4, timeUnitMs: 1000, durationMs: 1000 }, [0, 250, 500, 750]],
    [{ rate: 3, timeUnitMs: 1000, durationMs: 1000 }, [0, 333.33, 666.67]],
    [{ rate: 1, timeUnitMs: 2000, durationMs: 5000 }, [0, 2000, 4000]],
  ])("%j starts iteration g at g periods", (plan, expected) => {
    expect(ms(constantArrivals(plan))).toEqual(expected);
  });

  it("plans rate × duration iterations without drift over a million", () => {
    let count = 0;
    let last = 0;
    for (const ns of constantArrivals({ rate: 7777, timeUnitMs: 1000, durationMs: 130_000 })) {
      count += 1;
      last = ns;
    }
    expect(count).toBe(7777 * 130);
    expect(last).toBeCloseTo(((count - 1) * 1e9) / 7777, 0);
  });
});

describe("ramping-arrival-rate", () => {
  it.each([
    [
      "flat: event i where the area reaches i",
      { startRate: 10, stages: [{ durationMs: 500, target: 10 }] },
      [100, 200, 300, 400, 500],
    ],
    [
      "up from 0 to 8 in 1 s: t = √(i/4)",
      { startRate: 0, stages: [{ durationMs: 1000, target: 8 }] },
      [500, 707.11, 866.03, 1000],
    ],
    [
      "down from 8 to 0 is its mirror",
      { startRate: 8, stages: [{ durationMs: 1000, target: 0 }] },
      [133.97, 292.89, 500, 1000],
    ],
    [
      "duration 0 jumps",
      {
        startRate: 1,
        stages: [
          { durationMs: 0, target: 4 },
          { durationMs: 1000, target: 4 },
        ],
      },
      [250, 500, 750, 1000],
    ],
    [
      "the fraction is carried over stages",
      {
        startRate: 1,
        stages: [
          { durationMs: 1500, target: 1 },
          { durationMs: 1500, target: 1 },
        ],
      },
      [1000, 2000, 3000],
    ],
    [
      "a pause holds it too",
      {
        startRate: 1,
        stages: [
          { durationMs: 500, target: 1 },
          { durationMs: 0, target: 0 },
          { durationMs: 3000, target: 0 },
          { durationMs: 0, target: 1 },
          { durationMs: 500, target: 1 },
        ],
      },
      [4000],
    ],
  ])("%s", (_name, plan, expected) => {
    expect(ms(rampingArrivals({ timeUnitMs: 1000, ...plan }))).toEqual(expected);
  });

  it("loses no iteration to rounding over thousands of stages", () => {
    const stages = Array.from({ length: 3000 }, (_, i) => ({
      durationMs: 100,
      target: i % 2 === 0 ? 33 : 7,
    }));
    const offsets = [...rampingArrivals({ startRate: 7, timeUnitMs: 1000, stages })];
    expect(offsets).toHaveLength(6000);
    expect(offsets.every((ns, i) => i === 0 || ns >= (offsets[i - 1] ?? 0))).toBe(true);
  });
});

it("rampAt tells the value of a ramp, the later one at a jump", () => {
  const stages = [
    { durationMs: 1000, target: 10 },
    { durationMs: 0, target: 2 },
    { durationMs: 1000, target: 2 },
  ];
  expect([0, 500, 1000, 1500, 9000].map((at) => rampAt(0, stages, at))).toEqual([0, 5, 2, 2, 2]);
});

it("peakPerS adds scenarios that overlap and leaves out those that do not", () => {
  const problems: string[] = [];
  const options = readOptions(
    {
      scenarios: {
        a: { executor: "constant-arrival-rate", rate: 100, duration: "10s", preAllocatedVUs: 1 },
        b: {
          executor: "ramping-arrival-rate",
          startRate: 0,
          timeUnit: "500ms",
          preAllocatedVUs: 1,
          startTime: "5s",
          stages: [
            { duration: "5s", target: 50 },
            { duration: "5s", target: 0 },
          ],
        },
        c: { executor: "constant-vus", vus: 3, duration: "60s" },
      },
    },
    problems,
  );
  expect(problems).toEqual([]);
  expect(peakRatePerS(options.scenarios)).toBe(200);
});
