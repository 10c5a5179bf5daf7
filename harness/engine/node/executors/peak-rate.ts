/** The highest planned arrival rate of all scenarios together, per second; closed scenarios plan none. Pure. */
import type { ScenarioPlan } from "../options/scenario-plan.ts";

interface Segment {
  readonly startMs: number;
  readonly endMs: number;
  readonly fromPerS: number;
  readonly toPerS: number;
}

function segmentsOf(plan: ScenarioPlan): readonly Segment[] {
  if (plan.executor === "constant-arrival-rate") {
    const perS = (plan.rate * 1000) / plan.timeUnitMs;
    return [
      {
        startMs: plan.startTimeMs,
        endMs: plan.startTimeMs + plan.durationMs,
        fromPerS: perS,
        toPerS: perS,
      },
    ];
  }
  if (plan.executor !== "ramping-arrival-rate") return [];
  const segments: Segment[] = [];
  let startMs = plan.startTimeMs;
  let from = plan.startRate;
  for (const stage of plan.stages) {
    const scale = 1000 / plan.timeUnitMs;
    segments.push({
      startMs,
      endMs: startMs + stage.durationMs,
      fromPerS: from * scale,
      toPerS: stage.target * scale,
    });
    startMs += stage.durationMs;
    from = stage.target;
  }
  return segments.filter((segment) => segment.endMs > segment.startMs);
}

const rateAt = ({ startMs, endMs, fromPerS, toPerS }: Segment, atMs: number): number =>
  fromPerS + ((toPerS - fromPerS) * (atMs - startMs)) / (endMs - startMs);

/** Piecewise linear, so the maximum stands at a segment's border: looked at from its left and from its right. */
export function peakRatePerS(plans: readonly ScenarioPlan[]): number {
  const segments = plans.flatMap(segmentsOf);
  const borders = new Set(segments.flatMap((segment) => [segment.startMs, segment.endMs]));
  let peak = 0;
  for (const border of borders) {
    const before = segments
      .filter((s) => s.startMs < border && border <= s.endMs)
      .reduce((sum, s) => sum + rateAt(s, border), 0);
    const after = segments
      .filter((s) => s.startMs <= border && border < s.endMs)
      .reduce((sum, s) => sum + rateAt(s, border), 0);
    peak = Math.max(peak, before, after);
  }
  return peak;
}
