/** Literal curves for tests: a list of stretches with even rates becomes a Series and the Course that belongs to it. */
import type { FaultRecord } from "../history/operation.ts";
import type { Phase } from "../history/run-folder.ts";
import { courseOf, type Course } from "./course.ts";
import { emptySeries, PER_S, type Series } from "./series.ts";

export interface Stretch {
  readonly name: string;
  readonly role: Phase["role"];
  readonly forS: number;
  /** Arrivals, and how many of them are good, per second; the others are unanswered unless `refused` says else. */
  readonly offered: number;
  readonly good: number;
  readonly refused?: number;
  /** Latency of the good ones, ms. */
  readonly ms?: number;
  /** Attempts per intent. */
  readonly tries?: number;
  /** The service's own queue at second s of the stretch; absent: it says nothing. */
  readonly queue?: (s: number) => number;
  /** Attempts sent and never answered, per second. */
  readonly unansweredTries?: number;
}

/** Whole counts per bucket that add up to the rate. */
const evenly = (perS: number, bucket: number): number =>
  Math.round((perS * (bucket + 1)) / PER_S) - Math.round((perS * bucket) / PER_S);

const add = (column: Float64Array, i: number, value: number): void => {
  column[i] = (column[i] ?? 0) + value;
};

export function curves(stretches: readonly Stretch[]): Series {
  const buckets = stretches.reduce((sum, s) => sum + Math.round(s.forS * PER_S), 0);
  const series = emptySeries(
    buckets,
    stretches.flatMap((s) =>
      Array.from<string>({ length: Math.round(s.forS * PER_S) }).fill(s.name),
    ),
  );
  let at = 0;
  let bound = 0;
  for (const stretch of stretches) {
    for (let i = 0; i < Math.round(stretch.forS * PER_S); i++, at++) {
      const offered = evenly(stretch.offered, i);
      const good = Math.min(offered, evenly(stretch.good, i));
      const refused = Math.min(offered - good, evenly(stretch.refused ?? 0, i));
      add(series.offered, at, offered);
      add(series.intents, at, offered);
      add(series.good, at, good);
      add(series.kept, at, good);
      add(series.refused, at, refused);
      add(series.unanswered, at, offered - good - refused);
      add(series.tries, at, offered * (stretch.tries ?? 1));
      for (let n = 0; n < good; n++) series.latency.add(at, stretch.ms ?? 20);
      bound += evenly(stretch.unansweredTries ?? 0, i);
      series.backlogBound[at] = bound;
      if (stretch.queue !== undefined) series.queueDepth[at] = stretch.queue(i / PER_S);
    }
  }
  return series;
}

/** The phases of the stretches, one after the other. */
export function phasesOf(stretches: readonly Stretch[]): Phase[] {
  let at = 0;
  return stretches.map(({ name, role, forS }) => {
    const start_s = at;
    at += forS;
    return { name, role, start_s, end_s: at };
  });
}

/** An operator's step, as faults.parquet has it. */
export function step(name: string, beginS: number, endS: number = beginS): FaultRecord {
  return {
    id: name,
    kind: "operator",
    name,
    target: "shop",
    planned_ns: beginS * 1e9,
    begin_ns: beginS * 1e9,
    end_ns: endS * 1e9,
    detail: "",
  };
}

export interface CourseOptions {
  readonly faults?: readonly FaultRecord[];
  readonly capacity?: number | null;
  readonly saturated?: boolean;
}

/** The course of the stretches; capacity 300/s and a deadline of 4 s unless said otherwise. */
export function courseFor(stretches: readonly Stretch[], options: CourseOptions = {}): Course {
  const capacity = options.capacity === undefined ? 300 : options.capacity;
  const run = {
    id: "r",
    phases: phasesOf(stretches),
    capacity,
    customer: { deadlineS: 4 },
    goodput_kinds: ["order"],
  };
  const saturated = options.saturated ?? false;
  return courseOf(run, options.faults ?? [], {
    saturated,
    because: saturated ? ["12 % of the arrivals were late"] : [],
  });
}
