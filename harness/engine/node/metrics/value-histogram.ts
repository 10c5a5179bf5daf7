/**
 * Values of a Trend without keeping them: HdrHistogram buckets (hdr-histogram-js) of three significant digits, so a
 * percentile is off by at most 0.1 % of its value; count, sum, min and max are exact. Values are stored in units of
 * 0.001 (µs for times in ms): anything smaller counts as 0. Negative values are mirrored. Two histograms merge exactly.
 */
import { build, type Histogram } from "hdr-histogram-js";

const SCALE = 1000;
const SIGNIFICANT_DIGITS = 3;
/** The largest magnitude kept apart (≈ 146 years of ms); above it values share the last bucket. */
const LARGEST_UNITS = 2 ** 52;

/** 8 bytes a bucket so that no count can overflow; grows from small with the values that come. */
const emptyBuckets = (): Histogram =>
  build({
    bitBucketSize: 64,
    autoResize: true,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 2,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
  });

export class ValueHistogram {
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** Apart, because most connection timings are 0 and a bucket search for them is wasted. */
  #zeros = 0;
  #above: Histogram | null = null;
  #below: Histogram | null = null;

  add(value: number): void {
    this.count += 1;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const units = Math.min(LARGEST_UNITS, Math.round(Math.abs(value) * SCALE));
    if (units === 0) this.#zeros += 1;
    else if (value > 0) (this.#above ??= emptyBuckets()).recordValue(units);
    else (this.#below ??= emptyBuckets()).recordValue(units);
  }

  get average(): number {
    return this.count === 0 ? 0 : this.sum / this.count;
  }

  /** The value that `percentile` (0 … 100) of all values do not exceed; 0 when there is none. */
  valueAt(percentile: number): number {
    if (this.count === 0) return 0;
    const rank = Math.max(1, Math.ceil((percentile / 100) * this.count - 1e-9));
    const below = this.#below?.totalCount ?? 0;
    const value =
      rank <= below
        ? -fromRank(this.#below, below - rank + 1)
        : rank <= below + this.#zeros
          ? 0
          : fromRank(this.#above, rank - below - this.#zeros);
    return Math.min(this.max, Math.max(this.min, value));
  }

  merge(other: ValueHistogram): void {
    this.count += other.count;
    this.sum += other.sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    this.#zeros += other.#zeros;
    if (other.#above !== null) (this.#above ??= emptyBuckets()).add(other.#above);
    if (other.#below !== null) (this.#below ??= emptyBuckets()).add(other.#below);
  }
}

function fromRank(buckets: Histogram | null, rank: number): number {
  return buckets === null || buckets.totalCount === 0
    ? 0
    : buckets.getValueAtPercentile((100 * rank) / buckets.totalCount) / SCALE;
}
