/** The `metrics` of k6's handleSummary data. */
import type { Metric } from "./metric.ts";
import type { MetricRegistry } from "./registry.ts";
import type { Sink } from "./sink.ts";
import type { Thresholds } from "./thresholds.ts";

/** Metrics that saw a value or have a threshold; sub-metrics beside them under their keys. */
export function summaryMetrics(
  registry: MetricRegistry,
  thresholds: Thresholds,
  trendStats: readonly string[],
  elapsedS: number,
): Record<string, unknown> {
  const metrics: Record<string, unknown> = {};
  const add = (key: string, metric: Metric, sink: Sink): void => {
    const limits = thresholds.summaryOf(key, elapsedS);
    const values = sink.values(trendStats, elapsedS);
    // The engine counts drops from the first moment, so that a threshold on none of them can hold; k6 shows no zero.
    const silent = sink.empty || (metric === registry.droppedIterations && values["count"] === 0);
    if (silent && limits === undefined) return;
    metrics[key] = {
      type: metric.type,
      contains: metric.contains,
      values,
      ...(limits === undefined ? {} : { thresholds: limits }),
    };
  };
  for (const metric of registry.all()) {
    add(metric.name, metric, metric.sink);
    for (const sub of metric.subMetrics) add(sub.key, metric, sub.sink);
  }
  return metrics;
}
