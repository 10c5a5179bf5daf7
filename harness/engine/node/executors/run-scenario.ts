/** From a plan to its executor. */
import { runConstantArrivalRate } from "./constant-arrival-rate.ts";
import { runConstantVus } from "./constant-vus.ts";
import { runIterations } from "./iterations.ts";
import { runRampingArrivalRate } from "./ramping-arrival-rate.ts";
import { runRampingVus } from "./ramping-vus.ts";
import type { ScenarioRun } from "./scenario-run.ts";

/** Runs a scenario to its end, graceful stop included. */
export async function runScenario(scenario: ScenarioRun): Promise<void> {
  const { plan } = scenario;
  switch (plan.executor) {
    case "constant-arrival-rate":
      await runConstantArrivalRate(plan, scenario);
      break;
    case "ramping-arrival-rate":
      await runRampingArrivalRate(plan, scenario);
      break;
    case "constant-vus":
      await runConstantVus(plan, scenario);
      break;
    case "ramping-vus":
      await runRampingVus(plan, scenario);
      break;
    case "per-vu-iterations":
    case "shared-iterations":
      await runIterations(plan, scenario);
      break;
  }
}
