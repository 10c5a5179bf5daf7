/** What two invented runs decided, for tests: one that collapses and one that stands. No figure here was measured. */
import {
  verdictSchema,
  type InvariantVerdict,
  type RunJson,
  type Verdict,
} from "../harness/history/run-folder.ts";
import type { Demo } from "./demo.ts";

/** Everything an attacker might put into a name; each must stay text. */
export const HOSTILE = `<script>window.hacked=1</script></script><img src=x onerror="window.hacked=1">'"&\`{{7*7}}`;

export type Shape = "naive" | "guarded";

/** Wall time of T0, µs. */
export const T0_US = Date.UTC(2026, 10, 21, 1, 12, 0) * 1000;

export const PHASES: RunJson["phases"] = [
  { name: "warm-up", start_s: 0, end_s: 3, role: "warm-up" },
  { name: "baseline", start_s: 3, end_s: 11, role: "baseline" },
  { name: "mis-issue", start_s: 11, end_s: 13, role: "baseline" },
  { name: "surge", start_s: 13, end_s: 16, role: "trigger" },
  { name: "watch", start_s: 16, end_s: 36, role: "watch" },
  { name: "restart", start_s: 36, end_s: 41, role: "intervention" },
  { name: "withdraw", start_s: 41, end_s: 53, role: "intervention" },
];

/** run.json. */
export function runJson(shape: Shape, name: string): RunJson {
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

const ROUTINE = [
  "C1",
  "C2",
  "C3",
  "C4",
  "C6",
  "C7",
  "C9",
  "C10",
  "C11",
  "O1",
  "O2",
  "O3",
  "O4",
  "O5",
  "O8",
  "O9",
  "X0",
  "X1",
  "X2",
  "X3",
  "P1",
  "P2",
  "P3",
  "P4",
  "P5",
  "P8",
];

const BROKEN: Readonly<Record<string, number>> = {
  C1: 100_000,
  C2: 99_980,
  C3: 2,
  O2: 214,
  O9: 37,
  X0: 1163,
  X1: 2011,
  X3: 1163,
  P3: 41,
  P4: 1120,
  P5: 1204,
};

function invariants(shape: Shape, hostile: string): InvariantVerdict[] {
  const broken = shape === "naive" ? BROKEN : {};
  const routine = ROUTINE.map((id): InvariantVerdict => {
    const count = broken[id] ?? 0;
    const violation = (n: number) => ({
      seq: 4000 + n,
      subject: `order-${n}${hostile}`,
      detail: `no published rule covers this cancel${hostile}`,
    });
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
      witness:
        count > 0
          ? {
              order_events: [
                {
                  order_id: `order-1${hostile}`,
                  seq: 4001,
                  to_status: "cancelled",
                  actor: "job",
                  policy: null,
                },
              ],
              refunds: [],
            }
          : null,
      took_ms: 12.5,
    };
  });
  const absent: InvariantVerdict = {
    id: "T1",
    name: "complete",
    class: "Q",
    holds: "Every transaction is settled once.",
    verdict: "not-applicable",
    count: 0,
    possible: 0,
    considered: 0,
    unknown: 0,
    because: "missing table settlement_lines",
    first: null,
    worst: null,
    last: null,
    witness: null,
    took_ms: 0,
  };
  return [...routine, absent];
}

function pair(hostile: string): Verdict["x0"]["pairs"][number] {
  const side = {
    items: `shoes ×1${hostile}`,
    total: 129_000,
    coupon: "member-day",
    attributes: { status: "paid", category: "shoes" },
  };
  return {
    left: {
      ...side,
      order_id: `ord-1${hostile}`,
      user_id: `u-004711${hostile}`,
      ordered_at_us: T0_US + 4e6,
      outcome: "cancelled",
      refund: "missing",
      told: false,
      undeclared: {
        "refund account on file": "yes",
        "shipped before the first cancel": "no",
        "minute of purchase": "01:12",
      },
    },
    right: {
      ...side,
      order_id: "ord-2",
      user_id: "u-000815",
      ordered_at_us: T0_US + 5e6,
      outcome: "kept and shipped",
      refund: "none due",
      told: false,
      undeclared: {
        "refund account on file": "no",
        "shipped before the first cancel": "yes",
        "minute of purchase": "01:12",
      },
    },
    separates: [
      { fact: "refund account on file", left: "yes", right: "no" },
      { fact: "shipped before the first cancel", left: "no", right: "yes" },
    ],
  };
}

function limits(naive: boolean, hostile: string): Pick<Verdict, "thresholds" | "slos"> {
  return {
    thresholds: [
      {
        name: "http_req_failed{phase:baseline}",
        expression: "rate<0.01",
        observed: 0.002,
        verdict: "pass",
        because: null,
      },
      {
        name: `http_req_duration{phase:surge}${hostile}`,
        expression: "p(99)<1000",
        observed: naive ? 3911 : 212,
        verdict: naive ? "fail" : "pass",
        because: null,
      },
    ],
    slos: [
      {
        name: "most of the surge is served",
        expression: "goodput_share(surge) >= 0.8",
        observed: naive ? 0.21 : 0.92,
        verdict: naive ? "fail" : "pass",
        because: null,
      },
    ],
  };
}

function collapse(naive: boolean): Verdict["collapse"] {
  return {
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
    decided_by: naive
      ? "the service's own queue grew over the last 10 s of the watch"
      : "goodput back at 95 % of what was asked",
    amplification_max: naive ? 4 : 1.1,
    goodput_before: 160,
    goodput_in: naive ? 71 : 588,
    goodput_after: naive ? 0 : 160,
    goodput_restarted: naive ? 158 : null,
    surge_share: naive ? 0.21 : 0.92,
    backlog_slope_per_s: naive ? 12 : 0,
    served_well_per_s: naive ? 180 : 590,
    margins: { collapse: naive ? 0.98 : 0.84, recovery: 0.6 },
  };
}

function arbitrariness(naive: boolean, hostile: string): Verdict["x0"] {
  return naive
    ? {
        rules: { R1: 1163, R2: 0, R3: 310, R4: 820, R5: 0, R6: 1204, R7: 0 },
        label: "random",
        index_low: 0.21,
        index_high: 0.24,
        entropy: 0.61,
        matched_pairs: 812,
        cancelled: 2410,
        without_rule: 1163,
        pairs: [pair(hostile)],
      }
    : {
        rules: { R1: 0, R2: 0, R3: 0, R4: 0, R5: 0, R6: 0, R7: 0 },
        label: "none",
        index_low: 0,
        index_high: 0,
        entropy: 0,
        matched_pairs: 0,
        cancelled: 2388,
        without_rule: 0,
        pairs: [],
      };
}

/** verdict.json. */
export function verdict(shape: Shape, hostile: string): Verdict {
  const naive = shape === "naive";
  return verdictSchema.parse({
    schema: 1,
    run: `fixture-${shape}`,
    verdict: naive ? "fail" : "pass",
    exit_code: naive ? 111 : 0,
    go: !naive,
    go_because: naive
      ? [
          "the service collapsed 0.6 s into the surge and did not come back by itself",
          `11 rules were broken, X0 among them${hostile}`,
        ]
      : ["served well up to 590/s, 103 % above the forecast"],
    invariants: invariants(shape, hostile),
    ...limits(naive, hostile),
    collapse: collapse(naive),
    x0: arbitrariness(naive, hostile),
    generator: {
      lateness_ms_p99: 3.1,
      dropped: 0,
      dropped_share: 0,
      event_loop_delay_ms_p99: 4.2,
      cpu_share: 0.41,
      socket_errors: 0,
      saturated: false,
      because: [],
    },
    outcomes: {
      ok: naive ? 4210 : 9120,
      fail: naive ? 320 : 410,
      info: naive ? 6120 : 12,
      info_resolved: naive ? 6102 : 12,
    },
    funnel: naive
      ? { intents: 9680, attempts: 24_310, acknowledged: 4210, in_books: 5120, kept: 3380 }
      : { intents: 9680, attempts: 10_090, acknowledged: 9526, in_books: 9526, kept: 9526 },
  });
}

export const DEMO_FIXTURE: Demo = {
  format: 1,
  id: "fixture-demo",
  seed: 7,
  capacity: 320,
  naive: "fixture-naive",
  guarded: "fixture-guarded",
  as_intended: true,
  because: [
    "naive broke 11 rules, at least 8 were expected",
    "guarded served 92 % in the surge, at least 80 % were expected",
  ],
};
