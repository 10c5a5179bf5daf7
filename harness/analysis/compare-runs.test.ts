/** Two runs side by side: what counts as a regression, what is refused, what is shown and not compared. */
import { describe, expect, test } from "vitest";
import { StampedeError } from "../errors.ts";
import type { RunJson, Verdict } from "../history/run-folder.ts";
import { undecidedCollapse } from "./collapse-verdict.ts";
import { compareRuns, type FinishedRun } from "./compare-runs.ts";

const RUN: RunJson = {
  format: 1,
  id: "a",
  scenario: "musinsa-all-user-blast",
  title: "t",
  target: "guarded",
  place: "embedded",
  engine: "node",
  seed: 7,
  capacity: 300,
  schedule_hash: "s1",
  started_at: "2026-01-01T00:00:00Z",
  t0_wall_us: 0,
  phases: [],
  goodput_kinds: ["order"],
  goodput_scenarios: ["buyers"],
  customer: {},
  expect_peak_per_s: 600,
  judges: [],
  replay: "",
  versions: {},
  machine: { cpu: "x", cores: 2 },
};

type Word = Verdict["invariants"][number]["verdict"];

const invariant = (id: string, verdict: Word, count = 0): Verdict["invariants"][number] => ({
  id,
  name: `name of ${id}`,
  class: "S",
  holds: "",
  verdict,
  count,
  possible: 0,
  considered: 10,
  unknown: 0,
  because: null,
  first: null,
  worst: null,
  last: null,
  witness: null,
  took_ms: 1,
});

const VERDICT: Verdict = {
  schema: 1,
  run: "a",
  verdict: "pass",
  exit_code: 0,
  go: true,
  go_because: [],
  invariants: [],
  thresholds: [],
  slos: [],
  collapse: {
    ...undecidedCollapse(300, "measured"),
    collapsed: false,
    metastable: "no",
    served_well_per_s: 450,
    recovered_after_s: 3,
  },
  x0: {
    rules: {},
    label: "none",
    index_low: 0,
    index_high: 0,
    entropy: 0,
    matched_pairs: 0,
    cancelled: 0,
    without_rule: 0,
    pairs: [],
  },
  generator: {
    lateness_ms_p99: 1,
    dropped: 0,
    dropped_share: 0,
    event_loop_delay_ms_p99: 1,
    cpu_share: 0.2,
    socket_errors: 0,
    saturated: false,
    because: [],
  },
  outcomes: { ok: 1, fail: 0, info: 0, info_resolved: 0 },
  funnel: null,
};

const finished = (verdict: Partial<Verdict> = {}, run: Partial<RunJson> = {}): FinishedRun => ({
  run: { ...RUN, ...run },
  verdict: { ...VERDICT, ...verdict },
});
const slo = (
  expression: string,
  verdict: "pass" | "fail",
  observed: number,
): Verdict["slos"][number] => ({ name: expression, expression, observed, verdict, because: null });

describe("changes", () => {
  test("an invariant that held and no longer does is new, a regression, and exit 113", () => {
    const result = compareRuns(
      finished({ invariants: [invariant("C1", "pass")] }),
      finished({ invariants: [invariant("C1", "fail", 980)] }, { id: "b" }),
    );
    expect(result.changes).toEqual([
      {
        of: "invariant",
        id: "C1",
        name: "name of C1",
        a: "pass",
        b: "fail",
        change: "new",
        regressed: true,
        count_a: 0,
        count_b: 980,
      },
    ]);
    expect(result).toMatchObject({ regressed: true, exit_code: 113 });
  });

  test("one that failed and holds now is fixed; what stayed is not listed", () => {
    const before = [invariant("C1", "fail", 3), invariant("O1", "pass")];
    const result = compareRuns(
      finished({ invariants: before }),
      finished({ invariants: [invariant("C1", "pass"), invariant("O1", "pass")] }),
    );
    expect(result.changes.map((c) => [c.id, c.change])).toEqual([["C1", "fixed"]]);
    expect(result).toMatchObject({ regressed: false, exit_code: 0 });
  });

  test("what is newly violated but never held is new and no regression; what became unknown is open", () => {
    const a = finished({
      invariants: [
        invariant("P1", "inconclusive"),
        invariant("X1", "not-applicable"),
        invariant("O2", "pass"),
        invariant("C3", "fail"),
      ],
    });
    const b = finished({
      invariants: [
        invariant("P1", "fail", 1),
        invariant("X1", "fail", 2),
        invariant("O2", "inconclusive"),
      ],
    });
    const result = compareRuns(a, b);
    expect(result.changes.map((c) => [c.id, c.change, c.b])).toEqual([
      ["P1", "new", "fail"],
      ["X1", "new", "fail"],
      ["O2", "open", "inconclusive"],
      ["C3", "open", "absent"],
    ]);
    expect(result.regressed).toBe(false);
  });

  test("naive against guarded is a legal comparison, and said to be one of two services", () => {
    const result = compareRuns(
      finished({ invariants: [invariant("X0", "fail", 1163)] }, { target: "naive" }),
      finished({ invariants: [invariant("X0", "pass")] }),
    );
    expect(result).toMatchObject({ same_target: false, regressed: false });
    expect(result.notes).toEqual(["two different services: naive and guarded"]);
  });
});

describe("objectives and figures", () => {
  test("an SLO that held and no longer does is a regression, with both figures", () => {
    const expression = "goodput_share{phase:watch} >= 0.9";
    const result = compareRuns(
      finished({ slos: [slo(expression, "pass", 0.99)] }),
      finished({ slos: [slo(expression, "fail", 0.4)] }),
    );
    expect(result.slos).toEqual([
      {
        name: expression,
        expression,
        observed_a: 0.99,
        observed_b: 0.4,
        a: "pass",
        b: "fail",
        compared: true,
      },
    ]);
    expect(result.regressed).toBe(true);
  });

  test("a latency is compared on the same machine only, whatever the order its facts are written in", () => {
    const expression = "latency_p99_ms{phase:baseline} <= 200";
    const threshold = (verdict: "pass" | "fail"): Verdict["thresholds"] => [
      { name: "http_req_duration", expression: "p(95)<500", observed: 1, verdict, because: null },
    ];
    const a = finished({ slos: [slo(expression, "pass", 90)], thresholds: threshold("pass") });
    const worse = { slos: [slo(expression, "fail", 300)], thresholds: threshold("fail") };
    const here = compareRuns(a, finished(worse, { machine: { cores: 2, cpu: "x" } }));
    expect(here).toMatchObject({ same_machine: true, regressed: true });
    const elsewhere = compareRuns(a, finished(worse, { machine: { cpu: "y", cores: 2 } }));
    expect(elsewhere).toMatchObject({ same_machine: false, regressed: false, changes: [] });
    expect(elsewhere.slos[0]).toMatchObject({ observed_a: 90, observed_b: 300, compared: false });
    expect(elsewhere.notes).toEqual([
      "not the same machine: latencies are shown, and not compared",
    ]);
  });

  test("two machines nobody described are not the same one", () => {
    expect(
      compareRuns(finished({}, { machine: {} }), finished({}, { machine: {} })).same_machine,
    ).toBe(false);
  });

  test("the collapse figures stand side by side, headroom among them", () => {
    const down = {
      ...VERDICT.collapse,
      collapsed: true,
      metastable: "yes" as const,
      served_well_per_s: 150,
      recovered_after_s: null,
    };
    const rows = new Map(
      compareRuns(finished({ collapse: down }), finished()).collapse.map((row) => [
        row.figure,
        [row.a, row.b],
      ]),
    );
    expect(rows.get("collapsed")).toEqual(["yes", "no"]);
    expect(rows.get("metastable")).toEqual(["yes", "no"]);
    expect(rows.get("recovered_after_s")).toEqual([null, 3]);
    expect(rows.get("headroom")).toEqual([-0.75, -0.25]);
  });
});

test("different schedules are refused, with the capacity to fix when that is the difference", () => {
  const compare = (): unknown =>
    compareRuns(finished(), finished({}, { id: "b", schedule_hash: "s2", capacity: 320 }));
  expect(compare).toThrow(StampedeError);
  expect(compare).toThrow(/a has s1, b has s2/);
  try {
    compare();
  } catch (error) {
    expect(error).toMatchObject({
      code: "configuration",
      exitCode: 104,
      hint: "the capacity sets the rates: fix it with -e CAPACITY=300",
    });
  }
});
