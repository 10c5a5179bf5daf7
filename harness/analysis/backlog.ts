/**
 * The backlog at the end of a watch and whether it shrinks. The service's own queue depth where it said one; else
 * attempts sent − answered, an upper bound (abandoned attempts never leave it), and the verdict says so.
 */
import { bucketAt, PER_S, type Series, type Span } from "./series.ts";

export interface Backlog {
  readonly source: "queue" | "bound";
  /** Least-squares slope, requests per second. */
  readonly slopePerS: number;
  /** A fall that the scatter of the points cannot explain: slope below −2 standard errors. */
  readonly shrinking: boolean;
  /** Mean over the last second that has a reading. */
  readonly last: number;
}

interface Point {
  readonly s: number;
  readonly depth: number;
}

/** One point a second, the mean of its readings: neighbouring buckets say the same thing ten times over. */
function perSecond(values: Float64Array, span: Span): Point[] {
  const points: Point[] = [];
  const end = Math.min(bucketAt(span.endS), values.length);
  for (
    let from = Math.max(0, end - Math.floor(span.endS - span.startS) * PER_S);
    from < end;
    from += PER_S
  ) {
    const readings = values
      .subarray(from, Math.min(end, from + PER_S))
      .filter((v) => !Number.isNaN(v));
    if (readings.length > 0)
      points.push({
        s: from / PER_S,
        depth: readings.reduce((a, b) => a + b, 0) / readings.length,
      });
  }
  return points;
}

/** Slope and its standard error of a straight line through the points (ordinary least squares). */
export function fitLine(points: readonly Point[]): { slope: number; error: number } {
  const n = points.length;
  const meanS = points.reduce((sum, p) => sum + p.s, 0) / n;
  const mean = points.reduce((sum, p) => sum + p.depth, 0) / n;
  const sxx = points.reduce((sum, p) => sum + (p.s - meanS) ** 2, 0);
  const slope = points.reduce((sum, p) => sum + (p.s - meanS) * (p.depth - mean), 0) / sxx;
  const residual = points.reduce(
    (sum, p) => sum + (p.depth - mean - slope * (p.s - meanS)) ** 2,
    0,
  );
  return { slope, error: n > 2 ? Math.sqrt(residual / (n - 2) / sxx) : Number.POSITIVE_INFINITY };
}

/** The backlog's course over a span; null when fewer than 3 seconds of it are known. */
export function backlogOver(series: Series, span: Span): Backlog | null {
  const told = perSecond(series.queueDepth, span);
  const enough = told.length >= 3 && told.length >= (span.endS - span.startS) / 2;
  const points = enough ? told : perSecond(series.backlogBound, span);
  const last = points.at(-1);
  if (last === undefined || points.length < 3) return null;
  const { slope, error } = fitLine(points);
  return {
    source: enough ? "queue" : "bound",
    slopePerS: slope,
    shrinking: slope < -2 * error && slope < -1e-9,
    last: last.depth,
  };
}
