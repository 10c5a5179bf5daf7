/**
 * One run as the reports see it: run.json, the verdict, the time series in columns, the faults and the facts read out
 * of the books. Everything is read once, here; the reports themselves touch no file.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readFaults } from "../harness/analysis/course.ts";
import { Database, literal } from "../harness/history/duckdb.ts";
import type { FaultRecord } from "../harness/history/operation.ts";
import {
  readRun,
  readVerdict,
  runPaths,
  type RunJson,
  type Verdict,
} from "../harness/history/run-folder.ts";
import { readBookFacts, type BookFacts } from "./book-facts.ts";
import { readUnserved, type Unserved } from "./unserved.ts";

/** Above this many points a chart shows nothing more, and a page grows: buckets are merged, and the page says so. */
const POINTS_MAX = 12_000;
/** With fewer arrivals a bucket than this, rates would be a comb of 0 and 10: buckets are merged, up to a second. */
const ARRIVALS_MIN = 4;
const FAULTS_MAX = 1_000;

/** Columns of equal length; one element a bucket. Counts are counts of the bucket, not rates. */
export interface Series {
  /** Width of a bucket: 100, or a multiple when the run is very long or arrivals are few. */
  readonly bucketMs: number;
  readonly tMs: readonly number[];
  readonly phase: readonly string[];
  readonly offered: readonly number[];
  readonly good: readonly number[];
  readonly kept: readonly number[];
  readonly attempts: readonly number[];
  readonly retries: readonly number[];
  readonly p50Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
  readonly inFlight: readonly (number | null)[];
  readonly queueDepth: readonly (number | null)[];
}

export interface RunView {
  readonly dir: string;
  readonly run: RunJson;
  readonly verdict: Verdict;
  /** Null when the run kept none. */
  readonly series: Series | null;
  /** In order of their beginning. */
  readonly faults: readonly FaultRecord[];
  readonly books: BookFacts;
  /** Null when the history was not kept. */
  readonly unserved: Unserved | null;
}

/**
 * Reads a finished run's folder.
 * @throws StampedeError("configuration") when run.json or verdict.json is missing, broken or of a newer format.
 */
export async function loadRunView(dir: string): Promise<RunView> {
  const run = readRun(dir);
  const verdict = readVerdict(dir);
  const paths = runPaths(dir);
  await using db = await Database.open({ memoryLimit: "1GB" });
  return {
    dir,
    run,
    verdict,
    series: await readSeries(db, paths.series),
    faults: (await readFaults(paths.faults)).slice(0, FAULTS_MAX),
    books: await readBookFacts(db, join(dir, "evidence"), run.t0_wall_us),
    unserved: await readUnserved(db, paths.ops, run.goodput_kinds),
  };
}

async function readSeries(db: Database, path: string): Promise<Series | null> {
  if (!existsSync(path)) return null;
  const from = `read_parquet(${literal(path)})`;
  const [span] = await db.all(
    `SELECT max(t_ms) / 100 + 1 AS buckets, avg(offered) FILTER (offered > 0) AS arrivals FROM ${from}`,
  );
  const forFew = Math.min(
    10,
    Math.ceil(ARRIVALS_MIN / Math.max(1, Number(span?.["arrivals"] ?? ARRIVALS_MIN))),
  );
  const merged = Math.max(forFew, Math.ceil(Number(span?.["buckets"] ?? 0) / POINTS_MAX));
  const bucketMs = merged * 100;
  const rows = await db.all(`
    SELECT CAST(floor(t_ms / ${bucketMs}) * ${bucketMs} AS BIGINT) AS t, arg_min(phase, t_ms) AS phase,
      sum(offered)::DOUBLE AS offered, sum(good)::DOUBLE AS good, sum(kept)::DOUBLE AS kept,
      sum(attempts)::DOUBLE AS attempts, sum(retries)::DOUBLE AS retries,
      median(p50_ms)::DOUBLE AS p50, max(p99_ms)::DOUBLE AS p99, max(in_flight)::DOUBLE AS in_flight, max(queue_depth)::DOUBLE AS queue_depth
    FROM ${from} GROUP BY 1 ORDER BY 1`);
  if (rows.length === 0) return null;
  const column = (name: string): number[] => rows.map((row) => Number(row[name] ?? 0));
  const sparse = (name: string): (number | null)[] =>
    rows.map((row) => (typeof row[name] === "number" && row[name] >= 0 ? row[name] : null));
  return {
    bucketMs,
    tMs: column("t"),
    phase: rows.map((row) => (typeof row["phase"] === "string" ? row["phase"] : "")),
    offered: column("offered"),
    good: column("good"),
    kept: column("kept"),
    attempts: column("attempts"),
    retries: column("retries"),
    p50Ms: sparse("p50"),
    p99Ms: sparse("p99"),
    inFlight: sparse("in_flight"),
    queueDepth: sparse("queue_depth"),
  };
}

/** Arrivals of customers, and the most of them in any one second. */
export function crowdOf(
  view: RunView,
): { readonly customers: number; readonly peakPerS: number } | null {
  const { series } = view;
  if (series === null) return null;
  const perSecond = new Map<number, number>();
  series.tMs.forEach((tMs, at) => {
    const second = Math.floor(tMs / 1000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + (series.offered[at] ?? 0));
  });
  return {
    customers: series.offered.reduce((sum, n) => sum + n, 0),
    peakPerS: Math.max(0, ...perSecond.values()),
  };
}

/** Seconds between the end of the trigger and the end of the watch (an intervention, or the last watching phase). */
export function watchedS(view: RunView): number | null {
  const { phases } = view.run;
  const triggerEndS = Math.max(
    ...phases.filter((phase) => phase.role === "trigger").map((phase) => phase.end_s),
  );
  const watchEndS =
    view.verdict.collapse.intervention_s ??
    Math.max(...phases.filter((phase) => phase.role === "watch").map((phase) => phase.end_s));
  return Number.isFinite(triggerEndS) && Number.isFinite(watchEndS)
    ? Math.max(0, watchEndS - triggerEndS)
    : null;
}

/** (what was served well − what is expected) ÷ what is expected; null when either is not known. */
export function headroomOf(view: RunView): number | null {
  const { served_well_per_s: served } = view.verdict.collapse;
  const expected = view.run.expect_peak_per_s;
  return served === null || expected === null || expected <= 0 ? null : served / expected - 1;
}

/** Seconds from the start to the end of the plan. */
export function plannedS(run: RunJson): number {
  return Math.max(0, ...run.phases.map((phase) => phase.end_s));
}
