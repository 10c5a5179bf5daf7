/** summary.md: one run on half a page, for a merge request's comment or a job's summary. */
import type { LimitVerdict } from "../harness/history/run-folder.ts";
import { plainLine } from "./columns.ts";
import { figure, whole } from "./numbers.ts";
import type { RunView } from "./run-view.ts";
import { ruleTitle, speak, type Lang, type Say } from "./sentences.ts";
import {
  customerFacts,
  exitText,
  fateText,
  goWord,
  ruleCounts,
  sendItLine,
  separatesText,
  serviceFacts,
  trustLine,
  verdictText,
  type Mark,
} from "./story.ts";

const LETTERS: Record<Mark, string> = { bad: "✗", good: "✓", open: "?" };

/** Text from a service must stay text: no mark-up, no HTML, no table cell, no mention (`@all`), no link. */
export function markdownText(text: string): string {
  return plainLine(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("@", "&#64;")
    .replaceAll("://", "&#58;//")
    .replaceAll(/[\\`*_{}[\]()#+!|~-]/g, (mark) => `\\${mark}`);
}

/** A code span that cannot be left: fenced by more backticks than it holds; `|` would end a table cell. */
function code(text: string): string {
  const line = plainLine(text).replaceAll("|", "¦");
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  rows.length === 0
    ? []
    : [
        `| ${head.join(" | ")} |`,
        `|${head.map(() => " --- |").join("")}`,
        ...rows.map((cells) => `| ${cells.join(" | ")} |`),
        "",
      ];

function limitRows(say: Say, limits: readonly LimitVerdict[]): string[][] {
  return limits.map((limit) => [
    markdownText(limit.name),
    code(limit.expression),
    limit.observed === null ? markdownText(say("notMeasured")) : figure(limit.observed),
    say(limit.verdict),
  ]);
}

/** The whole file. */
export function summaryMarkdown(view: RunView, options: { readonly lang?: Lang } = {}): string {
  const say = speak(options.lang);
  const { run, verdict } = view;
  const counts = ruleCounts(verdict);
  const [pair] = verdict.x0.pairs;
  const broken = verdict.invariants.filter(
    (rule) => rule.verdict === "fail" || rule.verdict === "inconclusive",
  );
  return [
    `# ${markdownText(run.title)}: ${goWord(say, verdict.go)}`,
    "",
    `${markdownText(sendItLine(say, view))}  `,
    `${code(run.scenario)} → ${code(run.target)}, ${say("metaSeed")} ${run.seed}, ${say("exitCode", { code: verdict.exit_code })}: ${markdownText(exitText(say, verdict.exit_code))}`,
    "",
    ...verdict.go_because.map((reason) => `- ${markdownText(reason)}`),
    ...(verdict.go_because.length === 0 ? [] : [""]),
    ...table(
      ["", say("questionColumn"), say("valueColumn"), say("rulesColumn")],
      [...serviceFacts(say, view), ...customerFacts(say, view)].map((fact) => [
        LETTERS[fact.mark],
        markdownText(fact.label),
        markdownText(fact.text),
        fact.rules.join(" "),
      ]),
    ),
    ...(pair === undefined
      ? []
      : [
          `**${say("pairsHeading")}**`,
          "",
          ...[pair.left, pair.right].map(
            (side) =>
              `- ${markdownText(say("pairCustomer", { id: side.user_id }))}: ${markdownText(side.items)}, ${whole(side.total)} → ${markdownText(fateText(say, side))}`,
          ),
          "",
          markdownText(separatesText(say, pair)),
          "",
        ]),
    `## ${say("rulesHeading")}`,
    "",
    markdownText(
      say("rulesLead", {
        failed: counts.failed,
        passed: counts.passed,
        undecided: counts.undecided,
        absent: counts.absent,
      }),
    ),
    "",
    ...table(
      [say("ruleColumn"), say("verdictColumn"), say("countColumn"), say("consideredColumn")],
      broken.map((rule) => [
        `${markdownText(rule.id)} ${markdownText(ruleTitle(say, rule))}`,
        verdictText(say, rule.verdict) +
          (rule.because === null ? "" : `: ${markdownText(rule.because)}`),
        whole(rule.count),
        whole(rule.considered),
      ]),
    ),
    ...table(
      [say("limitName"), say("limitExpression"), say("limitObserved"), say("verdictColumn")],
      limitRows(say, [...verdict.slos, ...verdict.thresholds]),
    ),
    `${say("trustTitle")} ${markdownText(trustLine(say, view))}`,
    "",
    `${say("replay")}: ${code(run.replay)}`,
    "",
  ].join("\n");
}
