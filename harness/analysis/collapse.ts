/**
 * Collapse (faults.md): G < 0.5·min(λ, G_B) for at least 5 s. Its depth is 1 − min G/min(λ, μ), so that perfect
 * shedding has depth 0. G and λ are sums over one second, sliding by a bucket: over a single bucket of 100 ms chance
 * alone would halve them.
 */
import {
  amplification,
  bucketAt,
  PER_S,
  rateOver,
  rolling,
  sumOver,
  type Series,
  type Span,
} from "./series.ts";

/** Goodput below this share of min(λ, G_B) … */
export const COLLAPSE_SHARE = 0.5;
/** … for this long is a collapse. */
export const COLLAPSE_S = 5;
/** Windows with fewer arrivals than this say nothing about a ratio. */
const LEAST_ARRIVALS = 5;

export interface CollapseScan {
  readonly collapsed: boolean;
  /** Start of the first stretch of 5 s, seconds since T0. */
  readonly beganS: number | null;
  /** How far the worst stretch of 5 s is from the line: |best second in it ÷ line − 1|, the smallest such best second. */
  readonly margin: number | null;
}

/** Searches a span for the first collapse. `baselinePerS` is G_B. */
export function scanCollapse(series: Series, span: Span, baselinePerS: number): CollapseScan {
  const good = rolling(series.good, PER_S);
  const offered = rolling(series.offered, PER_S);
  const from = Math.max(0, bucketAt(span.startS));
  const to = Math.min(good.length, bucketAt(span.endS) - PER_S + 1);
  // Seconds that start within the first 4 s of a stretch of 5 s lie wholly inside it.
  const stretch = (COLLAPSE_S - 1) * PER_S + 1;
  const ratio = (i: number): number => {
    const line = COLLAPSE_SHARE * Math.min(offered[i] ?? 0, baselinePerS);
    return line > 0 ? (good[i] ?? 0) / line : Number.POSITIVE_INFINITY;
  };
  let low = 0;
  let beganS: number | null = null;
  let worst = Number.POSITIVE_INFINITY;
  const recent: number[] = [];
  for (let i = from; i < to; i++) {
    const r = ratio(i);
    low = r < 1 ? low + 1 : 0;
    if (low >= stretch) beganS ??= (i - stretch + 1) / PER_S;
    recent.push(r);
    if (recent.length > stretch) recent.shift();
    if (recent.length === stretch) worst = Math.min(worst, Math.max(...recent));
  }
  return {
    collapsed: beganS !== null,
    beganS,
    margin: Number.isFinite(worst) ? Math.abs(worst - 1) : null,
  };
}

/**
 * 1 − min G/min(λ, μ) over the seconds of a span, from 0 to 1; null when no second had arrivals to speak of. min(λ, μ)
 * is taken bucket by bucket: in a second that lies half before and half in a surge, nobody could have served the mean.
 */
export function collapseDepth(series: Series, span: Span, capacityPerS: number): number | null {
  const good = rolling(series.good, PER_S);
  const offered = rolling(series.offered, PER_S);
  const servable = rolling(
    series.offered.map((arrivals) => Math.min(arrivals, capacityPerS / PER_S)),
    PER_S,
  );
  const to = Math.min(good.length, bucketAt(span.endS) - PER_S + 1);
  let least: number | null = null;
  for (let i = Math.max(0, bucketAt(span.startS)); i < to; i++) {
    if ((offered[i] ?? 0) < LEAST_ARRIVALS) continue;
    least = Math.min(least ?? Number.POSITIVE_INFINITY, (good[i] ?? 0) / (servable[i] ?? 0));
  }
  return least === null ? null : Math.min(1, Math.max(0, 1 - least));
}

/** Sum over whole seconds of f(arrivals in that second); the last second may be shorter. */
function sumSeconds(
  series: Series,
  span: Span,
  f: (arrivals: number, lengthS: number) => number,
): number {
  let sum = 0;
  for (let startS = span.startS; startS < span.endS; startS++) {
    const endS = Math.min(startS + 1, span.endS);
    sum += f(sumOver(series.offered, { startS, endS }), endS - startS);
  }
  return sum;
}

export interface Lost {
  /** Intents not good. */
  readonly intents: number;
  /** Those beyond what even a service working at μ throughout would have lost: intents − Σ(λ − μ)⁺; null without μ. */
  readonly avoidable: number | null;
}

/** Lost intents of a span, by their arrival. */
export function lostOver(series: Series, span: Span, capacityPerS: number | null): Lost {
  const intents = sumOver(series.offered, span) - sumOver(series.good, span);
  if (capacityPerS === null) return { intents, avoidable: null };
  const unavoidable = sumSeconds(series, span, (arrivals, lengthS) =>
    Math.max(0, arrivals - capacityPerS * lengthS),
  );
  return { intents, avoidable: Math.max(0, Math.round(intents - unavoidable)) };
}

/** ΣG ÷ Σ min(λ, μ) over a span: the share of what could be served that was. NaN when nobody came. */
export function shareOfServable(series: Series, span: Span, capacityPerS: number): number {
  const servable = sumSeconds(series, span, (arrivals, lengthS) =>
    Math.min(arrivals, capacityPerS * lengthS),
  );
  return sumOver(series.good, span) / servable;
}

/** The highest amplification (attempts ÷ intents, by arrival) over any 5 s of a span; null when nobody started an intent. */
export function amplificationMax(series: Series, span: Span): number | null {
  let highest: number | null = null;
  for (
    let startS = span.startS;
    startS === span.startS || startS + COLLAPSE_S <= span.endS;
    startS += 1 / PER_S
  ) {
    const a = amplification(series, { startS, endS: Math.min(startS + COLLAPSE_S, span.endS) });
    if (a > (highest ?? 0)) highest = a;
  }
  return highest;
}

/** The span with the highest arrival rate; the longest of equals. */
export function peakOf(series: Series, spans: readonly Span[]): Span | null {
  const rate = (span: Span): number => rateOver(series.offered, span) || 0;
  return (
    spans.toSorted((a, b) => rate(b) - rate(a) || b.endS - b.startS - (a.endS - a.startS))[0] ??
    null
  );
}
