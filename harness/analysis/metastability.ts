/**
 * Metastable (faults.md). `yes`: the trigger is gone, λ ≤ baseline, not recovered by the end of the watch, and over the
 * watch's last 10 s the backlog does not shrink. `no`: recovered. `unknown`: it shrinks, or it was watched for less than
 * 2 × backlog/(μ−λ) while it shrank. Never "forever": only what the watch shows.
 */
import { backlogOver, type Backlog } from "./backlog.ts";
import type { Recovery } from "./recovery.ts";
import { rateOver, type Series, type Span } from "./series.ts";

/** The stretch at the end of the watch over which the backlog is looked at. */
export const LAST_S = 10;

export interface Metastability {
  readonly metastable: "yes" | "no" | "unknown";
  readonly because: string;
  /** Over the last 10 s of the watch; null when it is not known. */
  readonly backlog: Backlog | null;
  /** |slope| ÷ λ, the share of the arrivals by which the backlog grows; null unless the slope decided. */
  readonly slopeMargin: number | null;
}

export interface MetastabilityInput {
  readonly watch: Span;
  readonly baseline: Span;
  readonly triggerGone: boolean;
  readonly capacityPerS: number | null;
  readonly recovery: Recovery;
}

const figure = (value: number): string =>
  Math.abs(value) >= 10 ? Math.round(value).toString() : (Math.round(value * 10) / 10).toString();

/** The arrival rate of both spans agrees up to 5 % or three standard deviations of a Poisson count, the larger. */
function aboveBaseline(series: Series, now: Span, baseline: Span): boolean {
  const before = rateOver(series.offered, baseline);
  const rate = rateOver(series.offered, now);
  const deviation = Math.sqrt(
    before / (baseline.endS - baseline.startS) + rate / (now.endS - now.startS),
  );
  return rate > before + Math.max(0.05 * before, 3 * deviation);
}

function told(backlog: Backlog): string {
  const words =
    backlog.source === "queue"
      ? "the service's own queue"
      : "attempts sent and never answered (an upper bound of the queue; the service said nothing of its own)";
  return `${words} changed by ${backlog.slopePerS >= 0 ? "+" : ""}${figure(backlog.slopePerS)}/s over the last ${LAST_S} s, to ${figure(backlog.last)}`;
}

/** Seconds a backlog needs to empty twice over at the spare capacity; null when there is none to spare or none known. */
function enoughWatchS(
  backlog: Backlog,
  capacityPerS: number | null,
  arrivalsPerS: number,
): number | null {
  const spare = (capacityPerS ?? 0) - arrivalsPerS;
  return spare > 0 ? (2 * backlog.last) / spare : null;
}

/** Decides in the order of the definition; every way out says why in plain words. */
export function metastability(series: Series, input: MetastabilityInput): Metastability {
  const { watch, recovery } = input;
  const watchedS = watch.endS - watch.startS;
  const last: Span = { startS: Math.max(watch.startS, watch.endS - LAST_S), endS: watch.endS };
  const backlog = backlogOver(series, last);
  const undecided = (because: string): Metastability => ({
    metastable: "unknown",
    because,
    backlog,
    slopeMargin: null,
  });
  if (recovery.recoveredAfterS !== null) {
    const because = `recovered ${figure(recovery.recoveredAfterS)} s after the trigger's end: from then on over ${recovery.windowS} s at least 95 % were served well, as fast as before`;
    return { metastable: "no", because, backlog, slopeMargin: null };
  }
  if (!input.triggerGone)
    return undecided("a fault of the trigger was never proved undone, so the trigger is not gone");
  if (recovery.searchedS < 0)
    return undecided(
      `watched for ${figure(watchedS)} s only; recovery is judged over ${recovery.windowS} s`,
    );
  if (aboveBaseline(series, last, input.baseline))
    return undecided(
      "the crowd had not left: arrivals at the end of the watch were still above the baseline",
    );
  if (backlog === null)
    return undecided(`not recovered in ${figure(watchedS)} s, but the backlog is not known`);
  const notBack = `not recovered in the ${figure(watchedS)} s watched`;
  if (backlog.shrinking) return undecided(`${notBack}, but still working it off: ${told(backlog)}`);
  const arrivalsPerS = rateOver(series.offered, last);
  const enoughS = enoughWatchS(backlog, input.capacityPerS, arrivalsPerS);
  if (enoughS !== null && watchedS < enoughS && backlogOver(series, watch)?.shrinking === true) {
    return undecided(
      `${notBack}; over the whole watch the backlog shrank, and a fair look would take ${figure(enoughS)} s: ${told(backlog)}`,
    );
  }
  return {
    metastable: "yes",
    because: `${notBack}, with the trigger gone and arrivals at the baseline's rate, and the backlog does not shrink: ${told(backlog)}`,
    backlog,
    slopeMargin: Math.abs(backlog.slopePerS) / arrivalsPerS,
  };
}
