/** The live figures on literal rows, fed in the order a recorder would hear them. */
import { describe, expect, test } from "vitest";
import type { Operation } from "../history/operation.ts";
import { LiveFigures, type LiveNotice } from "./live.ts";

const S = 1e9;
const MS = 1e6;

const figures = (): LiveFigures =>
  new LiveFigures({
    goodputKinds: ["order"],
    goodputScenarios: ["buyers"],
    deadlineS: 4,
    attemptTimeoutS: 1,
    phases: [
      { role: "warm-up", start_s: 0, end_s: 1 },
      { role: "baseline", start_s: 1, end_s: 5 },
      { role: "trigger", start_s: 5, end_s: 7 },
    ],
  });

function attempt(
  iteration: number,
  fromNs: number,
  toNs: number,
  rest: Partial<Operation> = {},
): Omit<Operation, "index"> {
  return {
    time_intended_ns: fromNs,
    time_invoke_ns: fromNs,
    time_complete_ns: toNs,
    process: "p",
    intent: `i${iteration}`,
    attempt: 1,
    kind: "order",
    outcome: "ok",
    status: 200,
    error: "",
    phase: "",
    scenario: "buyers",
    iteration,
    final: true,
    request: {},
    response: {},
    ...rest,
  };
}

/** One customer: served after 50 ms, or four attempts of a second that nobody answers. */
function customer(live: LiveFigures, iteration: number, atNs: number, served: boolean): void {
  const timeout = { outcome: "info", status: 0, error: "timeout", final: false } as const;
  if (served) live.operation(attempt(iteration, atNs, atNs + 50 * MS));
  else
    for (let n = 1; n <= 4; n++)
      live.operation(
        attempt(iteration, atNs, atNs + n * S, {
          ...timeout,
          attempt: n,
          time_invoke_ns: atNs + (n - 1) * S,
        }),
      );
  live.arrival({
    scenario: "buyers",
    iteration,
    time_intended_ns: atNs,
    time_start_ns: atNs,
    state: "completed",
  });
}

/** `perS` customers in each second from … to−1. */
function crowd(
  live: LiveFigures,
  from: number,
  to: number,
  perS: number,
  servedShare: number,
): void {
  for (let s = from; s < to; s++) {
    for (let n = 0; n < perS; n++)
      customer(live, s * 1000 + n, s * S + (n / perS) * S, n < servedShare * perS);
  }
}

/** Looks four times a second, as the live view does, and collects what was told. */
function lookUntil(live: LiveFigures, untilS: number): LiveNotice[] {
  const told: LiveNotice[] = [];
  for (let s = 0; s <= untilS; s += 0.25) {
    const { notice } = live.snapshot(s * S);
    if (notice !== undefined) told.push(notice);
  }
  return told;
}

describe("the last seconds", () => {
  test("offered, goodput, share of retries and p99 of a healthy second", () => {
    const live = figures();
    crowd(live, 0, 6, 20, 1);
    expect(live.snapshot(5 * S)).toEqual({
      offeredPerS: 20,
      goodputPerS: 20,
      retryShare: 0,
      p99Ms: expect.closeTo(50, 0),
    });
  });

  test("a retry is a share of the attempts that ended, and its answer's latency counts from the first attempt's start", () => {
    const live = figures();
    live.operation(attempt(1, 2.2 * S, 3.2 * S, { outcome: "info", final: false }));
    live.operation(attempt(1, 2.2 * S, 3.4 * S, { attempt: 2, time_invoke_ns: 3.2 * S }));
    const snapshot = live.snapshot(4.5 * S);
    expect(snapshot).toMatchObject({ retryShare: 0.5, goodputPerS: 1 });
    expect(snapshot.p99Ms).toBeCloseTo(1200, -2);
    expect(live.snapshot(5.5 * S)).toMatchObject({ retryShare: 0, goodputPerS: 0, p99Ms: null });
  });

  test("dropped arrivals, and iterations that never got to their order, are offered load", () => {
    const live = figures();
    for (let i = 0; i < 3; i++)
      live.arrival({
        scenario: "buyers",
        iteration: i,
        time_intended_ns: 2.5 * S,
        time_start_ns: -1,
        state: "dropped",
      });
    live.arrival({
      scenario: "openers",
      iteration: 0,
      time_intended_ns: 2.5 * S,
      time_start_ns: 2.5 * S,
      state: "completed",
    });
    expect(live.snapshot(4.2 * S).offeredPerS).toBe(3);
  });

  test("a late answer is no goodput, and two answers to one customer are one", () => {
    const live = figures();
    live.operation(attempt(1, 1 * S, 5.5 * S));
    live.operation(attempt(2, 5.1 * S, 5.2 * S));
    live.operation(attempt(2, 5.1 * S, 5.3 * S, { attempt: 2 }));
    expect(live.snapshot(6.1 * S).goodputPerS).toBe(1);
  });
});

describe("what is told", () => {
  test("a collapse once, with its second and its figures, a deadline after 5 s of it; and the recovery", () => {
    const live = figures();
    crowd(live, 0, 7, 20, 1);
    crowd(live, 7, 20, 20, 0.1);
    crowd(live, 20, 32, 20, 1);
    const told = lookUntil(live, 32);
    expect(told).toEqual([
      { kind: "collapsed", fromS: 7, goodputPerS: 2, offeredPerS: 20, baselinePerS: 20 },
      { kind: "recovered", fromS: 20, goodputPerS: 20, offeredPerS: 20, baselinePerS: 20 },
    ]);
  });

  test("as a sentence", () => {
    const live = figures();
    crowd(live, 0, 7, 20, 1);
    crowd(live, 7, 20, 20, 0.1);
    expect(live.snapshot(16.1 * S).message).toBe(
      "collapsed at second 7: 2 of 20 customers a second are served in time (20/s before the crowd)",
    );
  });

  test("not for 4 s, not for a crowd that went home, not without a baseline", () => {
    const short = figures();
    crowd(short, 0, 7, 20, 1);
    crowd(short, 7, 11, 20, 0);
    crowd(short, 11, 20, 20, 1);
    expect(lookUntil(short, 20)).toEqual([]);
    const quiet = figures();
    crowd(quiet, 0, 7, 20, 1);
    expect(lookUntil(quiet, 20)).toEqual([]);
    const plain = new LiveFigures({
      goodputKinds: ["order"],
      goodputScenarios: ["buyers"],
      deadlineS: 4,
      attemptTimeoutS: 1,
      phases: [],
    });
    crowd(plain, 0, 20, 20, 0);
    expect(lookUntil(plain, 24)).toEqual([]);
  });
});

describe("the operator who watches", () => {
  test("sees whether goodput has come back over the last 5 s that are settled", () => {
    const live = figures();
    crowd(live, 0, 7, 20, 1);
    crowd(live, 7, 20, 20, 0.5);
    crowd(live, 20, 36, 20, 1);
    live.snapshot(36 * S);
    expect(live.notRecovered()).toBe(false);
    const down = figures();
    crowd(down, 0, 7, 20, 1);
    crowd(down, 7, 36, 20, 0.9);
    expect(down.notRecovered()).toBe(true);
  });

  test("does nothing where nobody came", () => {
    expect(figures().notRecovered()).toBe(false);
  });
});
