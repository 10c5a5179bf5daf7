/** k6's threshold expressions and keys, parsed: `p(95)<500` on `http_req_duration{phase:surge}`. Pure. */
import { isRecord } from "../options/option-reader.ts";
import { parseDurationMs } from "../options/duration.ts";

export type Comparison = "<" | "<=" | ">" | ">=" | "==" | "!=";

export interface ThresholdExpression {
  readonly source: string;
  /** count, rate, value, avg, min, max, med, or p. */
  readonly aggregate: string;
  /** The N of p(N), else 0. */
  readonly percentile: number;
  readonly comparison: Comparison;
  readonly limit: number;
  readonly abortOnFail: boolean;
  /** From T0. */
  readonly delayAbortEvalMs: number;
}

/** One key of `options.thresholds`. */
export interface ThresholdKey {
  /** As written. */
  readonly key: string;
  readonly metric: string;
  /** Tag → value of a sub-metric; empty for the metric itself. */
  readonly tags: readonly (readonly [string, string])[];
  readonly expressions: readonly ThresholdExpression[];
}

const EXPRESSION =
  /^\s*(count|rate|value|avg|min|max|med|p\(\s*(\d+(?:\.\d+)?)\s*\))\s*(<=|>=|===|==|!=|<|>)\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*$/;

/** An expression, or null when it is not `aggregate op number`. */
export function parseExpression(
  source: string,
): Omit<ThresholdExpression, "abortOnFail" | "delayAbortEvalMs"> | null {
  const found = EXPRESSION.exec(source);
  if (found === null) return null;
  const [, aggregate = "", percentile, comparison = "", limit] = found;
  const parsed = {
    source,
    aggregate: percentile === undefined ? aggregate : "p",
    percentile: Number(percentile ?? 0),
    comparison: (comparison === "===" ? "==" : comparison) as Comparison,
    limit: Number(limit),
  };
  return parsed.percentile <= 100 ? parsed : null;
}

/** `metric` or `metric{tag:value,tag2:v}`; null when the braces do not match or a part has no colon. */
export function parseKey(key: string): Pick<ThresholdKey, "metric" | "tags"> | null {
  const open = key.indexOf("{");
  if (open === -1) return { metric: key.trim(), tags: [] };
  if (!key.endsWith("}")) return null;
  const tags: [string, string][] = [];
  for (const part of key.slice(open + 1, -1).split(",")) {
    const colon = part.indexOf(":");
    if (colon <= 0) return null;
    tags.push([unquote(part.slice(0, colon)), unquote(part.slice(colon + 1))]);
  }
  return { metric: key.slice(0, open).trim(), tags };
}

const unquote = (text: string): string => text.trim().replace(/^(["'])(.*)\1$/, "$2");

function readExpression(where: string, item: unknown, problems: string[]): ThresholdExpression[] {
  const fields = isRecord(item) ? item : { threshold: item };
  const source = fields["threshold"];
  const parsed = typeof source === "string" ? parseExpression(source) : null;
  if (parsed === null) {
    problems.push(
      `${where}: expected an expression like "p(95)<500"; got ${JSON.stringify(source)}`,
    );
    return [];
  }
  for (const name of Object.keys(fields)) {
    if (!["threshold", "abortOnFail", "delayAbortEval"].includes(name))
      problems.push(
        `${where}.${name}: unknown option; known here: threshold, abortOnFail, delayAbortEval`,
      );
  }
  const delay =
    fields["delayAbortEval"] === undefined || fields["delayAbortEval"] === null
      ? 0
      : parseDurationMs(fields["delayAbortEval"]);
  if (delay === null)
    problems.push(
      `${where}.delayAbortEval: expected a duration like "10s"; got ${JSON.stringify(fields["delayAbortEval"])}`,
    );
  return [{ ...parsed, abortOnFail: fields["abortOnFail"] === true, delayAbortEvalMs: delay ?? 0 }];
}

/** `options.thresholds`: an object of metric key → expression, or list of expressions and objects. */
export function readThresholds(source: unknown, problems: string[]): readonly ThresholdKey[] {
  if (source === undefined || source === null) return [];
  if (!isRecord(source)) {
    problems.push("thresholds: expected an object of metric: [expressions]");
    return [];
  }
  return Object.entries(source).flatMap(([key, value]) => {
    const where = `thresholds.${key}`;
    const parsed = parseKey(key);
    if (parsed === null) {
      problems.push(`${where}: expected metric or metric{tag:value}`);
      return [];
    }
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return [
      {
        key,
        ...parsed,
        expressions: items.flatMap((item) => readExpression(where, item, problems)),
      },
    ];
  });
}

const COMPARE: Readonly<Record<Comparison, (left: number, right: number) => boolean>> = {
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
  "==": (left, right) => left === right,
  "!=": (left, right) => left !== right,
};

/** Whether `observed comparison limit` holds. */
export function holds(observed: number, comparison: Comparison, limit: number): boolean {
  return COMPARE[comparison](observed, limit);
}
