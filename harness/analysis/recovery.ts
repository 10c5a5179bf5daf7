/**
 * Recovered (faults.md): the first moment after the trigger's end from which, over W seconds, ΣG ≥ 0.95 Σλ and
 * p99 ≤ max(1.5·p99_B, p99_B + 100 ms). W is 10 s in short runs, 30 s otherwise.
 */
import { LatencyWindow } from "./latency-bins.ts";
import { bucketAt, PER_S, rolling, type Series, type Span } from "./series.ts";

/** Share of the arrivals that must be served well. */
export const SERVED_SHARE = 0.95;
/** A run whose schedule is at most this long is short. */
const SHORT_RUN_S = 180;

/** W for a schedule of this length, seconds. */
export function recoveryWindowS(scheduleS: number): number {
  return scheduleS <= SHORT_RUN_S ? 10 : 30;
}

/** p99 of the answered customers who arrived in the span, ms from their intended start; NaN when there were none. */
export function p99Over(series: Series, span: Span): number {
  const window = new LatencyWindow(series.latency);
  window.moveTo(Math.max(0, bucketAt(span.startS)), Math.min(series.buckets, bucketAt(span.endS)));
  return window.quantile(0.99);
}

/** The p99 that still counts as "as before". */
export function p99LimitMs(p99BaselineMs: number): number {
  return Math.max(1.5 * p99BaselineMs, p99BaselineMs + 100);
}

export interface Recovery {
  readonly windowS: number;
  /** Seconds after the trigger's end; null when it did not happen within the watch. */
  readonly recoveredAfterS: number | null;
  /** The same for ΣG ≥ 0.95 Σλ alone: customers are served again, perhaps slowly. */
  readonly goodputBackAfterS: number | null;
  /** Moments up to this many seconds after the trigger's end could be looked at; negative when the watch is shorter than W. */
  readonly searchedS: number;
  /**
   * Distance of the best window from the line, positive inside: the smaller of (5 % − not served)/5 % and
   * (limit − p99)/limit. A yes needs only one good window, so the best one is what would have to change.
   */
  readonly margin: number | null;
  /** Served share and p99 of that best window. */
  readonly best: { readonly servedShare: number; readonly p99Ms: number } | null;
  readonly p99BaselineMs: number;
  readonly p99LimitMs: number;
}

/** Looks through the watch for the first window that is as good as before. */
export function recovery(series: Series, watch: Span, baseline: Span, windowS: number): Recovery {
  const p99BaselineMs = p99Over(series, baseline);
  const limitMs = p99LimitMs(p99BaselineMs);
  const width = windowS * PER_S;
  const offered = rolling(series.offered, width);
  const good = rolling(series.good, width);
  const latency = new LatencyWindow(series.latency);
  const start = bucketAt(watch.startS);
  const last = Math.min(bucketAt(watch.endS), series.buckets) - width;
  let recoveredAt: number | null = null;
  let goodputBackAt: number | null = null;
  let margin: number | null = null;
  let best: Recovery["best"] = null;
  for (let i = start; i <= last; i++) {
    const lambda = offered[i] ?? 0;
    if (lambda === 0) continue; // nobody came: says nothing
    const servedShare = (good[i] ?? 0) / lambda;
    latency.moveTo(i, i + width);
    const p99Ms = latency.quantile(0.99);
    const lossMargin = (1 - SERVED_SHARE - (1 - servedShare)) / (1 - SERVED_SHARE);
    const latencyMargin = Number.isNaN(p99Ms)
      ? Number.NEGATIVE_INFINITY
      : (limitMs - p99Ms) / limitMs;
    // Where both fail, the loss tells more than a p99 over the few who were served.
    const score = lossMargin < 0 ? lossMargin : Math.min(lossMargin, latencyMargin);
    if (servedShare >= SERVED_SHARE) goodputBackAt ??= i;
    if (servedShare >= SERVED_SHARE && p99Ms <= limitMs) recoveredAt ??= i;
    if (margin === null || score > margin) {
      margin = score;
      best = { servedShare, p99Ms };
    }
  }
  const afterS = (bucket: number | null): number | null =>
    bucket === null ? null : (bucket - start) / PER_S;
  return {
    windowS,
    recoveredAfterS: afterS(recoveredAt),
    goodputBackAfterS: afterS(goodputBackAt),
    searchedS: (last - start) / PER_S,
    margin,
    best,
    p99BaselineMs,
    p99LimitMs: limitMs,
  };
}
