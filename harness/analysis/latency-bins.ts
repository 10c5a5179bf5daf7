/**
 * Latencies as counts in bins that are 1 % apart, one sparse row per time bucket: memory depends on the length of the
 * run and not on the number of customers, and rows add up to a quantile over any window, within 1 %.
 */

const RATIO = 1.01;
/** Everything up to this falls into bin 0. */
const SMALLEST_MS = 0.1;
/** Bins up to about 100 minutes. */
export const BINS: number = Math.ceil(Math.log(6e6 / SMALLEST_MS) / Math.log(RATIO));

/** Bin of a latency; one beyond the last bin's edge is counted in the last. */
export function binOf(ms: number): number {
  return ms <= SMALLEST_MS
    ? 0
    : Math.min(BINS - 1, Math.ceil(Math.log(ms / SMALLEST_MS) / Math.log(RATIO)));
}

/** Upper edge of a bin, ms: a quantile is never told shorter than it was. */
export function edgeMs(bin: number): number {
  return SMALLEST_MS * RATIO ** bin;
}

/** The same bin in DuckDB's SQL, for a column of milliseconds. */
export function binSql(ms: string): string {
  return `CASE WHEN ${ms} <= ${SMALLEST_MS} THEN 0 ELSE least(${BINS - 1}, CAST(ceil(ln(${ms} / ${SMALLEST_MS}) / ln(${RATIO})) AS INTEGER)) END`;
}

/** A row per time bucket, added to in any order. */
export class LatencyBins {
  readonly #rows: (Map<number, number> | undefined)[];

  constructor(buckets: number) {
    this.#rows = Array.from({ length: buckets });
  }

  /** Counts a latency (ms) in a bucket. */
  add(bucket: number, ms: number): void {
    this.addBin(bucket, binOf(ms), 1);
  }

  addBin(bucket: number, bin: number, count: number): void {
    const row = (this.#rows[bucket] ??= new Map<number, number>());
    row.set(bin, (row.get(bin) ?? 0) + count);
  }

  /** Adds the bucket's counts, times `sign`, to a dense histogram; returns how many values that were. */
  into(histogram: Float64Array, bucket: number, sign: 1 | -1): number {
    let total = 0;
    for (const [bin, count] of this.#rows[bucket] ?? []) {
      histogram[bin] = (histogram[bin] ?? 0) + sign * count;
      total += count;
    }
    return sign * total;
  }
}

/** A window over consecutive buckets that moves forward in time; the quantile of everything in it. */
export class LatencyWindow {
  readonly #bins: LatencyBins;
  readonly #histogram = new Float64Array(BINS);
  #from = 0;
  #to = 0;
  #count = 0;

  constructor(bins: LatencyBins) {
    this.#bins = bins;
  }

  /** Covers buckets from … to−1; both may only grow. */
  moveTo(from: number, to: number): void {
    if (this.#from === this.#to) this.#from = this.#to = from;
    while (this.#to < to) this.#count += this.#bins.into(this.#histogram, this.#to++, 1);
    while (this.#from < from) this.#count += this.#bins.into(this.#histogram, this.#from++, -1);
  }

  get count(): number {
    return this.#count;
  }

  /**
   * The q-quantile, ms (nearest rank: the smallest value that at least q of all are not above). `beyond` values are
   * known to be longer than all others. NaN when there is nothing, Infinity when the rank falls among those beyond.
   */
  quantile(q: number, beyond = 0): number {
    return quantileOf(this.#histogram, this.#count, q, beyond);
  }
}

/** The quantile of a dense histogram that holds `count` values and of `beyond` more that are longer than all of them. */
export function quantileOf(
  histogram: ArrayLike<number>,
  count: number,
  q: number,
  beyond = 0,
): number {
  const total = count + beyond;
  if (total === 0) return Number.NaN;
  const rank = Math.max(1, Math.ceil(q * total));
  if (rank > count) return Number.POSITIVE_INFINITY;
  let seen = 0;
  for (let bin = 0; bin < BINS; bin++) {
    seen += histogram[bin] ?? 0;
    if (seen >= rank) return edgeMs(bin);
  }
  return Number.NaN;
}
