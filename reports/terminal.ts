/**
 * The last screen of a run and of the demo (first-screen.md), at most 100 columns wide. Functions return text; printing
 * it is a command's work. Colour only when asked for.
 */
import { styleText } from "node:util";
import type { MatchedPair } from "../harness/history/run-folder.ts";
import { codeOfPair } from "./code-difference.ts";
import { cut, fit, plainLine, width, wrap } from "./columns.ts";
import type { Demo } from "./demo.ts";
import { perSecond, timeOfDay, whole } from "./numbers.ts";
import { crowdOf, type RunView } from "./run-view.ts";
import { speak, type Lang, type Say } from "./sentences.ts";
import {
  customerFacts,
  exitText,
  fateText,
  goWord,
  markOfGo,
  sendItLine,
  separatesText,
  serviceFacts,
  trustLine,
  type Fact,
  type Mark,
} from "./story.ts";

/** No line is wider, unless a path or a command alone is. */
export const SCREEN_COLUMNS = 100;
const LABEL = 37;
const NAIVE = 32;
const GUARDED = SCREEN_COLUMNS - LABEL - NAIVE;

export interface ScreenOptions {
  readonly lang?: Lang;
  readonly color?: boolean;
  /** Where the page is, as the user would open it. */
  readonly report?: string;
  /** The command that runs this again, when it is not the run's own. */
  readonly replay?: string;
}

type Paint = (mark: Mark | "strong" | "faint", text: string) => string;

const STYLES = { good: "green", bad: "red", open: "yellow", strong: "bold", faint: "dim" } as const;

/** Paints nothing unless asked: pipes, CI logs and NO_COLOR get plain text. */
export function paintWith(color: boolean): Paint {
  return color
    ? (mark, text) => styleText(STYLES[mark], text, { validateStream: false })
    : (_mark, text) => text;
}

const LETTERS: Record<Mark, string> = { bad: "x", good: "v", open: "?" };

/** One cell's lines are painted after they were padded: escapes must not count as width. */
interface Cell {
  readonly text: string;
  readonly cells: number;
  /** Cells of blank before every line of it. */
  readonly indent?: number;
  readonly paint?: (text: string) => string;
}

/** Cells side by side; a text longer than its cell goes on below, in the same column. */
function row(...cells: readonly Cell[]): string[] {
  const columns = cells.map((cell) =>
    wrap(plainLine(cell.text), cell.cells - (cell.indent ?? 0) - 1),
  );
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((cell, at) => {
        const padded =
          " ".repeat(cell.indent ?? 0) +
          fit(columns[at]?.[line] ?? "", cell.cells - (cell.indent ?? 0));
        return cell.paint === undefined ? padded : cell.paint(padded);
      })
      .join("")
      .trimEnd(),
  );
}

const worse = (a: Mark, b: Mark): Mark =>
  a === "bad" || b === "bad" ? "bad" : a === "open" || b === "open" ? "open" : "good";

const factText = (fact: Fact): string =>
  fact.rules.length === 0
    ? fact.text
    : `${fit(fact.text, Math.max(width(fact.text) + 2, 12))}${fact.rules.join(" ")}`;

/** One question, the naive answer and the guarded one. */
function demoRow(paint: Paint, naive: Fact, guarded: Fact | undefined, marked: boolean): string[] {
  const mark = worse(naive.mark, guarded?.mark ?? naive.mark);
  return row(
    {
      text: marked ? `${LETTERS[mark]} ${naive.label}` : naive.label,
      cells: LABEL,
      indent: 2,
      ...(marked
        ? { paint: (text) => text.replace(LETTERS[mark], paint(mark, LETTERS[mark])) }
        : {}),
    },
    { text: factText(naive), cells: NAIVE, paint: (text) => paint(naive.mark, text) },
    {
      text: guarded?.text ?? "",
      cells: GUARDED,
      paint: (text) => paint(guarded?.mark ?? "open", text),
    },
  );
}

/** The story of one matched pair, four to six lines. */
function pairLines(say: Say, paint: Paint, pair: MatchedPair): string[] {
  const line = (side: MatchedPair["left"]): string =>
    say("pairLine", {
      id: cut(plainLine(side.user_id), 14),
      time: timeOfDay(side.ordered_at_us),
      items: cut(plainLine(side.items), 22),
      total: whole(side.total),
      coupon: say(side.coupon === null ? "noCoupon" : "couponUsed"),
      fate: fateText(say, side),
    });
  return [
    paint("strong", cut(say("whyTitle"), SCREEN_COLUMNS)),
    ...[pair.left, pair.right].flatMap((side) => indented(line(side), 2, 8)),
    ...indented(separatesText(say, pair), 2, 4),
  ];
}

/** Wraps with a first and a further indent. */
function indented(text: string, first: number, further: number): string[] {
  return wrap(plainLine(text), SCREEN_COLUMNS - further, SCREEN_COLUMNS - first).map(
    (line, at) => " ".repeat(at === 0 ? first : further) + line,
  );
}

const labelled = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([label, text]) => `${label}  ${text}`).join("   ");

/** Runs that fit on a line stand on one; longer paths and commands get a line each, uncut, so that they can be copied. */
function foot(pairs: readonly (readonly [string, string])[]): string[] {
  const line = labelled(pairs);
  return width(line) <= SCREEN_COLUMNS ? [line] : pairs.map((pair) => labelled([pair]));
}

function trustLines(say: Say, views: readonly (readonly [string, RunView])[]): string[] {
  if (views.length === 1)
    return views.flatMap(([, view]) =>
      indented(`${say("trustTitle")} ${trustLine(say, view)}`, 0, 4),
    );
  return [
    say("trustTitle"),
    ...views.flatMap(([name, view]) => indented(`${fit(name, 8)} ${trustLine(say, view)}`, 2, 4)),
  ];
}

/** Title, seed and crowd; the two columns; GO or NO-GO above what each was served well up to. */
function demoHead(say: Say, paint: Paint, naive: RunView, guarded: RunView, demo: Demo): string[] {
  const crowd = crowdOf(naive);
  const title = [
    say("demoTitle", { title: naive.run.title.toUpperCase(), seed: demo.seed }),
    ...(crowd === null
      ? []
      : [
          say("demoCrowd", {
            customers: whole(crowd.customers),
            peak: perSecond(say, crowd.peakPerS),
          }),
        ]),
  ].join("   ");
  const columns = (label: string, left: string, right: string, go = false): string[] =>
    row(
      { text: label, cells: LABEL },
      {
        text: left,
        cells: NAIVE,
        ...(go ? { paint: (text: string) => paint(markOfGo(naive.verdict.go), text) } : {}),
      },
      {
        text: right,
        cells: GUARDED,
        ...(go ? { paint: (text: string) => paint(markOfGo(guarded.verdict.go), text) } : {}),
      },
    );
  return [
    ...indented(title, 0, 2).map((line) => paint("strong", line)),
    ...columns("", say("naive"), say("guarded")),
    ...columns(say("sendIt"), goWord(say, naive.verdict.go), goWord(say, guarded.verdict.go), true),
    ...columns("", sendItLine(say, naive), sendItLine(say, guarded)),
  ];
}

/** As intended or not, and what a gate would have done. */
function demoExit(say: Say, paint: Paint, naive: RunView, demo: Demo): string[] {
  const sentence = demo.as_intended
    ? say("demoAsIntended", { gate: naive.verdict.exit_code })
    : say("demoNotAsIntended", { because: demo.because.join("; ") });
  return indented(sentence, 0, 2).map((line) => paint(demo.as_intended ? "good" : "bad", line));
}

/** The end of `npm start`: one screen, naive left and guarded right. */
export function demoScreen(
  naive: RunView,
  guarded: RunView,
  demo: Demo,
  options: ScreenOptions = {},
): string {
  const say = speak(options.lang);
  const paint = paintWith(options.color ?? false);
  const others = new Map(
    [...serviceFacts(say, guarded), ...customerFacts(say, guarded)].map((fact) => [fact.key, fact]),
  );
  const rows = (facts: readonly Fact[], marked: boolean): string[] =>
    facts.flatMap((fact) => demoRow(paint, fact, others.get(fact.key), marked));
  const [pair] = naive.verdict.x0.pairs;
  const code = pair === undefined ? null : codeOfPair(pair);
  return [
    ...demoHead(say, paint, naive, guarded, demo),
    paint("strong", say("theService")),
    ...rows(serviceFacts(say, naive), false),
    paint("strong", say("theCustomers")),
    ...rows(customerFacts(say, naive), true),
    ...(pair === undefined ? [] : ["", ...pairLines(say, paint, pair)]),
    ...(code === null ? [] : indented(say("codeDiffers", code), 2, 4)),
    "",
    ...trustLines(say, [
      ["naive", naive],
      ["guarded", guarded],
    ]),
    ...(demo.as_intended && demo.because.length > 0
      ? indented(say("demoMargins", { margins: demo.because.join("; ") }), 2, 4)
      : []),
    ...foot([
      ...(options.report === undefined ? [] : [[say("report"), options.report] as const]),
      [say("replay"), options.replay ?? naive.run.replay],
    ]),
    ...demoExit(say, paint, naive, demo),
  ].join("\n");
}

/** The end of one run. */
export function runScreen(view: RunView, options: ScreenOptions = {}): string {
  const say = speak(options.lang);
  const paint = paintWith(options.color ?? false);
  const { run, verdict } = view;
  const crowd = crowdOf(view);
  const title = [
    say("demoTitle", { title: run.title.toUpperCase(), seed: run.seed }),
    `${run.scenario} → ${run.target}`,
    ...(crowd === null
      ? []
      : [
          say("runCrowd", {
            customers: whole(crowd.customers),
            peak: perSecond(say, crowd.peakPerS),
          }),
        ]),
  ].join("   ");
  const factRow = (fact: Fact): string[] =>
    row(
      {
        text: `${LETTERS[fact.mark]} ${fact.label}`,
        cells: LABEL,
        indent: 2,
        paint: (text) => text.replace(LETTERS[fact.mark], paint(fact.mark, LETTERS[fact.mark])),
      },
      {
        text: fact.text,
        cells: SCREEN_COLUMNS - LABEL - 12,
        paint: (text) => paint(fact.mark, text),
      },
      { text: fact.rules.join(" "), cells: 12 },
    );
  const [pair] = verdict.x0.pairs;
  const limits = [...verdict.slos, ...verdict.thresholds].filter(
    (limit) => limit.verdict === "fail",
  );
  return [
    ...indented(title, 0, 2).map((line) => paint("strong", line)),
    "",
    ...indented(
      `${say("sendIt")}  ${goWord(say, verdict.go)}   ${sendItLine(say, view)}`,
      0,
      2,
    ).map((line) => paint(markOfGo(verdict.go), line)),
    ...verdict.go_because.flatMap((reason) => indented(`- ${reason}`, 2, 4)),
    paint("strong", say("theService")),
    ...serviceFacts(say, view).flatMap(factRow),
    ...limits.flatMap((limit) =>
      indented(
        `${LETTERS.bad} ${limit.name}: ${limit.expression}${limit.observed === null ? "" : ` (${String(limit.observed)})`}`,
        2,
        6,
      ),
    ),
    paint("strong", say("theCustomers")),
    ...customerFacts(say, view).flatMap(factRow),
    ...(pair === undefined ? [] : ["", ...pairLines(say, paint, pair)]),
    "",
    ...trustLines(say, [["", view]]),
    ...foot([
      ...(options.report === undefined ? [] : [[say("report"), options.report] as const]),
      [say("replay"), options.replay ?? run.replay],
    ]),
    ...indented(
      say("exitLine", { code: verdict.exit_code, meaning: exitText(say, verdict.exit_code) }),
      0,
      2,
    ),
  ].join("\n");
}
