/** k6's constant-vus: a fixed number of VUs, each iterating until the time is over. */
import type { ConstantVusPlan } from "../options/scenario-plan.ts";
import { repeat } from "./closed-model.ts";
import type { ScenarioRun } from "./scenario-run.ts";

export function runConstantVus(plan: ConstantVusPlan, scenario: ScenarioRun): Promise<void> {
  const closed = scenario.until(plan.durationMs);
  scenario.at(scenario.startNs, () => {
    for (const vu of scenario.vus) repeat(scenario, vu, () => true);
  });
  return closed;
}
