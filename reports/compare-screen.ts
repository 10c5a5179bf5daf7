/** What `stampede compare` says: changed verdicts first, then figures and objectives side by side, then the limits. */
import type { FigurePair, RunComparison } from "../harness/analysis/compare-runs.ts";
import { fit, plainLine } from "./columns.ts";
import { figure, percent } from "./numbers.ts";

const UNIT: Readonly<Record<FigurePair["unit"], (value: number) => string>> = {
  per_s: (value) => `${figure(value)}/s`,
  s: (value) => `${figure(value)} s`,
  share: (value) => percent(value),
  times: (value) => `${figure(value)} ×`,
  intents: (value) => figure(value),
  word: (value) => String(value),
};

const shown = (pair: FigurePair, value: number | string | null): string =>
  value === null
    ? "unknown"
    : typeof value === "number"
      ? UNIT[pair.unit](value)
      : plainLine(value);
const row = (label: string, a: string, b: string): string =>
  `  ${fit(label, 40)}${fit(a, 26)}${b}`.trimEnd();

export function compareScreen(comparison: RunComparison): string[] {
  const { a, b } = comparison;
  const changes = comparison.changes.map((change) => {
    const counts =
      change.count_a === null && change.count_b === null
        ? ""
        : `  (${change.count_a ?? "–"} → ${change.count_b ?? "–"})`;
    return `  ${fit(change.regressed ? "REGRESSED" : change.change, 11)}${fit(plainLine(`${change.id} ${change.id === change.name ? "" : change.name}`), 38)}${change.a} → ${change.b}${counts}`;
  });
  return [
    row("", `A ${plainLine(a.target)}`, `B ${plainLine(b.target)}`),
    row("run", plainLine(a.id), plainLine(b.id)),
    row("verdict", `${a.verdict} (exit ${a.exit_code})`, `${b.verdict} (exit ${b.exit_code})`),
    "",
    "WHAT CHANGED",
    ...(changes.length === 0 ? ["  nothing"] : changes),
    "",
    "COLLAPSE",
    ...comparison.collapse.map((pair) =>
      row(pair.figure.replaceAll("_", " "), shown(pair, pair.a), shown(pair, pair.b)),
    ),
    "",
    "OBJECTIVES (absolute)",
    ...comparison.slos.map((slo) =>
      row(
        plainLine(slo.name),
        `${figure(slo.observed_a)} ${slo.a}`,
        `${figure(slo.observed_b)} ${slo.b}${slo.compared ? "" : " (two machines: not compared)"}`,
      ),
    ),
    "",
    ...comparison.notes.map((note) => plainLine(note)),
    comparison.regressed
      ? "regression: something that held in A no longer does in B"
      : "no regression from A to B",
  ];
}
