/** k6's constant-arrival-rate: `rate` iterations start every `timeUnit`, whether or not the service answers. */
import type { ConstantArrivalRatePlan } from "../options/scenario-plan.ts";
import { constantArrivals } from "./arrivals.ts";
import { driveArrivals } from "./open-model.ts";
import type { ScenarioRun } from "./scenario-run.ts";

export function runConstantArrivalRate(
  plan: ConstantArrivalRatePlan,
  scenario: ScenarioRun,
): Promise<void> {
  return driveArrivals(scenario, constantArrivals(plan), plan.durationMs);
}
