/**
 * When the arrivals of an open scenario are due, as pure functions: offsets in ns from the scenario's own start, in
 * order. They are computed from the plan, never from the moment the last one really started, so nothing drifts.
 * A later issue stripes these sequences over workers (every n-th index is one worker's); the sequence itself stays.
 */
import type {
  ConstantArrivalRatePlan,
  RampingArrivalRatePlan,
  Stage,
} from "../options/scenario-plan.ts";

const NS_PER_MS = 1e6;
/** Sums of stage areas carry rounding errors far below this; a whole iteration is far above. */
const AREA_TOLERANCE = 1e-9;

/** k6's constant-arrival-rate: iteration i at i · timeUnit/rate, the first at 0, the last before the duration ends. */
export function* constantArrivals(
  plan: Pick<ConstantArrivalRatePlan, "rate" | "timeUnitMs" | "durationMs">,
): Generator<number, void> {
  const unitNs = plan.timeUnitMs * NS_PER_MS;
  const endNs = plan.durationMs * NS_PER_MS;
  for (let index = 0; ; index++) {
    const dueNs = (index * unitNs) / plan.rate;
    if (dueNs >= endNs) return;
    yield dueNs;
  }
}

/**
 * k6's ramping-arrival-rate: the i-th arrival (i = 1, 2 …) at the solution t of ∫₀ᵗ rate = i. Within a stage the rate
 * is linear, so t solves a quadratic; what is left of an iteration at a stage's end is carried into the next one.
 */
export function* rampingArrivals(
  plan: Pick<RampingArrivalRatePlan, "startRate" | "timeUnitMs" | "stages">,
): Generator<number, void> {
  const unitNs = plan.timeUnitMs * NS_PER_MS;
  let from = plan.startRate;
  let doneBefore = 0;
  let startNs = 0;
  let index = 1;
  for (const stage of plan.stages) {
    const lengthNs = stage.durationMs * NS_PER_MS;
    const area = (lengthNs * (from + stage.target)) / (2 * unitNs);
    for (; index <= doneBefore + area + AREA_TOLERANCE; index++) {
      yield startNs + offsetInStage((index - doneBefore) * unitNs, from, stage.target, lengthNs);
    }
    doneBefore += area;
    startNs += lengthNs;
    from = stage.target;
  }
}

/** The t with from·t + (to−from)/(2·length)·t² = area, by the stable form of the quadratic formula. */
function offsetInStage(area: number, from: number, to: number, lengthNs: number): number {
  const slope = (to - from) / lengthNs;
  const root = Math.sqrt(Math.max(0, from * from + 2 * slope * area));
  return Math.min(lengthNs, (2 * area) / (from + root));
}

/** Rate per timeUnit at an offset in ms from the scenario's start; at a jump the later value. */
export function rampAt(startRate: number, stages: readonly Stage[], atMs: number): number {
  let from = startRate;
  let startMs = 0;
  for (const stage of stages) {
    if (stage.durationMs > 0 && atMs < startMs + stage.durationMs)
      return from + ((stage.target - from) * (atMs - startMs)) / stage.durationMs;
    startMs += stage.durationMs;
    from = stage.target;
  }
  return from;
}
