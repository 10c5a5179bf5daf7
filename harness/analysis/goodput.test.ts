/** Goodput out of literal histories, written by the real recorder and read back from Parquet: one history, one rule. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Database } from "../history/duckdb.ts";
import type { Arrival, Operation } from "../history/operation.ts";
import { Recorder } from "../history/recorder.ts";
import { makeRunFolder, runPaths } from "../history/run-folder.ts";
import { readFaults } from "./course.ts";
import { readSeries, writeSeries, type SeriesRun } from "./goodput.ts";
import { binOf, binSql, edgeMs } from "./latency-bins.ts";
import type { Series } from "./series.ts";

let root = "";
let made = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "analysis-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const MS = 1e6;
const RUN: SeriesRun = {
  id: "r",
  phases: [{ name: "baseline", role: "baseline", start_s: 0, end_s: 2 }],
  goodput_kinds: ["order"],
  goodput_scenarios: ["buyers"],
  customer: { deadlineS: 4 },
};

function arrival(iteration: number, atMs: number, rest: Partial<Arrival> = {}): Arrival {
  return {
    scenario: "buyers",
    iteration,
    time_intended_ns: atMs * MS,
    time_start_ns: atMs * MS,
    state: "completed",
    ...rest,
  };
}

/** An attempt of iteration i's order, intended and sent at fromMs, ended at toMs, answered finally unless said otherwise. */
function order(
  iteration: number,
  fromMs: number,
  toMs: number,
  rest: Partial<Operation> = {},
): Omit<Operation, "index"> {
  return {
    time_intended_ns: fromMs * MS,
    time_invoke_ns: fromMs * MS,
    time_complete_ns: toMs * MS,
    process: `0.${iteration}.0`,
    intent: `intent-${iteration}`,
    attempt: 1,
    kind: "order",
    outcome: "ok",
    status: 200,
    error: "",
    phase: "baseline",
    scenario: "buyers",
    iteration,
    final: true,
    request: {},
    response: {},
    ...rest,
  };
}

const TIMEOUT = { outcome: "info", status: 0, error: "timeout", final: false } as const;
const OVERLOAD = { outcome: "fail", status: 503, error: "overload", final: false } as const;

interface History {
  readonly arrivals: readonly Arrival[];
  readonly ops: readonly Omit<Operation, "index">[];
  readonly contradicted?: readonly string[];
  readonly run?: Partial<SeriesRun>;
  readonly vitals?: readonly (readonly [ms: number, depth: number | null])[];
}

async function seriesOf(
  history: History,
): Promise<{ series: Series; paths: ReturnType<typeof runPaths> }> {
  const dir = join(root, String(made++));
  makeRunFolder(dir);
  const paths = runPaths(dir);
  const recorder = new Recorder();
  for (const row of history.ops) recorder.operation(row);
  for (const row of history.arrivals) recorder.arrival(row);
  for (const [ms, depth] of history.vitals ?? [])
    recorder.vitals({ t_ns: ms * MS, queue_depth: depth });
  await recorder.write(paths);
  return {
    series: await writeSeries(paths, { ...RUN, ...history.run }, history.contradicted ?? []),
    paths,
  };
}

const total = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

describe("who was served well", () => {
  test("a good answer counts at the arrival, however late in its deadline it came", async () => {
    const { series } = await seriesOf({ arrivals: [arrival(0, 150)], ops: [order(0, 150, 3950)] });
    expect(series.good[1]).toBe(1);
    expect(total(series.good)).toBe(1);
    expect(series.p99Ms[1]).toBeCloseTo(3800, 6);
  });

  test("an answer after the deadline is an answer and not good", async () => {
    const { series } = await seriesOf({ arrivals: [arrival(0, 100)], ops: [order(0, 100, 4101)] });
    expect(total(series.good)).toBe(0);
    expect(total(series.unanswered)).toBe(0);
    expect(series.p50Ms[1]).toBeCloseTo(4001, 6);
  });

  test("an answer at the deadline itself is in time, and a generator that sends late takes it from the customer's time", async () => {
    const at = async (to: number): Promise<number> => {
      const late = order(0, 100, to, { time_invoke_ns: 700 * MS });
      return total((await seriesOf({ arrivals: [arrival(0, 100)], ops: [late] })).series.good);
    };
    expect([await at(4100), await at(4101)]).toEqual([1, 0]);
  });

  test("a retry's answer counts for the first attempt's arrival; the deadline runs from there", async () => {
    const retry = (to: number): Omit<Operation, "index">[] => [
      order(0, 100, 1100, TIMEOUT),
      order(0, 100, to, { attempt: 2, time_invoke_ns: 1100 * MS }),
    ];
    const served = await seriesOf({ arrivals: [arrival(0, 100)], ops: retry(4000) });
    expect(served.series.good[1]).toBe(1);
    expect(served.series.tries[1]).toBe(2);
    expect([
      served.series.attempts[1],
      served.series.attempts[11],
      served.series.retries[11],
    ]).toEqual([1, 1, 1]);
    const late = await seriesOf({ arrivals: [arrival(0, 100)], ops: retry(4200) });
    expect(total(late.series.good)).toBe(0);
  });

  test("a refusal the rules demand is good, an overload refusal is not, and three of those are 'refused'", async () => {
    const soldOut = order(0, 100, 120, {
      outcome: "fail",
      status: 409,
      error: "sold_out",
      final: true,
    });
    const overloads = [1, 2, 3].map((attempt) =>
      order(1, 200, 210 * attempt, { ...OVERLOAD, attempt }),
    );
    const { series } = await seriesOf({
      arrivals: [arrival(0, 100), arrival(1, 200)],
      ops: [soldOut, ...overloads],
    });
    expect([series.good[1], series.good[2], series.refused[2], series.unanswered[2]]).toEqual([
      1, 0, 1, 0,
    ]);
    expect(total(series.fail)).toBe(4);
  });

  test("a time-out nobody resolved is unanswered, in whatever order the rows were recorded", async () => {
    const ops = [
      order(0, 100, 2100, { ...TIMEOUT, attempt: 2 }),
      order(0, 100, 1100, { ...OVERLOAD }),
    ];
    const { series } = await seriesOf({ arrivals: [arrival(0, 100)], ops });
    expect([total(series.good), total(series.refused), total(series.unanswered)]).toEqual([
      0, 0, 1,
    ]);
  });

  test("an iteration that ended before its intent, or never started, is offered and not good", async () => {
    const lookup = order(0, 100, 150, { kind: "lookup", intent: "look-0" });
    const { series } = await seriesOf({
      arrivals: [arrival(0, 100), arrival(1, 110, { state: "dropped", time_start_ns: -1 })],
      ops: [lookup],
    });
    expect([series.offered[1], series.good[1], series.intents[1], total(series.attempts)]).toEqual([
      2, 0, 0, 0,
    ]);
  });

  test("an order after a look-up counts at the iteration's arrival, its deadline from its own start", async () => {
    const ops = [order(0, 100, 1000, { kind: "lookup", intent: "look-0" }), order(0, 1000, 4900)];
    const { series } = await seriesOf({ arrivals: [arrival(0, 100)], ops });
    expect(series.good[1]).toBe(1);
    expect(series.p99Ms[1]).toBeCloseTo(3900, 6);
  });

  test("of two wishes in one iteration both must be good, and it still counts once", async () => {
    const ops = [order(0, 100, 150), order(0, 150, 1150, { ...TIMEOUT, intent: "second" })];
    const { series } = await seriesOf({ arrivals: [arrival(0, 100)], ops });
    expect([series.offered[1], series.good[1], series.intents[1]]).toEqual([1, 0, 2]);
  });

  test("other scenarios, the operator and the harness are not the crowd that is counted", async () => {
    const others = [
      order(0, 100, 150, { scenario: "openers" }),
      order(1, 100, 150, { scenario: "operator", process: "operator" }),
    ];
    const { series } = await seriesOf({
      arrivals: [arrival(0, 100, { scenario: "openers" })],
      ops: others,
    });
    expect([
      total(series.offered),
      total(series.good),
      total(series.attempts),
      series.orphans,
    ]).toEqual([0, 0, 0, 0]);
  });

  test("kept is good less what the books contradict, quotes in an intent's name included", async () => {
    const ops = [order(0, 100, 150), order(1, 100, 150, { intent: "it's" })];
    const { series } = await seriesOf({
      arrivals: [arrival(0, 100), arrival(1, 100)],
      ops,
      contradicted: ["it's", "unheard-of"],
    });
    expect([series.good[1], series.kept[1]]).toEqual([2, 1]);
  });

  test("an intent without a recorded arrival is told as missing data", async () => {
    const { series } = await seriesOf({
      arrivals: [arrival(0, 100)],
      ops: [order(0, 100, 150), order(7, 100, 150)],
    });
    expect([series.orphans, series.good[1]]).toEqual([1, 1]);
  });
});

describe("the load on the service", () => {
  test("in flight falls when the client stops waiting, the bound only when the service answers", async () => {
    const { series } = await seriesOf({
      arrivals: [arrival(0, 0), arrival(1, 0)],
      ops: [order(0, 0, 1000, TIMEOUT), order(1, 0, 500)],
    });
    expect([0, 4, 5, 9, 10].map((i) => series.inFlight[i])).toEqual([2, 2, 1, 1, 0]);
    expect([0, 4, 5, 10].map((i) => series.backlogBound[i])).toEqual([2, 2, 1, 1]);
  });

  test("the service's own queue is its last word in each bucket; silence stays silence", async () => {
    const { series } = await seriesOf({
      arrivals: [arrival(0, 0)],
      ops: [order(0, 0, 10)],
      vitals: [
        [310, 7],
        [390, 9],
        [500, null],
      ],
    });
    expect([series.queueDepth[3], series.queueDepth[4], series.queueDepth[5]]).toEqual([
      9,
      Number.NaN,
      Number.NaN,
    ]);
  });
});

describe("series.parquet", () => {
  test("holds the documented columns, one row per 100 ms of the schedule and of what came after it", async () => {
    const { paths, series } = await seriesOf({
      arrivals: [arrival(0, 100)],
      ops: [order(0, 100, 2350)],
      vitals: [[120, 3]],
    });
    const rows = await readSeries(paths.series);
    expect(rows).toHaveLength(24);
    expect(series.buckets).toBe(24);
    expect(rows[1]).toEqual({
      t_ms: 100,
      phase: "baseline",
      offered: 1,
      good: 1,
      kept: 1,
      attempts: 1,
      retries: 0,
      ok: 1,
      fail: 0,
      info: 0,
      p50_ms: 2250,
      p99_ms: 2250,
      in_flight: 1,
      queue_depth: 3,
    });
    expect(rows[0]).toMatchObject({ p99_ms: null, queue_depth: null, offered: 0 });
    expect(rows.at(-1)).toMatchObject({ t_ms: 2300, phase: "drain" });
  });

  test("a plain load test without an event has offered load and nothing that is judged", async () => {
    const { series } = await seriesOf({
      arrivals: [arrival(0, 100)],
      ops: [],
      run: { goodput_kinds: [], goodput_scenarios: [], customer: {} },
    });
    expect([total(series.offered), total(series.good)]).toEqual([1, 0]);
  });

  test("says what is missing: no history, no deadline, times that no run has", async () => {
    const paths = runPaths(join(root, "nothing"));
    await expect(writeSeries(paths, RUN, [])).rejects.toThrow(
      /expected the run's ops at .*there is no such file/,
    );
    await expect(readSeries(paths.series)).rejects.toThrow(/series/);
    await expect(seriesOf({ arrivals: [], ops: [], run: { customer: {} } })).rejects.toThrow(
      /customer.deadlineS must be a positive number/,
    );
    await expect(seriesOf({ arrivals: [arrival(0, 1e9)], ops: [] })).rejects.toThrow(/within 24 h/);
  });

  test("a run folder without vitals or faults is read as one where nothing was said and nothing broken", async () => {
    const { paths } = await seriesOf({ arrivals: [arrival(0, 100)], ops: [order(0, 100, 150)] });
    rmSync(paths.vitals);
    rmSync(paths.faults);
    expect((await writeSeries(paths, RUN, [])).good[1]).toBe(1);
    expect(await readFaults(paths.faults)).toEqual([]);
  });
});

test("SQL and TypeScript sort every latency into the same bin, and a bin is never off by more than 1 %", async () => {
  const values = [0, 0.05, 0.1, 0.100001, 0.101, 1, 9.99, 20, 333.3, 999.9, 4000, 59_999, 7e6, 1e9];
  await using db = await Database.open();
  const rows = await db.all(
    `SELECT ${binSql("ms")} AS bin FROM (SELECT unnest([${values.map((v) => `${v}::DOUBLE`).join(", ")}]) AS ms)`,
  );
  expect(rows.map((row) => row["bin"])).toEqual(values.map(binOf));
  for (const ms of values.filter((v) => v > 0.1 && v < 6e6)) {
    expect(edgeMs(binOf(ms)) / ms).toBeGreaterThanOrEqual(1 - 1e-9);
    expect(edgeMs(binOf(ms)) / ms).toBeLessThanOrEqual(1.01 + 1e-9);
  }
});
