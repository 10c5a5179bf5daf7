/** What `stampede judge` says: every invariant with its verdict, what is undecided and why, and what changed since. */
import type { InvariantVerdict, Verdict } from "../harness/history/run-folder.ts";
import type { JudgeResult } from "../harness/judge/judge.ts";
import { plainLine, wrap } from "./columns.ts";
import { paintWith, SCREEN_COLUMNS } from "./terminal.ts";

const WORD: Readonly<Record<InvariantVerdict["verdict"], string>> = {
  pass: "holds",
  fail: "VIOLATED",
  inconclusive: "open",
  "not-applicable": "–",
};

/** Shown rows of an invariant: the worst (else the first) violation in its own words. */
function evidence(invariant: InvariantVerdict): string[] {
  const shown = invariant.worst ?? invariant.first;
  if (invariant.verdict !== "fail" || shown === null) return [];
  const text = [shown["subject"], shown["detail"]]
    .filter((part) => typeof part === "string" && part !== "")
    .join(": ");
  return wrap(plainLine(text), SCREEN_COLUMNS - 10).map((line) => `          ${line}`);
}

/** The lines of the screen; `before` is the stored verdict of the same run, to say what a newer judge sees otherwise. */
export function judgeScreen(
  result: JudgeResult,
  before: Verdict | null,
  options: { readonly color: boolean },
): string[] {
  const paint = paintWith(options.color);
  const decided = result.invariants.filter((invariant) => invariant.verdict !== "not-applicable");
  const lines = decided.flatMap((invariant) => {
    const kind =
      invariant.verdict === "fail" ? "bad" : invariant.verdict === "pass" ? "good" : "open";
    const count =
      invariant.verdict === "fail"
        ? `${invariant.count.toLocaleString("en-US")} of ${invariant.considered.toLocaleString("en-US")}`
        : `${invariant.considered.toLocaleString("en-US")} looked at`;
    const head = `${invariant.id.padEnd(4)}${paint(kind, WORD[invariant.verdict].padEnd(10))}${invariant.name.padEnd(26)}${count}`;
    const because =
      invariant.verdict === "inconclusive" && invariant.because !== null
        ? wrap(plainLine(invariant.because), SCREEN_COLUMNS - 10).map((line) => `          ${line}`)
        : [];
    return [head, ...evidence(invariant), ...because];
  });
  const idle = result.invariants.filter((invariant) => invariant.verdict === "not-applicable");
  const idleLines = idle.flatMap((invariant) =>
    wrap(
      plainLine(`${invariant.id} ${invariant.name}: ${invariant.because ?? "not exercised"}`),
      SCREEN_COLUMNS - 2,
    ).map((line) => `  ${line}`),
  );
  const changed =
    before === null
      ? []
      : result.invariants.flatMap((now) => {
          const was = before.invariants.find((old) => old.id === now.id);
          return was === undefined || was.verdict === now.verdict
            ? []
            : [`  ${now.id}: was ${was.verdict}, is ${now.verdict}`];
        });
  const { ok, fail, info, info_resolved: resolved } = result.outcomes;
  return [
    ...lines,
    ...(idle.length === 0 ? [] : ["", `not decided here (${idle.length}):`, ...idleLines]),
    ...(changed.length === 0 ? [] : ["", "other than when it was stored:", ...changed]),
    ...(result.extra.length === 0
      ? []
      : ["", `files that are no canonical table: ${plainLine(result.extra.join(", "))}`]),
    "",
    `operations: ${ok} took effect, ${fail} did not, ${info} unknown (${resolved} of them settled by the books)`,
    `${decided.filter((i) => i.verdict === "pass").length} hold, ${decided.filter((i) => i.verdict === "fail").length} violated, ${decided.filter((i) => i.verdict === "inconclusive").length} open, ${idle.length} not decided`,
  ];
}
