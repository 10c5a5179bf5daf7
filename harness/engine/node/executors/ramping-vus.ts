/** k6's ramping-vus: the number of iterating VUs moves from stage to stage. */
import { monotonicNs } from "../../../determinism/clock.ts";
import { plannedMs, type RampingVusPlan } from "../options/scenario-plan.ts";
import type { Vu } from "../vu/vu.ts";
import { repeat } from "./closed-model.ts";
import type { ScenarioRun } from "./scenario-run.ts";

export interface VuStep {
  readonly atMs: number;
  readonly vus: number;
}

/** When the planned number of VUs changes: k of n steps of a stage stands at k/n of its length, the last at its end. Pure. */
export function vuSteps(plan: Pick<RampingVusPlan, "startVUs" | "stages">): readonly VuStep[] {
  const steps: VuStep[] = [{ atMs: 0, vus: plan.startVUs }];
  let from = plan.startVUs;
  let startMs = 0;
  for (const { durationMs, target } of plan.stages) {
    const count = Math.abs(target - from);
    const sign = Math.sign(target - from);
    if (durationMs === 0 && count > 0) steps.push({ atMs: startMs, vus: target });
    else
      for (let k = 1; k <= count; k++)
        steps.push({ atMs: startMs + (durationMs * k) / count, vus: from + sign * k });
    startMs += durationMs;
    from = target;
  }
  return steps;
}

export function runRampingVus(plan: RampingVusPlan, scenario: ScenarioRun): Promise<void> {
  const closed = scenario.until(plannedMs(plan));
  const looping = new Set<Vu>();
  let wanted = 0;
  const work = (vu: Vu, index: number): void => {
    if (looping.has(vu)) return;
    looping.add(vu);
    repeat(
      scenario,
      vu,
      () => index < wanted,
      () => looping.delete(vu),
    );
  };
  /** A VU too many ends its iteration; one that takes longer than gracefulRampDown and is still not wanted is cut. */
  const retire = (vu: Vu, index: number): void => {
    const iteration = vu.iteration;
    if (!vu.busy) return;
    scenario.at(monotonicNs() + plan.gracefulRampDownMs * 1e6, () => {
      if (vu.busy && vu.iteration === iteration && index >= wanted) vu.interrupt();
    });
  };
  const apply = ({ vus }: VuStep): void => {
    const before = wanted;
    wanted = vus;
    scenario.vus.slice(before, vus).forEach((vu, i) => work(vu, before + i));
    scenario.vus.slice(vus, before).forEach((vu, i) => retire(vu, vus + i));
  };
  const steps = vuSteps(plan);
  let nextStep = 0;
  const tick = (): void => {
    for (
      let step = steps[nextStep];
      scenario.accepting && step !== undefined;
      step = steps[nextStep]
    ) {
      const dueNs = scenario.startNs + step.atMs * 1e6;
      if (dueNs > monotonicNs()) {
        scenario.at(dueNs, tick);
        return;
      }
      nextStep += 1;
      apply(step);
    }
  };
  scenario.at(scenario.startNs, tick);
  return closed;
}
