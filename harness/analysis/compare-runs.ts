/**
 * Two runs of the same schedule side by side: which verdicts changed, the collapse figures, the objectives. Naive
 * against guarded is a legal comparison; two different schedules are not. Shares and recovery times travel between
 * machines, latencies do not: they are compared only when both runs were made on the same one.
 */
import { EXIT, StampedeError, type ExitCode } from "../errors.ts";
import type { CollapseVerdict, RunJson, Verdict } from "../history/run-folder.ts";
import { headroom } from "./served-well.ts";

/** A finished run. */
export interface FinishedRun {
  readonly run: RunJson;
  readonly verdict: Verdict;
}

/** The words a verdict can be, an invariant's "not-applicable" included. "absent": not in that run at all. */
export type JudgedWord = "pass" | "fail" | "inconclusive" | "not-applicable" | "absent";

export interface VerdictChange {
  readonly of: "invariant" | "slo" | "threshold";
  readonly id: string;
  readonly name: string;
  readonly a: JudgedWord;
  readonly b: JudgedWord;
  /** new: fails in B only · fixed: fails in A only, and held in B · open: any other change, nothing is proved by it. */
  readonly change: "new" | "fixed" | "open";
  /** Held in A and is violated in B. */
  readonly regressed: boolean;
  readonly count_a: number | null;
  readonly count_b: number | null;
}

/** One figure of both runs; null where a run has none. */
export interface FigurePair {
  readonly figure: string;
  readonly unit: "per_s" | "s" | "share" | "times" | "intents" | "word";
  readonly a: number | string | null;
  readonly b: number | string | null;
}

/** An objective in both runs, absolute. */
export interface SloPair {
  readonly name: string;
  readonly expression: string;
  readonly observed_a: number | null;
  readonly observed_b: number | null;
  readonly a: JudgedWord;
  readonly b: JudgedWord;
  /** False for a latency from two machines: shown, never held against B. */
  readonly compared: boolean;
}

export interface RunWords {
  readonly id: string;
  readonly scenario: string;
  readonly target: string;
  readonly seed: number;
  readonly started_at: string;
  readonly verdict: Verdict["verdict"];
  readonly exit_code: number;
  readonly go: boolean | null;
}

export interface RunComparison {
  readonly a: RunWords;
  readonly b: RunWords;
  readonly same_target: boolean;
  readonly same_seed: boolean;
  readonly same_machine: boolean;
  /** What limits the comparison, one plain sentence each. */
  readonly notes: readonly string[];
  readonly changes: readonly VerdictChange[];
  readonly collapse: readonly FigurePair[];
  readonly slos: readonly SloPair[];
  /** An invariant, SLO or threshold that held in A no longer does in B. */
  readonly regressed: boolean;
  readonly exit_code: ExitCode;
}

/** Text that is equal when two JSON values are, whatever the order of their keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).toSorted(([x], [y]) => (x < y ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(",")}}`;
}

const isLatency = (expression: string): boolean => /latency|duration|_ms\b/.test(expression);

interface Judged {
  readonly id: string;
  readonly name: string;
  readonly verdict: JudgedWord;
  readonly count: number | null;
}

/** Pairs what both runs judged by id and keeps what changed. `comparable` says whether a change may count against B. */
function changesOf(
  of: VerdictChange["of"],
  a: readonly Judged[],
  b: readonly Judged[],
  comparable: (id: string) => boolean,
): VerdictChange[] {
  const [left, right] = [new Map(a.map((j) => [j.id, j])), new Map(b.map((j) => [j.id, j]))];
  const ids = new Set([...left.keys(), ...right.keys()]);
  return [...ids].flatMap((id) => {
    const [was, is] = [left.get(id), right.get(id)];
    const [wordA, wordB]: JudgedWord[] = [was?.verdict ?? "absent", is?.verdict ?? "absent"];
    if (wordA === undefined || wordB === undefined || wordA === wordB || !comparable(id)) return [];
    const change =
      wordB === "fail" ? "new" : wordA === "fail" && wordB === "pass" ? "fixed" : "open";
    return [
      {
        of,
        id,
        name: is?.name ?? was?.name ?? id,
        a: wordA,
        b: wordB,
        change,
        regressed: wordA === "pass" && wordB === "fail",
        count_a: was?.count ?? null,
        count_b: is?.count ?? null,
      },
    ];
  });
}

/** The collapse figures worth a row, with their units. */
const COLLAPSE_FIGURES: readonly (readonly [keyof CollapseVerdict, FigurePair["unit"]])[] = [
  ["collapsed", "word"],
  ["metastable", "word"],
  ["capacity_per_s", "per_s"],
  ["served_well_per_s", "per_s"],
  ["goodput_before", "per_s"],
  ["goodput_in", "per_s"],
  ["goodput_after", "per_s"],
  ["goodput_restarted", "per_s"],
  ["surge_share", "share"],
  ["depth", "share"],
  ["began_s", "s"],
  ["recovered_after_s", "s"],
  ["intervention_s", "s"],
  ["lost_intents", "intents"],
  ["lost_avoidable", "intents"],
  ["amplification_max", "times"],
  ["backlog_slope_per_s", "per_s"],
];

function collapsePairs(a: FinishedRun, b: FinishedRun): FigurePair[] {
  const shown = (value: unknown): number | string | null =>
    typeof value === "boolean"
      ? value
        ? "yes"
        : "no"
      : typeof value === "number" || typeof value === "string"
        ? value
        : null;
  const rows = COLLAPSE_FIGURES.map(([figure, unit]): FigurePair => ({
    figure,
    unit,
    a: shown(a.verdict.collapse[figure]),
    b: shown(b.verdict.collapse[figure]),
  }));
  const spare = ({ run, verdict }: FinishedRun): number | null =>
    headroom(verdict.collapse.served_well_per_s, run.expect_peak_per_s);
  return [...rows, { figure: "headroom", unit: "share", a: spare(a), b: spare(b) }];
}

function sloPairs(a: Verdict, b: Verdict, sameMachine: boolean): SloPair[] {
  const left = new Map(a.slos.map((slo) => [slo.name, slo]));
  const right = new Map(b.slos.map((slo) => [slo.name, slo]));
  return [...new Set([...left.keys(), ...right.keys()])].map((name) => {
    const [was, is] = [left.get(name), right.get(name)];
    const expression = is?.expression ?? was?.expression ?? "";
    return {
      name,
      expression,
      observed_a: was?.observed ?? null,
      observed_b: is?.observed ?? null,
      a: was?.verdict ?? "absent",
      b: is?.verdict ?? "absent",
      compared: sameMachine || !isLatency(expression),
    };
  });
}

const wordsOf = ({ run, verdict }: FinishedRun): RunWords => ({
  id: run.id,
  scenario: run.scenario,
  target: run.target,
  seed: run.seed,
  started_at: run.started_at,
  verdict: verdict.verdict,
  exit_code: verdict.exit_code,
  go: verdict.go,
});

/**
 * Compares run B with run A, the one before.
 * @throws StampedeError("configuration") when their schedules differ: other arrivals, other answers
 */
export function compareRuns(a: FinishedRun, b: FinishedRun): RunComparison {
  if (a.run.schedule_hash !== b.run.schedule_hash) {
    throw new StampedeError(
      "configuration",
      `two runs are compared on the same schedule; ${a.run.id} has ${a.run.schedule_hash}, ${b.run.id} has ${b.run.schedule_hash}`,
      {
        hint:
          a.run.capacity === b.run.capacity
            ? "run the same scenario with the same -e values twice"
            : `the capacity sets the rates: fix it with -e CAPACITY=${a.run.capacity ?? b.run.capacity}`,
      },
    );
  }
  const sameMachine =
    Object.keys(a.run.machine).length > 0 && canonical(a.run.machine) === canonical(b.run.machine);
  const sameTarget = a.run.target === b.run.target;
  const sameSeed = a.run.seed === b.run.seed;
  const slos = sloPairs(a.verdict, b.verdict, sameMachine);
  const limits = (kind: "slos" | "thresholds", { verdict }: FinishedRun): Judged[] =>
    verdict[kind].map((l) => ({
      id: kind === "slos" ? l.name : `${l.name}: ${l.expression}`,
      name: l.name,
      verdict: l.verdict,
      count: null,
    }));
  const changes = [
    ...changesOf("invariant", a.verdict.invariants, b.verdict.invariants, () => true),
    ...changesOf("slo", limits("slos", a), limits("slos", b), (name) =>
      slos.some((slo) => slo.name === name && slo.compared),
    ),
    ...changesOf(
      "threshold",
      limits("thresholds", a),
      limits("thresholds", b),
      (id) => sameMachine || !isLatency(id),
    ),
  ];
  const regressed = changes.some((change) => change.regressed);
  const notes = [
    ...(sameTarget ? [] : [`two different services: ${a.run.target} and ${b.run.target}`]),
    ...(sameSeed
      ? []
      : [`different seeds (${a.run.seed}, ${b.run.seed}): the same rates, not the same customers`]),
    ...(sameMachine ? [] : ["not the same machine: latencies are shown, and not compared"]),
  ];
  return {
    a: wordsOf(a),
    b: wordsOf(b),
    same_target: sameTarget,
    same_seed: sameSeed,
    same_machine: sameMachine,
    notes,
    changes,
    collapse: collapsePairs(a, b),
    slos,
    regressed,
    exit_code: regressed ? EXIT.regression : EXIT.pass,
  };
}
