/** The collapse part of a verdict, put together from the definitions in collapse, recovery, metastability and served-well. */
import type { CollapseVerdict } from "../history/run-folder.ts";
import {
  amplificationMax,
  collapseDepth,
  lostOver,
  peakOf,
  scanCollapse,
  shareOfServable,
} from "./collapse.ts";
import type { Course } from "./course.ts";
import { metastability, type Metastability } from "./metastability.ts";
import { recovery, recoveryWindowS, type Recovery } from "./recovery.ts";
import { servedWellPerS } from "./served-well.ts";
import { amplification, rateOver, type Series, type Span } from "./series.ts";

/** A baseline that serves less of its own arrivals than this is nothing to compare with. */
const SOUND_BASELINE_SHARE = 0.5;
/** What a service must still acknowledge of min(λ, μ) at the trigger's peak. */
export const SURGE_SHARE_LINE = 0.8;
/** Goodput at the end of the watch is a mean over at most this long. */
const AFTER_S = 10;

/** Everything null: the words say why. */
export function undecidedCollapse(capacityPerS: number | null, because: string): CollapseVerdict {
  return {
    collapsed: null,
    capacity_per_s: capacityPerS,
    baseline_per_s: null,
    depth: null,
    began_s: null,
    lost_intents: null,
    lost_avoidable: null,
    recovered_after_s: null,
    intervention_s: null,
    metastable: "unknown",
    decided_by: because,
    amplification_max: null,
    goodput_before: null,
    goodput_in: null,
    goodput_after: null,
    goodput_restarted: null,
    surge_share: null,
    backlog_slope_per_s: null,
    served_well_per_s: null,
    margins: {},
  };
}

const measured = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Why no comparison is possible, or null. */
function obstacle(series: Series, course: Course): string | null {
  if (course.doubts.length > 0) return course.doubts.join("; ");
  if (series.orphans > 0)
    return `data are missing: ${series.orphans} intents belong to iterations that no arrival was recorded for`;
  if (course.baseline === null)
    return "no baseline phase before the trigger: nothing to compare with";
  const offered = rateOver(series.offered, course.baseline);
  if (!(offered > 0)) return "nobody arrived in the baseline: nothing to compare with";
  const share = rateOver(series.good, course.baseline) / offered;
  if (share < SOUND_BASELINE_SHARE)
    return `the service was failing before anything was done to it: ${Math.round(share * 100)} % of the baseline's customers were served well`;
  return null;
}

/** The watch without those customers whom the intervention at its end may have served: they arrived within their deadline of it. */
function afterSpan(course: Course, watch: Span): Span {
  const settledS =
    course.interventions.length > 0
      ? Math.max(watch.startS, watch.endS - course.deadlineS)
      : watch.endS;
  const endS = settledS - watch.startS >= 1 ? settledS : watch.endS;
  return { startS: Math.max(watch.startS, endS - AFTER_S), endS };
}

/** Goodput once a restart has settled: the second half of the time between its end and the next step or the schedule's end. */
function restartedPerS(series: Series, course: Course): number | null {
  const index = course.interventions.findIndex((i) => i.name.includes("restart"));
  const restart = course.interventions[index];
  if (restart === undefined) return null;
  const untilS = course.interventions[index + 1]?.beginS ?? course.endS;
  return untilS - restart.endS < 1
    ? null
    : measured(rateOver(series.good, { startS: (restart.endS + untilS) / 2, endS: untilS }));
}

interface Facts {
  readonly peak: Span | null;
  readonly surgeShare: number | null;
  readonly collapseMargin: number | null;
  readonly back: Recovery | null;
  readonly meta: Metastability | null;
}

/** Distances of the deciding figures from their lines, as shares of those lines; a figure that decided nothing has none. */
function marginsOf(
  series: Series,
  course: Course,
  baseline: Span,
  facts: Facts,
): Record<string, number> {
  const { capacityPerS: mu, watch } = course;
  const margins: Record<string, number | null> = { collapse: facts.collapseMargin };
  if (mu !== null) {
    margins["load"] = Math.abs(rateOver(series.offered, baseline) / mu - 1);
    if (facts.peak !== null)
      margins["surge_load"] = Math.abs(rateOver(series.offered, facts.peak) / mu - 1);
    if (watch !== null)
      margins["amplified_load"] = Math.abs(
        (amplification(series, watch) * rateOver(series.offered, watch)) / mu - 1,
      );
  }
  if (facts.surgeShare !== null)
    margins["surge_share"] = Math.abs(facts.surgeShare - SURGE_SHARE_LINE) / SURGE_SHARE_LINE;
  if (facts.back?.margin !== undefined && facts.back.margin !== null)
    margins["recovery"] = Math.abs(facts.back.margin);
  if (facts.meta !== null) margins["backlog_slope"] = facts.meta.slopeMargin;
  return Object.fromEntries(
    Object.entries(margins).filter(
      (entry): entry is [string, number] => entry[1] !== null && Number.isFinite(entry[1]),
    ),
  );
}

function decidedBy(
  course: Course,
  collapsed: boolean,
  beganS: number | null,
  meta: Metastability | null,
): string {
  const first = collapsed
    ? `goodput fell below half of what was asked for, for at least 5 s, from second ${beganS?.toFixed(1)} on`
    : "goodput never stayed below half of what was asked for as long as 5 s";
  if (meta === null)
    return `${first}; no trigger was declared, so there was nothing to come back from`;
  const step = course.interventions[0];
  const stepped =
    step === undefined
      ? ""
      : `; the watch ended at second ${step.beginS.toFixed(1)} when the operator stepped in (${step.name})`;
  return `${first}; ${meta.because}${stepped}`;
}

/**
 * Collapse, depth, loss, recovery and metastability of a run, as faults.md words them. Rates per second, times in
 * seconds since T0, `recovered_after_s` since the trigger's end; lost intents and depth from the trigger's start to the
 * end of the schedule. Undecided (nulls, "unknown") when the generator was saturated or data are missing.
 *
 * margins: load |λ_B/μ − 1| · surge_load |λ_peak/μ − 1| · amplified_load |A·λ/μ − 1| over the watch · collapse |r − 1|,
 * r = the worst 5 s' best G ÷ (0.5·min(λ, G_B)) · surge_share |share − 0.8|/0.8 · recovery, in parts of the 5 % that may
 * go unserved or of the p99 limit, at the best window · backlog_slope |slope|/λ, where it decided.
 */
export function collapseVerdict(series: Series, course: Course): CollapseVerdict {
  const mu = course.capacityPerS;
  const because = obstacle(series, course);
  const { baseline, trigger, watch } = course;
  if (because !== null || baseline === null) return undecidedCollapse(mu, because ?? "no baseline");
  const baselinePerS = rateOver(series.good, baseline);
  const after: Span = { startS: trigger?.startS ?? baseline.endS, endS: course.endS };
  const scan = scanCollapse(series, after, baselinePerS);
  const lost = lostOver(series, after, mu);
  const peak = peakOf(
    series,
    course.phases
      .filter((p) => p.role === "trigger")
      .map((p) => ({ startS: p.start_s, endS: p.end_s })),
  );
  const surgeShare =
    peak === null || mu === null ? null : measured(shareOfServable(series, peak, mu));
  const back =
    watch === null ? null : recovery(series, watch, baseline, recoveryWindowS(course.endS));
  const meta =
    watch === null || back === null
      ? null
      : metastability(series, {
          watch,
          baseline,
          triggerGone: course.triggerGone,
          capacityPerS: mu,
          recovery: back,
        });
  // What broke the service was not served well, however much of it a queue swallowed first.
  const broken =
    scan.collapsed || (back !== null && back.searchedS >= 0 && back.recoveredAfterS === null);
  // Without a trigger nothing can stay down after it; what collapsed all the same is left open.
  const metastable = meta?.metastable ?? (scan.collapsed ? "unknown" : "no");
  return {
    collapsed: scan.collapsed,
    capacity_per_s: mu,
    baseline_per_s: baselinePerS,
    depth: mu === null ? null : collapseDepth(series, after, mu),
    began_s: scan.beganS,
    lost_intents: lost.intents,
    lost_avoidable: lost.avoidable,
    recovered_after_s: back?.recoveredAfterS ?? null,
    intervention_s: course.interventions[0]?.beginS ?? null,
    metastable,
    decided_by: decidedBy(course, scan.collapsed, scan.beganS, meta),
    amplification_max: amplificationMax(series, after),
    goodput_before: baselinePerS,
    goodput_in: peak === null ? null : measured(rateOver(series.good, peak)),
    goodput_after:
      watch === null ? null : measured(rateOver(series.good, afterSpan(course, watch))),
    goodput_restarted: restartedPerS(series, course),
    surge_share: surgeShare,
    backlog_slope_per_s: meta?.backlog?.slopePerS ?? null,
    served_well_per_s: servedWellPerS(series, {
      startS: baseline.startS,
      endS: broken ? after.startS : course.endS,
    }),
    margins: marginsOf(series, course, baseline, {
      peak,
      surgeShare,
      collapseMargin: scan.margin,
      back,
      meta,
    }),
  };
}
