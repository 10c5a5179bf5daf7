/** What each of k6's four metric types keeps of its values: bounded, mergeable, never a list. */
import { ValueHistogram } from "./value-histogram.ts";

export type MetricType = "counter" | "gauge" | "rate" | "trend";
export type Contains = "default" | "time" | "data";

export interface Sink {
  add(value: number): void;
  readonly empty: boolean;
  /** A threshold's left side; null when the type has no such aggregate. @param elapsedS length of the run so far */
  aggregate(name: string, percentile: number, elapsedS: number): number | null;
  /** The `values` of handleSummary. */
  values(trendStats: readonly string[], elapsedS: number): Record<string, number>;
}

class CounterSink implements Sink {
  empty = true;
  #count = 0;

  add(value: number): void {
    this.empty = false;
    this.#count += value;
  }

  aggregate(name: string, _percentile: number, elapsedS: number): number | null {
    if (name === "count") return this.#count;
    return name === "rate" ? perSecond(this.#count, elapsedS) : null;
  }

  values(_stats: readonly string[], elapsedS: number): Record<string, number> {
    return { count: this.#count, rate: perSecond(this.#count, elapsedS) };
  }
}

class GaugeSink implements Sink {
  empty = true;
  #value = 0;
  #min = 0;
  #max = 0;

  add(value: number): void {
    this.#value = value;
    this.#min = this.empty ? value : Math.min(this.#min, value);
    this.#max = this.empty ? value : Math.max(this.#max, value);
    this.empty = false;
  }

  aggregate(name: string): number | null {
    return name === "value" ? this.#value : null;
  }

  values(): Record<string, number> {
    return { value: this.#value, min: this.#min, max: this.#max };
  }
}

class RateSink implements Sink {
  #passes = 0;
  #total = 0;

  get empty(): boolean {
    return this.#total === 0;
  }

  add(value: number): void {
    this.#total += 1;
    if (value !== 0) this.#passes += 1;
  }

  aggregate(name: string): number | null {
    return name === "rate" ? this.#rate : null;
  }

  get #rate(): number {
    return this.#total === 0 ? 0 : this.#passes / this.#total;
  }

  values(): Record<string, number> {
    return { rate: this.#rate, passes: this.#passes, fails: this.#total - this.#passes };
  }
}

class TrendSink implements Sink {
  readonly histogram = new ValueHistogram();

  get empty(): boolean {
    return this.histogram.count === 0;
  }

  add(value: number): void {
    this.histogram.add(value);
  }

  aggregate(name: string, percentile: number): number | null {
    const { histogram } = this;
    switch (name) {
      case "avg":
        return histogram.average;
      case "min":
        return this.empty ? 0 : histogram.min;
      case "max":
        return this.empty ? 0 : histogram.max;
      case "med":
        return histogram.valueAt(50);
      case "p":
        return histogram.valueAt(percentile);
      default:
        return null;
    }
  }

  values(stats: readonly string[]): Record<string, number> {
    return Object.fromEntries(
      stats.map((stat) => [
        stat,
        stat === "count"
          ? this.histogram.count
          : (this.aggregate(stat.startsWith("p(") ? "p" : stat, Number(stat.slice(2, -1))) ?? 0),
      ]),
    );
  }
}

const perSecond = (count: number, elapsedS: number): number =>
  elapsedS > 0 ? count / elapsedS : 0;

const AGGREGATES: Readonly<Record<MetricType, readonly string[]>> = {
  counter: ["count", "rate"],
  gauge: ["value"],
  rate: ["rate"],
  trend: ["avg", "min", "max", "med", "p"],
};

/** The aggregates a threshold may use on a metric of this type. */
export function aggregatesOf(type: MetricType): readonly string[] {
  return AGGREGATES[type];
}

const SINKS: Readonly<Record<MetricType, () => Sink>> = {
  counter: () => new CounterSink(),
  gauge: () => new GaugeSink(),
  rate: () => new RateSink(),
  trend: () => new TrendSink(),
};

export function makeSink(type: MetricType): Sink {
  return SINKS[type]();
}
