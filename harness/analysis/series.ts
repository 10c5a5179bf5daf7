/**
 * The curves of a run in buckets of 100 ms, and nothing else: what goodput.ts computes from a run folder, what the
 * verdicts of this folder are pure functions of, and what a simulation can fill in just as well.
 */
import { LatencyBins } from "./latency-bins.ts";

/** Width of a bucket. */
export const BUCKET_MS = 100;
/** Buckets in a second. */
export const PER_S: number = 1000 / BUCKET_MS;

/**
 * One value per bucket; bucket i covers [i·100, (i+1)·100) ms since T0. NaN stands for "nothing was measured".
 * Columns marked ⟵arrival are binned by the iteration's intended arrival, so that good ≤ offered in every bucket
 * and a healthy service shows no invented losses; columns marked ⟵sent by the moment an attempt was sent.
 */
export interface Series {
  readonly buckets: number;
  /** Name of the phase at the bucket's start; "" before the first, "drain" after the last. */
  readonly phase: readonly string[];
  /** ⟵arrival. λ: iterations meant to hold an intent of the goodput kinds, dropped ones included. */
  readonly offered: Float64Array;
  /** ⟵arrival. Iterations all of whose goodput intents got a final correct answer within the customer's deadline. */
  readonly good: Float64Array;
  /** ⟵arrival. `good` less those with an intent that the books contradict later. */
  readonly kept: Float64Array;
  /** ⟵arrival. Goodput intents that were started. */
  readonly intents: Float64Array;
  /** ⟵arrival. Attempts that those intents took: tries ÷ intents is the amplification, never above 1 + retries. */
  readonly tries: Float64Array;
  /** ⟵arrival. Iterations that were told "no" each time: every attempt definitely refused, none answered finally. */
  readonly refused: Float64Array;
  /** ⟵arrival. Iterations nobody answered: an intent's last attempt timed out or was cut off. */
  readonly unanswered: Float64Array;
  /** ⟵sent. Attempts of the goodput kinds, and how many of them were a second or later one. */
  readonly attempts: Float64Array;
  readonly retries: Float64Array;
  /** ⟵sent. Their outcomes; ok + fail + info = attempts. */
  readonly ok: Float64Array;
  readonly fail: Float64Array;
  readonly info: Float64Array;
  /** ⟵arrival. Milliseconds from the intended start to the final correct answer (a late one too); exact quantiles. */
  readonly p50Ms: Float64Array;
  readonly p99Ms: Float64Array;
  /** The same latencies as counts per bin, so that windows of any width have a quantile. */
  readonly latency: LatencyBins;
  /** Attempts of the whole crowd that the client still waited for at the bucket's end. */
  readonly inFlight: Float64Array;
  /** The service's own last word on "accepted and not answered" within the bucket; NaN when it said nothing. */
  readonly queueDepth: Float64Array;
  /** Attempts sent and never answered up to the bucket's end: an upper bound of what the service may still hold. */
  readonly backlogBound: Float64Array;
  /** Goodput intents whose iteration has no arrival row: data that should be there and is not. */
  readonly orphans: number;
}

/** The columns that hold one number a bucket. */
export const SERIES_COUNTS = [
  "offered",
  "good",
  "kept",
  "intents",
  "tries",
  "refused",
  "unanswered",
  "attempts",
  "retries",
  "ok",
  "fail",
  "info",
  "inFlight",
  "backlogBound",
] as const;
const SERIES_MEASURES = ["p50Ms", "p99Ms", "queueDepth"] as const;

/** A series of zeros (NaN where a value is a measurement), to be filled in. */
export function emptySeries(buckets: number, phase: readonly string[]): Series {
  const counts = Object.fromEntries(SERIES_COUNTS.map((name) => [name, new Float64Array(buckets)]));
  const measures = Object.fromEntries(
    SERIES_MEASURES.map((name) => [name, new Float64Array(buckets).fill(Number.NaN)]),
  );
  return {
    buckets,
    phase,
    latency: new LatencyBins(buckets),
    orphans: 0,
    ...counts,
    ...measures,
  } as Series;
}

/** Half-open span of time, seconds since T0. */
export interface Span {
  readonly startS: number;
  readonly endS: number;
}

/** The bucket a moment falls into; moments on a boundary belong to the later bucket. */
export function bucketAt(seconds: number): number {
  return Math.round(seconds * PER_S);
}

/** Sum of a column over a span, clipped to the series. */
export function sumOver(values: Float64Array, span: Span): number {
  let sum = 0;
  const end = Math.min(bucketAt(span.endS), values.length);
  for (let i = Math.max(0, bucketAt(span.startS)); i < end; i++) sum += values[i] ?? 0;
  return sum;
}

/** Mean per second of a column over a span; NaN when the span is empty. */
export function rateOver(values: Float64Array, span: Span): number {
  const seconds =
    (Math.min(bucketAt(span.endS), values.length) - Math.max(0, bucketAt(span.startS))) / PER_S;
  return seconds > 0 ? sumOver(values, span) / seconds : Number.NaN;
}

/** Rolling sums: element i is the sum of buckets i … i+width−1; shorter than the input by width−1. */
export function rolling(values: Float64Array, width: number): Float64Array {
  const sums = new Float64Array(Math.max(0, values.length - width + 1));
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i] ?? 0;
    if (i >= width) sum -= values[i - width] ?? 0;
    if (i >= width - 1) sums[i - width + 1] = sum;
  }
  return sums;
}

/** Attempts ÷ intents of the customers who arrived in the span; NaN when none started an intent. */
export function amplification(series: Series, span: Span): number {
  return sumOver(series.tries, span) / sumOver(series.intents, span);
}
