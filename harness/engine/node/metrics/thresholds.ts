/** Thresholds over the metrics of a run: checked against what exists, evaluated while it runs and at its end. */
import type { LimitVerdict } from "../../../history/run-folder.ts";
import type { Metric } from "./metric.ts";
import type { MetricRegistry } from "./registry.ts";
import { aggregatesOf, type Sink } from "./sink.ts";
import { holds, type ThresholdExpression, type ThresholdKey } from "./threshold-syntax.ts";

interface Watched {
  readonly key: ThresholdKey;
  readonly metric: Metric;
  readonly sink: Sink;
}

/** Every unknown metric and every aggregate its type does not have, one sentence each. */
export function thresholdProblems(
  keys: readonly ThresholdKey[],
  registry: MetricRegistry,
): string[] {
  return keys.flatMap((key) => {
    const metric = registry.get(key.metric);
    if (metric === undefined) return [`thresholds.${key.key}: no metric is named ${key.metric}`];
    const known = aggregatesOf(metric.type);
    return key.expressions
      .filter((expression) => !known.includes(expression.aggregate))
      .map(
        (expression) =>
          `thresholds.${key.key}: ${metric.name} is a ${metric.type} and has ${known.join(", ").replace(/\bp$/, "p(N)")}; got ${expression.source}`,
      );
  });
}

export class Thresholds {
  readonly #watched: readonly Watched[];

  /** Makes the sub-metrics the keys ask for; the keys must have no problems. */
  constructor(keys: readonly ThresholdKey[], registry: MetricRegistry) {
    this.#watched = keys.flatMap((key) => {
      const metric = registry.get(key.metric);
      if (metric === undefined) return [];
      return [
        {
          key,
          metric,
          sink: key.tags.length === 0 ? metric.sink : metric.subMetric(key.key, key.tags).sink,
        },
      ];
    });
  }

  /** Whether any threshold may end the run early. */
  get mayAbort(): boolean {
    return this.#watched.some(({ key }) =>
      key.expressions.some((expression) => expression.abortOnFail),
    );
  }

  /** The sentence of the first crossed threshold that ends the run, or null. */
  crossed(elapsedS: number): string | null {
    for (const watched of this.#watched) {
      for (const expression of watched.key.expressions) {
        if (!expression.abortOnFail || elapsedS * 1000 < expression.delayAbortEvalMs) continue;
        const verdict = judge(watched, expression, elapsedS);
        if (verdict.verdict === "fail")
          return `threshold ${verdict.name} ${verdict.expression} is crossed (${verdict.observed}) and has abortOnFail`;
      }
    }
    return null;
  }

  verdicts(elapsedS: number): readonly LimitVerdict[] {
    return this.#watched.flatMap((watched) =>
      watched.key.expressions.map((expression) => judge(watched, expression, elapsedS)),
    );
  }

  /** `{EXPR: {ok}}` of handleSummary for a metric or sub-metric; undefined when it has no threshold. */
  summaryOf(key: string, elapsedS: number): Readonly<Record<string, { ok: boolean }>> | undefined {
    const watched = this.#watched.filter((item) => item.key.key === key);
    if (watched.length === 0) return undefined;
    return Object.fromEntries(
      watched.flatMap((item) =>
        item.key.expressions.map((expression) => [
          expression.source,
          { ok: judge(item, expression, elapsedS).verdict === "pass" },
        ]),
      ),
    );
  }
}

/** An empty metric never passes (k6 passes it): nothing was seen, so nothing was shown. */
function judge(
  { key, sink }: Watched,
  expression: ThresholdExpression,
  elapsedS: number,
): LimitVerdict {
  const observed = sink.empty
    ? null
    : sink.aggregate(expression.aggregate, expression.percentile, elapsedS);
  if (observed === null)
    return {
      name: key.key,
      expression: expression.source,
      observed,
      verdict: "inconclusive",
      because: "no sample was recorded",
    };
  return {
    name: key.key,
    expression: expression.source,
    observed,
    verdict: holds(observed, expression.comparison, expression.limit) ? "pass" : "fail",
    because: null,
  };
}
