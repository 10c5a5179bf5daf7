/**
 * The end-of-test text of a plain k6 script (one without `event`), laid out like k6's own from handleSummary's data, so
 * that eyes and scripts that know k6 find what they look for. Words are k6's and are not translated.
 */
import { styleText } from "node:util";
import { z } from "zod";
import { StampedeError } from "../harness/errors.ts";
import { plainLine, width } from "./columns.ts";

const check = z.object({ name: z.string(), passes: z.number(), fails: z.number() });
export type SummaryCheck = z.infer<typeof check>;

interface Group {
  name: string;
  groups?: Group[] | undefined;
  checks?: SummaryCheck[] | undefined;
}
const group: z.ZodType<Group> = z.lazy(() =>
  z.object({
    name: z.string(),
    groups: z.array(group).optional(),
    checks: z.array(check).optional(),
  }),
);

const metric = z.object({
  type: z.enum(["counter", "gauge", "rate", "trend"]),
  contains: z.string().default("default"),
  values: z.record(z.string(), z.number()),
  thresholds: z.record(z.string(), z.object({ ok: z.boolean() })).optional(),
});
export type SummaryMetric = z.infer<typeof metric>;

/** The part of handleSummary's data (k6.md) the text is made from. */
const summarySchema = z.object({
  root_group: group,
  metrics: z.record(z.string(), metric),
  options: z.object({ summaryTrendStats: z.array(z.string()).optional() }).optional(),
});

const seconds = (ms: number): string => {
  if (ms === 0) return "0s";
  if (ms < 1) return `${Number((ms * 1000).toFixed(2))}µs`;
  if (ms < 1000) return `${Number(ms.toFixed(2))}ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(2))}s`;
  return `${Math.floor(ms / 60_000)}m${Math.round((ms % 60_000) / 1000)}s`;
};

const bytes = (count: number): string => {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  return `${Number((count / 1000 ** power).toFixed(power === 0 ? 0 : 1))} ${units[power] ?? "B"}`;
};

const plainNumber = (value: number): string => String(Number(value.toFixed(value >= 100 ? 2 : 6)));

const unit = (one: SummaryMetric, value: number): string =>
  one.contains === "time"
    ? seconds(value)
    : one.contains === "data"
      ? bytes(value)
      : plainNumber(value);

const share = (rate: number): string => `${(rate * 100).toFixed(2)}%`;

/** "avg=1.2ms min=… p(95)=…" of one metric, as k6 writes it. */
function valuesText(one: SummaryMetric, trendStats: readonly string[]): string {
  const { values } = one;
  const value = (name: string): number => values[name] ?? 0;
  const texts: Record<SummaryMetric["type"], () => string> = {
    counter: () => `${unit(one, value("count"))} ${unit(one, value("rate"))}/s`,
    gauge: () =>
      `${unit(one, value("value"))} min=${unit(one, value("min"))} max=${unit(one, value("max"))}`,
    rate: () =>
      `${share(value("rate"))} ${value("passes")} out of ${value("passes") + value("fails")}`,
    trend: () =>
      trendStats
        .filter((name) => values[name] !== undefined)
        .map((name) => `${name}=${name === "count" ? value(name) : unit(one, value(name))}`)
        .join(" "),
  };
  return texts[one.type]();
}

const sectionOf = (name: string): "HTTP" | "EXECUTION" | "NETWORK" | "WEBSOCKET" | "CUSTOM" => {
  if (name.startsWith("http_req")) return "HTTP";
  if (
    [
      "iterations",
      "iteration_duration",
      "dropped_iterations",
      "vus",
      "vus_max",
      "group_duration",
    ].includes(name)
  )
    return "EXECUTION";
  if (name === "data_received" || name === "data_sent") return "NETWORK";
  return name.startsWith("ws_") ? "WEBSOCKET" : "CUSTOM";
};

/** `metric{a:b}` stands beneath its metric as `  { a:b }`. */
const labelOf = (name: string): string => {
  const at = name.indexOf("{");
  return at < 0 ? name : `  { ${name.slice(at + 1, -1)} }`;
};

const dotted = (label: string, cells: number): string =>
  `${label}${".".repeat(Math.max(1, cells - width(label)))}: `;

type Paint = (ok: boolean, text: string) => string;

function thresholdLines(metrics: Readonly<Record<string, SummaryMetric>>, paint: Paint): string[] {
  const limited = Object.entries(metrics).filter(
    ([, one]) => one.thresholds !== undefined && Object.keys(one.thresholds).length > 0,
  );
  if (limited.length === 0) return [];
  return [
    "  █ THRESHOLDS ",
    "",
    ...limited.flatMap(([name, one]) => [
      `    ${plainLine(name)}`,
      ...Object.entries(one.thresholds ?? {}).map(
        ([expression, { ok }]) =>
          `    ${paint(ok, ok ? "✓" : "✗")} '${plainLine(expression)}' ${observed(one, expression)}`,
      ),
      "",
    ]),
    "",
  ];
}

/** "p(95)=12ms": the figure a threshold looked at. */
function observed(one: SummaryMetric, expression: string): string {
  const [aggregate = ""] = expression.split(/\s*[<>=!]/);
  const value = one.values[aggregate.trim()];
  if (value === undefined) return "";
  return `${aggregate.trim()}=${one.type === "rate" ? share(value) : aggregate.trim() === "count" && one.contains !== "data" ? String(value) : unit(one, value)}`;
}

function checkLines(
  root: Group,
  metrics: Readonly<Record<string, SummaryMetric>>,
  paint: Paint,
): string[] {
  const all = (one: Group): readonly SummaryCheck[] => [
    ...(one.checks ?? []),
    ...(one.groups ?? []).flatMap(all),
  ];
  const list = all(root);
  if (list.length === 0) return [];
  const passes = list.reduce((sum, one) => sum + one.passes, 0);
  const total = passes + list.reduce((sum, one) => sum + one.fails, 0);
  const overall = metrics["checks"]?.values["rate"] ?? (total === 0 ? 0 : passes / total);
  const iterations = metrics["iterations"]?.values;
  const lastedS = iterations?.["rate"] ? (iterations["count"] ?? 0) / iterations["rate"] : null;
  return [
    `    checks_total.......: ${total}${lastedS === null ? "" : ` ${plainNumber(total / lastedS)}/s`}`,
    `    checks_succeeded...: ${share(overall)} ${passes} out of ${total}`,
    `    checks_failed......: ${share(1 - overall)} ${total - passes} out of ${total}`,
    "",
    ...groupLines(root, "    ", paint),
    "",
  ];
}

function groupLines(one: Group, indent: string, paint: Paint): string[] {
  const own = (one.checks ?? []).flatMap(({ name, passes, fails }) => {
    const ok = fails === 0;
    const line = `${indent}${paint(ok, `${ok ? "✓" : "✗"} ${plainLine(name)}`)}`;
    return ok
      ? [line]
      : [
          line,
          `${indent}${paint(false, ` ↳  ${Math.floor((passes / Math.max(1, passes + fails)) * 100)}% — ✓ ${passes} / ✗ ${fails}`)}`,
        ];
  });
  const inner = (one.groups ?? []).flatMap((child) => [
    "",
    `${indent}█ ${plainLine(child.name)}`,
    "",
    ...groupLines(child, `${indent}  `, paint),
  ]);
  return [...own, ...inner];
}

/**
 * The text k6 prints at the end of a test.
 * @param summary handleSummary's data, as in summary.json
 * @throws StampedeError("internal") when it has not that shape
 */
export function summaryText(summary: unknown, options: { readonly color?: boolean } = {}): string {
  const parsed = summarySchema.safeParse(summary);
  if (!parsed.success)
    throw new StampedeError(
      "internal",
      `the summary must have the shape of k6's handleSummary data: ${z.prettifyError(parsed.error)}`,
    );
  const { metrics, root_group: root } = parsed.data;
  const trendStats = parsed.data.options?.summaryTrendStats ?? [
    "avg",
    "min",
    "med",
    "max",
    "p(90)",
    "p(95)",
  ];
  const paint: Paint = (ok, text) =>
    options.color === true
      ? styleText(ok ? "green" : "red", text, { validateStream: false })
      : text;
  const names = Object.keys(metrics)
    .filter((name) => name !== "checks" && !name.startsWith("checks{"))
    .toSorted();
  const cells = Math.max(20, ...names.map((name) => width(labelOf(plainLine(name))))) + 3;
  const section = (title: string): string[] => {
    const lines = names.flatMap((name) => {
      const one = metrics[name];
      return one === undefined || sectionOf(name) !== title
        ? []
        : [`    ${dotted(labelOf(plainLine(name)), cells)}${valuesText(one, trendStats)}`];
    });
    return lines.length === 0 ? [] : [`    ${title}`, ...lines, ""];
  };
  return [
    ...thresholdLines(metrics, paint),
    "  █ TOTAL RESULTS ",
    "",
    ...checkLines(root, metrics, paint),
    ...["CUSTOM", "HTTP", "EXECUTION", "NETWORK", "WEBSOCKET"].flatMap(section),
  ].join("\n");
}
