/** Whether the demo showed what it is there to show, and by how much: the naive service falls, the guarded one stands. */
import type { InvariantVerdict, Verdict } from "../history/run-folder.ts";
import type { Demo } from "../../reports/demo.ts";

/** What must fail on the naive service whatever else does. */
const NAIVE_MUST_FAIL = ["C1", "C2", "X0"];
const NAIVE_MORE = 5;
/** Share of min(λ, μ) that the guarded service must acknowledge in the surge: standing because little came through does not count. */
const GUARDED_SURGE_SHARE = 0.8;
const GUARDED_RECOVERY_S = 15;
const MARGIN = 0.2;

const failed = (verdict: Verdict): InvariantVerdict[] =>
  verdict.invariants.filter((invariant) => invariant.verdict === "fail");

function naiveProblems(verdict: Verdict): string[] {
  const ids = failed(verdict).map((invariant) => invariant.id);
  const { collapse } = verdict;
  return [
    ...NAIVE_MUST_FAIL.filter((id) => !ids.includes(id)).map(
      (id) => `naive: ${id} was expected to be violated and was not`,
    ),
    ...(ids.length >= NAIVE_MUST_FAIL.length + NAIVE_MORE
      ? []
      : [
          `naive: at least ${NAIVE_MUST_FAIL.length + NAIVE_MORE} invariants were expected to be violated; ${ids.length} were (${ids.join(", ")})`,
        ]),
    ...(collapse.collapsed === true
      ? []
      : [`naive: a collapse was expected: ${collapse.decided_by}`]),
    ...(collapse.metastable === "yes"
      ? []
      : [`naive: it was expected to stay down: ${collapse.decided_by}`]),
    ...((collapse.goodput_restarted ?? 0) >= 0.8 * (collapse.goodput_before ?? Infinity)
      ? []
      : [
          `naive: goodput was expected back after the restart; before ${say(collapse.goodput_before)}, after it ${say(collapse.goodput_restarted)} per second`,
        ]),
  ];
}

function guardedProblems(verdict: Verdict, judges: readonly string[]): string[] {
  const { collapse } = verdict;
  const bad = verdict.invariants.filter((invariant) =>
    judges.includes(invariant.id)
      ? invariant.verdict !== "pass"
      : invariant.verdict === "fail" || invariant.verdict === "inconclusive",
  );
  const recovered =
    collapse.collapsed === false &&
    (collapse.recovered_after_s === null ? collapse.metastable === "no" : true);
  return [
    ...bad.map(
      (invariant) =>
        `guarded: ${invariant.id} was expected to hold: ${invariant.verdict}, ${invariant.count} violations${invariant.because === null ? "" : ` (${invariant.because})`}`,
    ),
    ...((collapse.surge_share ?? 0) >= GUARDED_SURGE_SHARE
      ? []
      : [
          `guarded: at least ${GUARDED_SURGE_SHARE * 100} % of min(arrivals, capacity) was expected to be acknowledged in the surge; it was ${say(collapse.surge_share)}`,
        ]),
    ...(recovered ||
    (collapse.recovered_after_s !== null && collapse.recovered_after_s <= GUARDED_RECOVERY_S)
      ? []
      : [
          `guarded: it was expected to stand, or to recover within ${GUARDED_RECOVERY_S} s: ${collapse.decided_by}`,
        ]),
    ...(verdict.exit_code === 0
      ? []
      : [`guarded: exit code 0 was expected; it is ${verdict.exit_code}`]),
  ];
}

const say = (value: number | null): string => (value === null ? "unknown" : value.toPrecision(3));

/** The margins that carry the demo's claim; one under 20 % fails it: a demo that nearly tips proves nothing. */
function margins(naive: Verdict, guarded: Verdict): { lines: string[]; thin: string[] } {
  const wanted = [
    ["naive", "load", naive],
    ["naive", "amplified_load", naive],
    ["naive", "collapse", naive],
    ["naive", "surge_load", naive],
    ["guarded", "surge_share", guarded],
  ] as const;
  const lines: string[] = [];
  const thin: string[] = [];
  for (const [who, name, verdict] of wanted) {
    const margin = verdict.collapse.margins[name];
    if (margin === undefined) {
      thin.push(`${who} ${name.replaceAll("_", " ")}: no margin was measured`);
      continue;
    }
    const line = `${who} ${name.replaceAll("_", " ")} ${Math.round(margin * 100)} % from its line`;
    lines.push(line);
    if (margin < MARGIN) thin.push(`${line}, under ${MARGIN * 100} %`);
  }
  return { lines, thin };
}

/** demo.json: as intended with its margins, or every reason why not. */
export function judgeDemo(facts: {
  readonly id: string;
  readonly seed: number;
  readonly capacity: number;
  readonly judges: readonly string[];
  readonly naive: Verdict;
  readonly guarded: Verdict;
}): Demo {
  const { lines, thin } = margins(facts.naive, facts.guarded);
  const saturated = [["naive", facts.naive] as const, ["guarded", facts.guarded] as const]
    .filter(([, v]) => v.generator.saturated)
    .map(
      ([who, v]) =>
        `${who}: the load generator was the bottleneck (${v.generator.because.join(", ")})`,
    );
  const problems = [
    ...saturated,
    ...naiveProblems(facts.naive),
    ...guardedProblems(facts.guarded, facts.judges),
    ...thin,
  ];
  return {
    format: 1,
    id: facts.id,
    seed: facts.seed,
    capacity: facts.capacity,
    naive: "naive",
    guarded: "guarded",
    as_intended: problems.length === 0,
    because: problems.length === 0 ? lines : problems,
  };
}
