/**
 * Run folders for tests: two invented runs written from literal figures, one that collapses and one that stands. They
 * have the shape of real ones and none of their meaning; no figure in them was measured.
 */
import { join } from "node:path";
import { Database, literal } from "../harness/history/duckdb.ts";
import {
  EVIDENCE_TABLES,
  OPS_COLUMNS,
  type EvidenceTable,
  type EvidenceType,
} from "../harness/history/evidence-tables.ts";
import { makeRunFolder, runPaths, writeWhole } from "../harness/history/run-folder.ts";
import { PHASES, runJson, T0_US, verdict, type Shape } from "./verdict.fixture.ts";

/** Offered a second at a moment, the same for both. */
const offeredAt = (s: number): number => (s < 3 ? 80 : s >= 13 && s < 16 ? 640 : 160);

interface Bucket {
  readonly offered: number;
  readonly good: number;
  readonly kept: number;
  readonly attempts: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly inFlight: number;
  readonly queue: number | null;
}

function bucketAt(shape: Shape, at: number): Bucket {
  const s = at / 10;
  const offered = Math.round(((at + 1) * offeredAt(s)) / 10) - Math.round((at * offeredAt(s)) / 10);
  const wobble = Math.sin(at * 1.7) * 0.08;
  if (shape === "guarded") {
    const share = s >= 13 && s < 16 ? 0.92 : 1;
    const good = Math.round(offered * share);
    const p50 = 38 + 6 * wobble + (s >= 13 && s < 17 ? 45 : 0);
    return {
      offered,
      good,
      kept: good,
      attempts: offered + (share < 1 ? 3 : 0),
      p50,
      p99: p50 * 2.4,
      inFlight: offered,
      queue: at % 3 === 0 ? Math.round(offered / 3) : null,
    };
  }
  const down = s >= 13.6 && s < 37.5;
  const good = Math.max(
    0,
    Math.round(offered * (down ? Math.max(0, 0.35 - (s - 13.6) * 0.12) : 1 + wobble)),
  );
  const p50 = down ? Math.min(3900, 300 * (s - 13) ** 1.6 + 40) : 44 + 8 * wobble;
  return {
    offered,
    good: Math.min(good, offered),
    kept: Math.round(Math.min(good, offered) * 0.82),
    attempts: down ? offered * 4 : offered,
    p50,
    p99: down ? Math.min(4000, p50 * 1.6 + 30) : p50 * 2.2,
    inFlight: down ? Math.min(1900, (s - 13.4) * 260) : offered,
    queue: at % 3 === 0 ? (down ? Math.min(1500, (s - 13.4) * 210) : 4) : null,
  };
}

const SERIES_COLUMNS: Readonly<Record<string, EvidenceType>> = {
  t_ms: "BIGINT",
  phase: "VARCHAR",
  offered: "BIGINT",
  good: "BIGINT",
  kept: "BIGINT",
  attempts: "BIGINT",
  retries: "BIGINT",
  ok: "BIGINT",
  fail: "BIGINT",
  info: "BIGINT",
  p50_ms: "DOUBLE",
  p99_ms: "DOUBLE",
  in_flight: "BIGINT",
  queue_depth: "BIGINT",
};

const FAULT_COLUMNS: Readonly<Record<string, EvidenceType>> = {
  id: "VARCHAR",
  kind: "VARCHAR",
  name: "VARCHAR",
  target: "VARCHAR",
  planned_ns: "BIGINT",
  begin_ns: "BIGINT",
  end_ns: "BIGINT",
  detail: "VARCHAR",
};

type Cell = string | number | boolean | null;

/** Writes rows as Parquet with exactly these columns; a column a row does not name is NULL. NUL and half letters no database holds. */
export async function writeParquet(
  path: string,
  columns: Readonly<Record<string, EvidenceType>>,
  rows: readonly Readonly<Record<string, Cell>>[],
): Promise<void> {
  await using db = await Database.open();
  const names = Object.keys(columns);
  const cell = (value: Cell | undefined): string =>
    value === undefined || value === null
      ? "NULL"
      : typeof value === "string"
        ? literal(value.replaceAll("\u0000", "").toWellFormed())
        : String(value);
  await db.run(
    `CREATE TABLE t (${names.map((name) => `${name} ${columns[name] === "JSON" ? "VARCHAR" : columns[name]}`).join(", ")})`,
  );
  if (rows.length > 0)
    await db.run(
      `INSERT INTO t VALUES ${rows.map((row) => `(${names.map((name) => cell(row[name])).join(", ")})`).join(", ")}`,
    );
  await db.run(`COPY t TO ${literal(path)} (FORMAT parquet)`);
}

async function writeSeries(dir: string, shape: Shape): Promise<void> {
  const rows = Array.from({ length: 530 }, (_, at) => {
    const bucket = bucketAt(shape, at);
    return {
      t_ms: at * 100,
      phase: PHASES.find((phase) => at / 10 >= phase.start_s && at / 10 < phase.end_s)?.name ?? "",
      offered: bucket.offered,
      good: bucket.good,
      kept: bucket.kept,
      attempts: bucket.attempts,
      retries: bucket.attempts - bucket.offered,
      ok: bucket.good,
      fail: 0,
      info: bucket.offered - bucket.good,
      p50_ms: bucket.p50,
      p99_ms: bucket.p99,
      in_flight: Math.round(bucket.inFlight),
      queue_depth: bucket.queue === null ? null : Math.round(bucket.queue),
    };
  });
  await writeParquet(runPaths(dir).series, SERIES_COLUMNS, rows);
}

async function writeFaults(dir: string, shape: Shape, hostile: string): Promise<void> {
  const fault = (
    id: string,
    kind: string,
    name: string,
    target: string,
    beginS: number,
    endS: number,
    detail: string,
  ) => ({
    id,
    kind,
    name,
    target,
    planned_ns: beginS * 1e9,
    begin_ns: beginS * 1e9,
    end_ns: endS * 1e9,
    detail,
  });
  await writeParquet(runPaths(dir).faults, FAULT_COLUMNS, [
    fault(
      "1",
      "operator",
      "issue seoulcon",
      "shop",
      11,
      11,
      `meant for 20, sent to ${shape === "naive" ? "every member" : "nobody: refused"}${hostile}`,
    ),
    fault("2", "operator", "issue member-day", "shop", 11.2, 11.2, ""),
    ...(shape === "naive" ? [fault("3", "operator", "restart shop", "shop", 36, 37.4, "")] : []),
    fault("4", "operator", "withdraw@1", "shop", 41, 41, ""),
    fault(
      "5",
      "process-kill",
      `kill the cancel worker${hostile}`,
      "shop-worker",
      43.1,
      43.1,
      "half of the batch done",
    ),
    fault("6", "refund-rail-down", "refunds fail", "gateway", 44, 48, ""),
  ]);
}

type Table = (
  name: EvidenceTable,
  rows: readonly Readonly<Record<string, Cell>>[],
) => Promise<void>;

const atUs = (s: number): number => T0_US + s * 1e6;

async function writeCoupons(table: Table, naive: boolean): Promise<void> {
  const coupons = Array.from({ length: naive ? 100 : 20 }, (_, at) => ({
    id: `c${at}`,
    campaign_id: at < (naive ? 60 : 0) ? "seoulcon" : "member-day",
  }));
  const issued = {
    version: 1,
    at_us: atUs(11),
    from_status: null,
    to_status: "issued",
    actor: "job",
  };
  const recalled = {
    version: 2,
    at_us: atUs(41.5),
    from_status: "issued",
    to_status: "recalled",
    actor: "job",
  };
  await table("campaigns", [
    { id: "seoulcon", cap: 20, amount: 100_000 },
    { id: "member-day", cap: 40, amount: 10_000 },
  ]);
  await table(
    "coupons",
    coupons.map((coupon) => ({
      ...coupon,
      user_id: `u-${coupon.id}`,
      amount: 10_000,
      status: "recalled",
    })),
  );
  await table("coupon_events", [
    ...coupons.map(({ id }, at) => ({ coupon_id: id, seq: at, ...issued })),
    ...coupons
      .filter(({ campaign_id }) => campaign_id === "member-day")
      .map(({ id }, at) => ({ coupon_id: id, seq: 500 + at, ...recalled })),
  ]);
}

async function writeOrders(table: Table, naive: boolean): Promise<void> {
  const order = (id: string, status: string, captured: number) => ({
    id,
    intent: `i-${id}`,
    user_id: `u-${id}`,
    captured,
    refunded: 0,
    status,
  });
  const cancel = {
    seq: 1,
    version: 3,
    at_us: atUs(42),
    from_status: "paid",
    to_status: "cancelled",
  };
  const event = (id: string, actor: string) => ({ order_id: id, actor, ...cancel });
  const notice = (id: string) => ({
    id: `n-${id}`,
    user_id: `u-${id}`,
    ref_kind: "order",
    ref: id,
  });
  await table("orders", [
    order("a", "cancelled", 129_000),
    order("b", "cancelled", 50_000),
    order("c", "cancelled", 70_000),
    order("d", "shipped", 129_000),
    order("e", "cancelled", 10_000),
  ]);
  await table("order_events", [
    event("a", "job"),
    event("b", "job"),
    event("c", "job"),
    event("e", "customer"),
  ]);
  await table("refunds", [
    { order_id: "a", amount: 129_000, state: naive ? "failed" : "done" },
    { order_id: "b", amount: 50_000, state: "done" },
    { order_id: "c", amount: 70_000, state: "awaiting_account" },
    { order_id: "e", amount: 10_000, state: "done" },
  ]);
  await table("notifications", naive ? [notice("b")] : [notice("a"), notice("b"), notice("c")]);
}

async function writeEvidence(dir: string, shape: Shape): Promise<void> {
  const table: Table = (name, rows) =>
    writeParquet(join(dir, "evidence", `${name}.parquet`), EVIDENCE_TABLES[name], rows);
  await writeCoupons(table, shape === "naive");
  await writeOrders(table, shape === "naive");
}

/** Ten wishes: eight served, one told to come back, one that only ever timed out. */
async function writeOps(dir: string): Promise<void> {
  const op = (
    intent: string,
    attempt: number,
    outcome: string,
    status: number,
    final: boolean,
  ) => ({
    intent,
    attempt,
    kind: "order",
    outcome,
    status,
    final,
    process: "0.1.0",
    scenario: "buyers",
    phase: "surge",
    error: "",
    request: "{}",
    response: "{}",
  });
  const rows = [
    ...Array.from({ length: 8 }, (_, at) => op(`w${at}`, 1, "ok", 201, true)),
    op("w8", 1, "info", 0, false),
    op("w8", 2, "fail", 503, false),
    op("w9", 1, "info", 0, false),
    op("w9", 2, "info", 0, false),
    { ...op("issue-1", 1, "fail", 503, false), process: "operator" },
    { ...op("look-1", 1, "fail", 503, false), kind: "lookup" },
  ];
  await writeParquet(
    runPaths(dir).ops,
    OPS_COLUMNS,
    rows.map((row, index) => ({ index, ...row })),
  );
}

/** Writes a whole run folder. `hostile` is put into every name, detail and id that a service could choose. */
export async function writeRunFixture(dir: string, shape: Shape, hostile = ""): Promise<void> {
  makeRunFolder(dir);
  writeWhole(runPaths(dir).run, JSON.stringify(runJson(shape, hostile)));
  writeWhole(runPaths(dir).verdict, JSON.stringify(verdict(shape, hostile)));
  await writeSeries(dir, shape);
  await writeFaults(dir, shape, hostile);
  await writeEvidence(dir, shape);
  await writeOps(dir);
}
