/** A metric and those of its sub-metrics that a threshold asks for; a sample goes to each whose tags it carries. */
import { makeSink, type Contains, type MetricType, type Sink } from "./sink.ts";

/** The tags of a sample, asked one by one: most samples are never asked, so nothing is built for them. */
export interface TagSource {
  tag(name: string): string | undefined;
}

/** Tags that stand in an object, over those of another source. */
export class RecordTags implements TagSource {
  readonly #tags: Readonly<Record<string, string>>;
  readonly #base: TagSource | null;

  constructor(tags: Readonly<Record<string, string>>, base: TagSource | null = null) {
    this.#tags = tags;
    this.#base = base;
  }

  tag(name: string): string | undefined {
    return this.#tags[name] ?? this.#base?.tag(name);
  }
}

export const NO_TAGS: TagSource = new RecordTags({});

export interface SubMetric {
  readonly key: string;
  readonly tags: readonly (readonly [string, string])[];
  readonly sink: Sink;
}

export class Metric {
  readonly name: string;
  readonly type: MetricType;
  readonly contains: Contains;
  readonly sink: Sink;
  readonly subMetrics: SubMetric[] = [];

  constructor(name: string, type: MetricType, contains: Contains = "default") {
    this.name = name;
    this.type = type;
    this.contains = contains;
    this.sink = makeSink(type);
  }

  add(value: number, tags: TagSource): void {
    this.sink.add(value);
    for (const sub of this.subMetrics) if (carries(tags, sub.tags)) sub.sink.add(value);
  }

  /** The sink of a sub-metric, made at the first call. */
  subMetric(key: string, tags: readonly (readonly [string, string])[]): SubMetric {
    const known = this.subMetrics.find((sub) => sub.key === key);
    if (known !== undefined) return known;
    const made = { key, tags, sink: makeSink(this.type) };
    this.subMetrics.push(made);
    return made;
  }
}

function carries(tags: TagSource, wanted: readonly (readonly [string, string])[]): boolean {
  for (const [name, value] of wanted) if ((tags.tag(name) ?? "") !== value) return false;
  return true;
}
