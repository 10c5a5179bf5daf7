/**
 * Run folders for tests: two invented runs written from literal figures, one that collapses and one that stands. They
 * have the shape of real ones and none of their meaning; no figure in them was measured.
 */
import { join } from "node:path";
import { Database, literal } from "../harness/history/duckdb.ts";
import { EVIDENCE_TABLES, OPS_COLUMNS, type EvidenceTable, type EvidenceType } from "../harness/history/evidence-tables.ts";
import { makeRunFolder, runPaths, verdictSchema, writeWhole, type InvariantVerdict, type RunJson, type Verdict } from "../harness/history/run-folder.ts";
import type { Demo } from "./demo.ts";

/** Everything an attacker might put into a name; each must stay text. */
export const HOSTILE = `<script>window.hacked=1</script></script><img src=x onerror="window.hacked=1">'"&\`{{7*7}}`;

export type Shape = "naive" | "guarded";

const T0_US = Date.UTC(2026, 10, 21, 1, 12, 0) * 1000;

const PHASES: RunJson["phases"] = [
  { name: "warm-up", start_s: 0, end_s: 3, role: "warm-up" },
  { name: "baseline", start_s: 3, end_s: 11, role: "baseline" },
  { name: "mis-issue", start_s: 11, end_s: 13, role: "baseline" },
  { name: "surge", start_s: 13, end_s: 16, role: "trigger" },
  { name: "watch", start_s: 16, end_s: 36, role: "watch" },
  { name: "restart", start_s: 36, end_s: 41, role: "intervention" },
  { name: "withdraw", start_s: 41, end_s: 53, role: "intervention" },
];

function runJson(shape: Shape, name: string): RunJson {
  return {
    format: 1,
    id: `fixture-${shape}`,
    scenario: "musinsa-all-user-blast",
    title: `The all-user coupon night${name}`,
    target: shape,
    place: "embedded",
    engine: "node",
    seed: 7,
    capacity: 320,
    schedule_hash: "0123456789abcdef",
    started_at: "2026-11-21T01:12:00.000Z",
    t0_wall_us: T0_US,
    phases: PHASES,
    goodput_kinds: ["order"],
    goodput_scenarios: ["buyers"],
    customer: { attemptTimeoutS: 1, retries: 3, deadlineS: 4 },
    expect_peak_per_s: 290,
    judges: ["C1", "O1", "X0"],
    replay: `stampede run musinsa-all-user-blast --target ${shape} --seed 7 -e CAPACITY=320`,
    versions: { stampede: "0.1.0", node: "24.21.0" },
    machine: { cores: 2, memory_gb: 8 },
  };
}

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
    return { offered, good, kept: good, attempts: offered + (share < 1 ? 3 : 0), p50, p99: p50 * 2.4, inFlight: offered, queue: at % 3 === 0 ? Math.round(offered / 3) : null };
  }
  const down = s >= 13.6 && s < 37.5;
  const good = Math.max(0, Math.round(offered * (down ? Math.max(0, 0.35 - (s - 13.6) * 0.12) : 1 + wobble)));
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

const ROUTINE = ["C1", "C2", "C3", "C4", "C6", "C7", "C9", "C10", "C11", "O1", "O2", "O3", "O4", "O5", "O8", "O9", "X0", "X1", "X2", "X3", "P1", "P2", "P3", "P4", "P5", "P8"];

const BROKEN: Readonly<Record<string, number>> = { C1: 100_000, C2: 99_980, C3: 2, O2: 214, O9: 37, X0: 1163, X1: 2011, X3: 1163, P3: 41, P4: 1120, P5: 1204 };

function invariants(shape: Shape, hostile: string): InvariantVerdict[] {
  const broken = shape === "naive" ? BROKEN : {};
  const routine = ROUTINE.map((id): InvariantVerdict => {
    const count = broken[id] ?? 0;
    const violation = (n: number) => ({ seq: 4000 + n, subject: `order-${n}${hostile}`, detail: `no published rule covers this cancel${hostile}` });
    return {
      id,
      name: id === "X0" ? "no-random-cancellation" : `rule-${id.toLowerCase()}`,
      class: id === "X0" ? "P" : "Q",
      holds: `What ${id} says holds${hostile}.`,
      verdict: count > 0 ? "fail" : id === "O2" && shape === "guarded" ? "inconclusive" : "pass",
      count,
      possible: id === "O2" && shape === "guarded" ? 3 : 0,
      considered: 2410,
      unknown: id === "O2" ? 3 : 0,
      because: id === "O2" && shape === "guarded" ? "3 intents are still unknown" : null,
      first: count > 0 ? violation(1) : null,
      worst: count > 0 ? violation(2) : null,
      last: count > 0 ? violation(count) : null,
      witness: count > 0 ? { order_events: [{ order_id: `order-1${hostile}`, seq: 4001, to_status: "cancelled", actor: "job", policy: null }], refunds: [] } : null,
      took_ms: 12.5,
    };
  });
  const absent: InvariantVerdict = {
    id: "T1", name: "complete", class: "Q", holds: "Every transaction is settled once.", verdict: "not-applicable",
    count: 0, possible: 0, considered: 0, unknown: 0, because: "missing table settlement_lines",
    first: null, worst: null, last: null, witness: null, took_ms: 0,
  };
  return [...routine, absent];
}

function pair(hostile: string): Verdict["x0"]["pairs"][number] {
  const side = { items: `shoes ×1${hostile}`, total: 129_000, coupon: "member-day", attributes: { status: "paid", category: "shoes" } };
  return {
    left: {
      ...side,
      order_id: `ord-1${hostile}`,
      user_id: `u-004711${hostile}`,
      ordered_at_us: T0_US + 4e6,
      outcome: "cancelled",
      refund: "missing",
      told: false,
      undeclared: { "refund account on file": "yes", "shipped before the first cancel": "no", "minute of purchase": "01:12" },
    },
    right: {
      ...side,
      order_id: "ord-2",
      user_id: "u-000815",
      ordered_at_us: T0_US + 5e6,
      outcome: "kept and shipped",
      refund: "none due",
      told: false,
      undeclared: { "refund account on file": "no", "shipped before the first cancel": "yes", "minute of purchase": "01:12" },
    },
    separates: [
      { fact: "refund account on file", left: "yes", right: "no" },
      { fact: "shipped before the first cancel", left: "no", right: "yes" },
    ],
  };
}

function verdict(shape: Shape, hostile: string): Verdict {
  const naive = shape === "naive";
  return verdictSchema.parse({
    schema: 1,
    run: `fixture-${shape}`,
    verdict: naive ? "fail" : "pass",
    exit_code: naive ? 111 : 0,
    go: !naive,
    go_because: naive ? ["the service collapsed 0.6 s into the surge and did not come back by itself", `11 rules were broken, X0 among them${hostile}`] : ["served well up to 590/s, 103 % above the forecast"],
    invariants: invariants(shape, hostile),
    thresholds: [
      { name: "http_req_failed{phase:baseline}", expression: "rate<0.01", observed: 0.002, verdict: "pass", because: null },
      { name: `http_req_duration{phase:surge}${hostile}`, expression: "p(99)<1000", observed: naive ? 3911 : 212, verdict: naive ? "fail" : "pass", because: null },
    ],
    slos: [{ name: "most of the surge is served", expression: "goodput_share(surge) >= 0.8", observed: naive ? 0.21 : 0.92, verdict: naive ? "fail" : "pass", because: null }],
    collapse: {
      collapsed: naive,
      capacity_per_s: 320,
      baseline_per_s: 160,
      depth: naive ? 1 : 0.08,
      began_s: naive ? 13.6 : null,
      lost_intents: naive ? 4880 : 154,
      lost_avoidable: naive ? 3920 : 0,
      recovered_after_s: naive ? null : 0.4,
      intervention_s: naive ? 36 : 41,
      metastable: naive ? "yes" : "no",
      decided_by: naive ? "the service's own queue grew over the last 10 s of the watch" : "goodput back at 95 % of what was asked",
      amplification_max: naive ? 4 : 1.1,
      goodput_before: 160,
      goodput_in: naive ? 71 : 588,
      goodput_after: naive ? 0 : 160,
      goodput_restarted: naive ? 158 : null,
      surge_share: naive ? 0.21 : 0.92,
      backlog_slope_per_s: naive ? 12 : 0,
      served_well_per_s: naive ? 180 : 590,
      margins: { collapse: naive ? 0.98 : 0.84, recovery: 0.6 },
    },
    x0: naive
      ? { rules: { R1: 1163, R2: 0, R3: 310, R4: 820, R5: 0, R6: 1204, R7: 0 }, label: "random", index_low: 0.21, index_high: 0.24, entropy: 0.61, matched_pairs: 812, cancelled: 2410, without_rule: 1163, pairs: [pair(hostile)] }
      : { rules: { R1: 0, R2: 0, R3: 0, R4: 0, R5: 0, R6: 0, R7: 0 }, label: "none", index_low: 0, index_high: 0, entropy: 0, matched_pairs: 0, cancelled: 2388, without_rule: 0, pairs: [] },
    generator: { lateness_ms_p99: 3.1, dropped: 0, dropped_share: 0, event_loop_delay_ms_p99: 4.2, cpu_share: 0.41, socket_errors: 0, saturated: false, because: [] },
    outcomes: { ok: naive ? 4210 : 9120, fail: naive ? 320 : 410, info: naive ? 6120 : 12, info_resolved: naive ? 6102 : 12 },
    funnel: naive ? { intents: 9680, attempts: 24_310, acknowledged: 4210, in_books: 5120, kept: 3380 } : { intents: 9680, attempts: 10_090, acknowledged: 9526, in_books: 9526, kept: 9526 },
  });
}

const SERIES_COLUMNS: Readonly<Record<string, EvidenceType>> = {
  t_ms: "BIGINT", phase: "VARCHAR", offered: "BIGINT", good: "BIGINT", kept: "BIGINT", attempts: "BIGINT", retries: "BIGINT",
  ok: "BIGINT", fail: "BIGINT", info: "BIGINT", p50_ms: "DOUBLE", p99_ms: "DOUBLE", in_flight: "BIGINT", queue_depth: "BIGINT",
};

const FAULT_COLUMNS: Readonly<Record<string, EvidenceType>> = {
  id: "VARCHAR", kind: "VARCHAR", name: "VARCHAR", target: "VARCHAR", planned_ns: "BIGINT", begin_ns: "BIGINT", end_ns: "BIGINT", detail: "VARCHAR",
};

type Cell = string | number | boolean | null;

/** Writes rows as Parquet with exactly these columns; a column a row does not name is NULL. */
export async function writeParquet(path: string, columns: Readonly<Record<string, EvidenceType>>, rows: readonly Readonly<Record<string, Cell>>[]): Promise<void> {
  await using db = await Database.open();
  const names = Object.keys(columns);
  const cell = (value: Cell | undefined): string => (value === undefined || value === null ? "NULL" : typeof value === "string" ? literal(value) : String(value));
  await db.run(`CREATE TABLE t (${names.map((name) => `${name} ${columns[name] === "JSON" ? "VARCHAR" : columns[name]}`).join(", ")})`);
  if (rows.length > 0) await db.run(`INSERT INTO t VALUES ${rows.map((row) => `(${names.map((name) => cell(row[name])).join(", ")})`).join(", ")}`);
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
  const fault = (id: string, kind: string, name: string, target: string, beginS: number, endS: number, detail: string) => ({
    id, kind, name, target, planned_ns: beginS * 1e9, begin_ns: beginS * 1e9, end_ns: endS * 1e9, detail,
  });
  await writeParquet(runPaths(dir).faults, FAULT_COLUMNS, [
    fault("1", "operator", "issue seoulcon", "shop", 11, 11, `meant for 20, sent to ${shape === "naive" ? "every member" : "nobody: refused"}${hostile}`),
    fault("2", "operator", "issue member-day", "shop", 11.2, 11.2, ""),
    ...(shape === "naive" ? [fault("3", "operator", "restart shop", "shop", 36, 37.4, "")] : []),
    fault("4", "operator", "withdraw@1", "shop", 41, 41, ""),
    fault("5", "process-kill", `kill the cancel worker${hostile}`, "shop-worker", 43.1, 43.1, "half of the batch done"),
    fault("6", "refund-rail-down", "refunds fail", "gateway", 44, 48, ""),
  ]);
}

async function writeEvidence(dir: string, shape: Shape): Promise<void> {
  const table = (name: EvidenceTable, rows: readonly Readonly<Record<string, Cell>>[]) => writeParquet(join(dir, "evidence", `${name}.parquet`), EVIDENCE_TABLES[name], rows);
  const naive = shape === "naive";
  const coupons = Array.from({ length: naive ? 100 : 20 }, (_, at) => ({ id: `c${at}`, campaign_id: at < (naive ? 60 : 0) ? "seoulcon" : "member-day" }));
  const atUs = (s: number): number => T0_US + s * 1e6;
  await table("campaigns", [
    { id: "seoulcon", cap: 20, amount: 100_000 },
    { id: "member-day", cap: 40, amount: 10_000 },
  ]);
  await table("coupons", coupons.map((coupon) => ({ ...coupon, user_id: `u-${coupon.id}`, amount: 10_000, status: "recalled" })));
  await table("coupon_events", [
    ...coupons.map(({ id }, at) => ({ coupon_id: id, seq: at, version: 1, at_us: atUs(11), from_status: null, to_status: "issued", actor: "job" })),
    ...coupons.filter(({ campaign_id }) => campaign_id === "member-day").map(({ id }, at) => ({ coupon_id: id, seq: 500 + at, version: 2, at_us: atUs(41.5), from_status: "issued", to_status: "recalled", actor: "job" })),
  ]);
  const order = (id: string, status: string, captured: number) => ({ id, intent: `i-${id}`, user_id: `u-${id}`, captured, refunded: 0, status });
  await table("orders", [order("a", "cancelled", 129_000), order("b", "cancelled", 50_000), order("c", "cancelled", 70_000), order("d", "shipped", 129_000), order("e", "cancelled", 10_000)]);
  const event = (id: string, actor: string) => ({ order_id: id, seq: 1, version: 3, at_us: atUs(42), from_status: "paid", to_status: "cancelled", actor });
  await table("order_events", [event("a", "job"), event("b", "job"), event("c", "job"), event("e", "customer")]);
  await table("refunds", [
    { order_id: "b", amount: 50_000, state: "done" },
    { order_id: "c", amount: 70_000, state: "awaiting_account" },
    { order_id: "e", amount: 10_000, state: "done" },
    ...(naive ? [{ order_id: "a", amount: 129_000, state: "failed" }] : [{ order_id: "a", amount: 129_000, state: "done" }]),
  ]);
  const notice = (id: string) => ({ id: `n-${id}`, user_id: `u-${id}`, ref_kind: "order", ref: id });
  await table("notifications", naive ? [notice("b")] : [notice("a"), notice("b"), notice("c")]);
}

/** Ten wishes: eight served, one told to come back, one that only ever timed out. */
async function writeOps(dir: string): Promise<void> {
  const op = (intent: string, attempt: number, outcome: string, status: number, final: boolean) => ({
    intent, attempt, kind: "order", outcome, status, final, process: "0.1.0", scenario: "buyers", phase: "surge", error: "", request: "{}", response: "{}",
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
  await writeParquet(runPaths(dir).ops, OPS_COLUMNS, rows.map((row, index) => ({ index, ...row })));
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

export const DEMO_FIXTURE: Demo = {
  format: 1,
  id: "fixture-demo",
  seed: 7,
  capacity: 320,
  naive: "fixture-naive",
  guarded: "fixture-guarded",
  as_intended: true,
  because: ["naive broke 11 rules, at least 8 were expected", "guarded served 92 % in the surge, at least 80 % were expected"],
};
