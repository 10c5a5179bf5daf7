/**
 * "Served well up to X per second": the one figure the forecast is held against, from one run.
 *
 * X is the highest number of good answers per second over any two seconds in which at least 95 % of the customers whom
 * the service did not openly turn away were good. A service that sheds at twice its capacity and serves the rest well
 * has shown that it serves its capacity; those it told "come back" do not count as served, so X is never above what was
 * really delivered. Two rates are refused on purpose:
 * - a second's worth that a queue merely swallowed before everything broke: in a run that collapsed only the time before
 *   the trigger counts, for the rate that broke the service was not served well;
 * - anything extrapolated: X is a rate that was seen, for two seconds, and says nothing of longer ones.
 */
import { bucketAt, PER_S, rolling, type Series, type Span } from "./series.ts";
import { SERVED_SHARE } from "./recovery.ts";

/** How long a rate must be seen. */
export const SEEN_S = 2;

/** X over the windows that lie wholly inside a span; null when none was served well. */
export function servedWellPerS(series: Series, span: Span): number | null {
  const width = SEEN_S * PER_S;
  const offered = rolling(series.offered, width);
  const good = rolling(series.good, width);
  const refused = rolling(series.refused, width);
  let best: number | null = null;
  for (
    let i = Math.max(0, bucketAt(span.startS));
    i < Math.min(good.length, bucketAt(span.endS) - width + 1);
    i++
  ) {
    const served = good[i] ?? 0;
    const admitted = (offered[i] ?? 0) - (refused[i] ?? 0);
    if (served > 0 && served >= SERVED_SHARE * admitted && served / SEEN_S > (best ?? 0))
      best = served / SEEN_S;
  }
  return best;
}

/** X ÷ forecast − 1: +0.25 is a quarter to spare, −0.5 serves half of those expected. Null when either is unknown. */
export function headroom(servedWell: number | null, expectPeakPerS: number | null): number | null {
  return servedWell === null || expectPeakPerS === null || expectPeakPerS <= 0
    ? null
    : servedWell / expectPeakPerS - 1;
}
