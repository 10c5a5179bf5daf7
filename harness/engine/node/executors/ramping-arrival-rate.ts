/** k6's ramping-arrival-rate: the arrival rate moves from stage to stage. */
import { plannedMs, type RampingArrivalRatePlan } from "../options/scenario-plan.ts";
import { rampingArrivals } from "./arrivals.ts";
import { driveArrivals } from "./open-model.ts";
import type { ScenarioRun } from "./scenario-run.ts";

export function runRampingArrivalRate(
  plan: RampingArrivalRatePlan,
  scenario: ScenarioRun,
): Promise<void> {
  return driveArrivals(scenario, rampingArrivals(plan), plannedMs(plan));
}
