/**
 * Goodput (faults.md) out of a run folder: ops, arrivals and vitals become buckets of 100 ms, written as series.parquet.
 *
 * An arrival of a goodput scenario is good when its iteration started at least one intent of the goodput kinds and each
 * of them got a final correct answer (ok, or a refusal the rules demand) within the customer's deadline, counted from
 * the intent's intended start. It counts at the iteration's intended arrival, as does its latency: binning by completion
 * would invent losses on a healthy service. An iteration that ended before starting its intent is an arrival like any
 * other, and not good.
 */
import { existsSync } from "node:fs";
import { StampedeError } from "../errors.ts";
import { Database, literal, type Row } from "../history/duckdb.ts";
import type { RunJson } from "../history/run-folder.ts";
import { deadlineOf } from "./course.ts";
import { binSql } from "./latency-bins.ts";
import { BUCKET_MS, emptySeries, type Series } from "./series.ts";

const BUCKET_NS = BUCKET_MS * 1e6;
const NS_PER_S = 1e9;
/** Rows of contradicted intents per INSERT. */
const CHUNK = 5000;
/** A day: a longer series comes from a broken clock, not from a run. */
const BUCKETS_MAX = (24 * 3600 * 1000) / BUCKET_MS;

/** The files this reads and the one it writes; `runPaths(dir)` is one of these. */
export interface SeriesPaths {
  readonly ops: string;
  readonly arrivals: string;
  readonly vitals: string;
  readonly series: string;
}

export type SeriesRun = Pick<
  RunJson,
  "id" | "phases" | "goodput_kinds" | "goodput_scenarios" | "customer"
>;

const inList = (column: string, values: readonly string[]): string =>
  values.length === 0 ? "false" : `${column} IN (${values.map(literal).join(", ")})`;

/** Views over the files; a missing vitals.parquet means the service said nothing, a missing history is an error. */
async function openFiles(db: Database, paths: SeriesPaths): Promise<void> {
  for (const [what, path] of [
    ["ops", paths.ops],
    ["arrivals", paths.arrivals],
  ] as const) {
    if (!existsSync(path))
      throw new StampedeError(
        "configuration",
        `expected the run's ${what} at ${path}; there is no such file`,
        { hint: "give the folder of a finished run" },
      );
    await db.run(`CREATE VIEW ${what} AS SELECT * FROM read_parquet(${literal(path)})`);
  }
  await db.run(
    existsSync(paths.vitals)
      ? `CREATE VIEW vitals AS SELECT t_ns, queue_depth FROM read_parquet(${literal(paths.vitals)})`
      : "CREATE VIEW vitals AS SELECT NULL::BIGINT AS t_ns, NULL::BIGINT AS queue_depth WHERE false",
  );
}

async function tableOfContradicted(db: Database, contradicted: readonly string[]): Promise<void> {
  await db.run("CREATE TABLE contradicted(intent VARCHAR)");
  for (let i = 0; i < contradicted.length; i += CHUNK) {
    await db.run(
      `INSERT INTO contradicted VALUES ${contradicted
        .slice(i, i + CHUNK)
        .map((intent) => `(${literal(intent)})`)
        .join(", ")}`,
    );
  }
}

/** The tables every curve is drawn from: `tries` (attempts that count), `intents`, and `customers`, one row an arrival. */
async function deriveCustomers(db: Database, run: SeriesRun): Promise<void> {
  const deadlineS = deadlineOf(run);
  const deadlineNs = Number.isFinite(deadlineS)
    ? Math.round(deadlineS * NS_PER_S)
    : Number.MAX_SAFE_INTEGER;
  // A plain load test declares no goodput scenarios: every arrival is offered load, and none is judged.
  const counted =
    run.goodput_scenarios.length === 0 ? "true" : inList("scenario", run.goodput_scenarios);
  await db.run(
    `CREATE VIEW tries AS SELECT * FROM ops WHERE ${inList("kind", run.goodput_kinds)} AND ${inList("scenario", run.goodput_scenarios)}`,
  );
  await db.run(`CREATE TABLE intents AS
    SELECT scenario, iteration, intent, count(*) AS tries,
      min(time_complete_ns) FILTER (WHERE final) - min(time_intended_ns) AS answer_ns,
      coalesce(bool_or(final), false) AS answered, bool_and(outcome = 'fail' AND NOT final) AS refused,
      NOT coalesce(bool_or(final), false) AND arg_max(outcome = 'info' OR status = 0, attempt) AS unanswered,
      intent IN (SELECT intent FROM contradicted) AS contradicted
    FROM tries GROUP BY scenario, iteration, intent`);
  await db.run(`CREATE TABLE customers AS
    SELECT a.time_intended_ns // ${BUCKET_NS} AS bucket,
      count(i.intent) AS intents, coalesce(sum(i.tries), 0)::BIGINT AS tries,
      count(i.intent) > 0 AND bool_and(i.answered AND i.answer_ns <= ${deadlineNs}) AS good,
      coalesce(bool_or(i.contradicted), false) AS contradicted,
      count(i.intent) > 0 AND bool_and(i.refused) AS refused, coalesce(bool_or(i.unanswered), false) AS unanswered,
      CASE WHEN bool_and(i.answered) THEN max(i.answer_ns) / 1e6 END AS latency_ms
    FROM (SELECT DISTINCT ON (scenario, iteration) scenario, iteration, time_intended_ns FROM arrivals WHERE ${counted}) AS a
    LEFT JOIN intents AS i ON i.scenario = a.scenario AND i.iteration = a.iteration
    GROUP BY a.scenario, a.iteration, a.time_intended_ns`);
}

/** Name of the phase at each bucket's start. */
export function phaseNames(phases: SeriesRun["phases"], buckets: number): string[] {
  const endS = Math.max(0, ...phases.map((p) => p.end_s));
  return Array.from({ length: buckets }, (_, i) => {
    const s = (i * BUCKET_MS) / 1000;
    return (
      phases.find((p) => p.start_s <= s && s < p.end_s)?.name ??
      (s >= endS && phases.length > 0 ? "drain" : "")
    );
  });
}

/** Whole schedule, and whatever of the crowd came or was answered after it. */
async function countBuckets(db: Database, run: SeriesRun): Promise<number> {
  const [row] = await db.all(`SELECT greatest(
    (SELECT coalesce(max(bucket), -1) FROM customers),
    (SELECT coalesce(max(time_complete_ns) // ${BUCKET_NS}, -1) FROM ops WHERE process NOT IN ('operator', 'harness'))) + 1 AS n`);
  return Math.max(
    Number(row?.["n"] ?? 0),
    Math.ceil(Math.max(0, ...run.phases.map((p) => p.end_s)) * (1000 / BUCKET_MS)),
  );
}

/** Copies result columns into columns of the series; null stays what the series was made with. */
function fill(
  series: Series,
  rows: readonly Row[],
  columns: Partial<Record<keyof Series, string>>,
): void {
  for (const [target, source] of Object.entries(columns)) {
    const column: unknown = series[target as keyof Series];
    if (!(column instanceof Float64Array)) continue;
    for (const row of rows) {
      const value = row[source];
      if (typeof value === "number") column[Number(row["bucket"])] = value;
    }
  }
}

async function fillByArrival(db: Database, series: Series): Promise<void> {
  const rows =
    await db.all(`SELECT bucket, count(*) AS offered, count(*) FILTER (WHERE good) AS good, count(*) FILTER (WHERE good AND NOT contradicted) AS kept,
      sum(intents)::BIGINT AS intents, sum(tries)::BIGINT AS tries, count(*) FILTER (WHERE refused) AS refused, count(*) FILTER (WHERE unanswered) AS unanswered,
      quantile_disc(latency_ms, 0.5) AS p50, quantile_disc(latency_ms, 0.99) AS p99
    FROM customers GROUP BY bucket`);
  fill(series, rows, {
    offered: "offered",
    good: "good",
    kept: "kept",
    intents: "intents",
    tries: "tries",
    refused: "refused",
    unanswered: "unanswered",
    p50Ms: "p50",
    p99Ms: "p99",
  });
  const bins = await db.all(
    `SELECT bucket, ${binSql("latency_ms")} AS bin, count(*) AS n FROM customers WHERE latency_ms IS NOT NULL GROUP BY ALL`,
  );
  for (const row of bins)
    series.latency.addBin(Number(row["bucket"]), Number(row["bin"]), Number(row["n"]));
}

async function fillBySending(db: Database, series: Series): Promise<void> {
  const outcome = (word: string): string =>
    `count(*) FILTER (WHERE outcome = '${word}') AS ${word}`;
  const rows =
    await db.all(`SELECT time_invoke_ns // ${BUCKET_NS} AS bucket, count(*) AS attempts, count(*) FILTER (WHERE attempt > 1) AS retries,
      ${outcome("ok")}, ${outcome("fail")}, ${outcome("info")} FROM tries GROUP BY bucket`);
  fill(series, rows, {
    attempts: "attempts",
    retries: "retries",
    ok: "ok",
    fail: "fail",
    info: "info",
  });
}

/** Running totals: every attempt of the crowd goes up when sent; in flight goes down when the client stops waiting, the bound only by an answer. */
async function fillBacklog(db: Database, series: Series): Promise<void> {
  const rows =
    await db.all(`WITH crowd AS (SELECT * FROM ops WHERE process NOT IN ('operator', 'harness')),
      steps AS (
        SELECT time_invoke_ns // ${BUCKET_NS} AS bucket, 1 AS flight, 1 AS bound FROM crowd
        UNION ALL
        SELECT time_complete_ns // ${BUCKET_NS}, -1, CASE WHEN status = 0 AND (outcome = 'info' OR error = 'timeout') THEN 0 ELSE -1 END FROM crowd)
    SELECT bucket, sum(flight)::BIGINT AS flight, sum(bound)::BIGINT AS bound FROM steps GROUP BY bucket`);
  fill(series, rows, { inFlight: "flight", backlogBound: "bound" });
  for (const column of [series.inFlight, series.backlogBound]) {
    for (let i = 1; i < column.length; i++) column[i] = (column[i] ?? 0) + (column[i - 1] ?? 0);
  }
  const vitals =
    await db.all(`SELECT t_ns // ${BUCKET_NS} AS bucket, arg_max(queue_depth, t_ns)::DOUBLE AS depth FROM vitals
    WHERE queue_depth IS NOT NULL AND t_ns >= 0 AND t_ns // ${BUCKET_NS} < ${series.buckets} GROUP BY bucket`);
  fill(series, vitals, { queueDepth: "depth" });
}

/** One row of series.parquet; null where nothing was measured. Counts per 100 ms bucket, latencies in ms from the intended start. */
export interface SeriesRow {
  readonly t_ms: number;
  readonly phase: string;
  readonly offered: number;
  readonly good: number;
  readonly kept: number;
  readonly attempts: number;
  readonly retries: number;
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly in_flight: number;
  readonly queue_depth: number | null;
}

const COUNT_COLUMNS = [
  "offered",
  "good",
  "kept",
  "attempts",
  "retries",
  "ok",
  "fail",
  "info",
] as const;

async function writeParquet(db: Database, series: Series, path: string): Promise<void> {
  await db.run(
    `CREATE TABLE series(t_ms BIGINT, phase VARCHAR, ${COUNT_COLUMNS.map((name) => `"${name}" BIGINT`).join(", ")}, p50_ms DOUBLE, p99_ms DOUBLE, in_flight BIGINT, queue_depth DOUBLE)`,
  );
  const appender = await db.connection.createAppender("series");
  const count = (value: number | undefined): void => appender.appendBigInt(BigInt(value ?? 0));
  const measure = (value: number | undefined): void =>
    value === undefined || Number.isNaN(value)
      ? appender.appendNull()
      : appender.appendDouble(value);
  for (let i = 0; i < series.buckets; i++) {
    count(i * BUCKET_MS);
    appender.appendVarchar(series.phase[i] ?? "");
    for (const name of COUNT_COLUMNS) count(series[name][i]);
    measure(series.p50Ms[i]);
    measure(series.p99Ms[i]);
    count(series.inFlight[i]);
    measure(series.queueDepth[i]);
    appender.endRow();
  }
  appender.closeSync();
  await db.run(`COPY (SELECT * FROM series ORDER BY t_ms) TO ${literal(path)} (FORMAT parquet)`);
}

/**
 * Computes the series of a run and writes series.parquet.
 * @param contradicted intents that a definite O, P or X0 violation contradicts: good, but not kept
 * @throws StampedeError("configuration") when ops or arrivals are not there, or run.json names no deadline
 */
export async function writeSeries(
  paths: SeriesPaths,
  run: SeriesRun,
  contradicted: readonly string[],
): Promise<Series> {
  await using db = await Database.open();
  await openFiles(db, paths);
  await tableOfContradicted(db, contradicted);
  await deriveCustomers(db, run);
  const buckets = await countBuckets(db, run);
  if (buckets > BUCKETS_MAX)
    throw new StampedeError(
      "configuration",
      `run ${run.id}: times in its history must lie within 24 h of its start; one lies ${Math.round((buckets * BUCKET_MS) / 3.6e6)} h after it`,
      { hint: "time_*_ns count from T0 in nanoseconds" },
    );
  const [orphans] = await db.all(
    "SELECT count(*) AS n FROM intents AS i ANTI JOIN arrivals AS a ON i.scenario = a.scenario AND i.iteration = a.iteration",
  );
  const series: Series = {
    ...emptySeries(buckets, phaseNames(run.phases, buckets)),
    orphans: Number(orphans?.["n"] ?? 0),
  };
  await fillByArrival(db, series);
  await fillBySending(db, series);
  await fillBacklog(db, series);
  await writeParquet(db, series, paths.series);
  return series;
}

/** Reads series.parquet back, in order of time: what a chart needs. */
export async function readSeries(path: string): Promise<SeriesRow[]> {
  if (!existsSync(path))
    throw new StampedeError(
      "configuration",
      `expected a run's series at ${path}; there is no such file`,
      { hint: "give the folder of a finished run" },
    );
  await using db = await Database.open();
  return (await db.all(
    `SELECT * FROM read_parquet(${literal(path)}) ORDER BY t_ms`,
  )) as unknown as SeriesRow[];
}
