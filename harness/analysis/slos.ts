/** An event's service level objectives, held against the curves. An empty measure never passes. */
import type { CollapseVerdict, LimitVerdict } from "../history/run-folder.ts";
import type { Course } from "./course.ts";
import { BINS, quantileOf } from "./latency-bins.ts";
import { recoveryWindowS } from "./recovery.ts";
import { bucketAt, sumOver, type Series, type Span } from "./series.ts";

/** The shape of `event.slos`. */
export interface Slo {
  readonly name: string;
  /**
   * goodput_share: good ÷ arrivals · lost_share: 1 − that · latency_p99_ms: from the intended start to the final correct
   * answer, where customers nobody answered count as longer than all others and those openly turned away not at all
   * (goodput_share has them) · recovered_after_s: after the trigger's end.
   */
  readonly measure: "goodput_share" | "latency_p99_ms" | "recovered_after_s" | "lost_share";
  /** Only customers who arrived in this phase; without it, everybody after the warm-up. */
  readonly phase?: string | undefined;
  readonly op: "<" | "<=" | ">" | ">=";
  readonly value: number;
}

/** What was measured: a number (Infinity where it is beyond every bound), or null and why. */
interface Measured {
  readonly value: number | null;
  readonly because: string | null;
}

const nothing = (because: string): Measured => ({ value: null, because });

const HOLDS: Readonly<Record<Slo["op"], (value: number, limit: number) => boolean>> = {
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
};

function spansOf(slo: Slo, course: Course): Span[] {
  const phases = course.phases.filter((p) =>
    slo.phase === undefined ? p.role !== "warm-up" : p.name === slo.phase,
  );
  return phases.map((p) => ({ startS: p.start_s, endS: p.end_s }));
}

function share(slo: Slo, series: Series, spans: readonly Span[]): Measured {
  const offered = spans.reduce((sum, span) => sum + sumOver(series.offered, span), 0);
  if (offered === 0) return nothing("nobody arrived in it");
  const good = spans.reduce((sum, span) => sum + sumOver(series.good, span), 0) / offered;
  return { value: slo.measure === "goodput_share" ? good : 1 - good, because: null };
}

function latency(series: Series, spans: readonly Span[]): Measured {
  const histogram = new Float64Array(BINS);
  let answered = 0;
  let unanswered = 0;
  for (const span of spans) {
    for (let i = bucketAt(span.startS); i < Math.min(series.buckets, bucketAt(span.endS)); i++)
      answered += series.latency.into(histogram, i, 1);
    unanswered += sumOver(series.unanswered, span);
  }
  const p99Ms = quantileOf(histogram, answered, 0.99, unanswered);
  if (Number.isNaN(p99Ms)) return nothing("nobody got an answer in it");
  return {
    value: p99Ms,
    because: Number.isFinite(p99Ms)
      ? null
      : `${unanswered} of ${answered + unanswered} customers got no answer at all, more than the 1 % a p99 leaves out`,
  };
}

function recovered(slo: Slo, course: Course, collapse: CollapseVerdict): Measured {
  if (collapse.recovered_after_s !== null)
    return { value: collapse.recovered_after_s, because: null };
  if (course.watch === null)
    return nothing("no trigger was declared, so there was nothing to recover from");
  // Every moment up to `searchedS` was looked at, so a limit below it is missed for certain.
  const searchedS = course.watch.endS - course.watch.startS - recoveryWindowS(course.endS);
  const missed = collapse.collapsed !== null && searchedS >= slo.value;
  if (collapse.metastable === "yes" || missed)
    return { value: Number.POSITIVE_INFINITY, because: collapse.decided_by };
  return nothing(collapse.decided_by);
}

function measure(slo: Slo, series: Series, course: Course, collapse: CollapseVerdict): Measured {
  if (slo.measure === "recovered_after_s") return recovered(slo, course, collapse);
  const spans = spansOf(slo, course);
  if (spans.length === 0) return nothing(`there is no phase "${slo.phase ?? "after the warm-up"}"`);
  return slo.measure === "latency_p99_ms" ? latency(series, spans) : share(slo, series, spans);
}

/** `goodput_share{phase:surge} >= 0.5` */
export function sloExpression(slo: Slo): string {
  return `${slo.measure}${slo.phase === undefined ? "" : `{phase:${slo.phase}}`} ${slo.op} ${slo.value}`;
}

/**
 * Judges every objective. `observed` is null when there is nothing, or nothing finite, to show; `because` says which.
 * Everything is inconclusive when the generator was saturated or data are missing; a recovery that was neither seen nor
 * ruled out is, too.
 */
export function judgeSlos(
  slos: readonly Slo[],
  series: Series,
  course: Course,
  collapse: CollapseVerdict,
): LimitVerdict[] {
  const doubts = [
    ...course.doubts,
    ...(series.orphans > 0
      ? [`data are missing: ${series.orphans} intents without a recorded arrival`]
      : []),
  ];
  return slos.map((slo) => {
    const expression = sloExpression(slo);
    if (doubts.length > 0)
      return {
        name: slo.name,
        expression,
        observed: null,
        verdict: "inconclusive",
        because: doubts.join("; "),
      };
    const { value, because } = measure(slo, series, course, collapse);
    if (value === null)
      return { name: slo.name, expression, observed: null, verdict: "inconclusive", because };
    return {
      name: slo.name,
      expression,
      observed: Number.isFinite(value) ? value : null,
      verdict: HOLDS[slo.op](value, slo.value) ? "pass" : "fail",
      because,
    };
  });
}
