/** k6's per-vu-iterations and shared-iterations: a fixed amount of work, each VU's own or taken from one heap. */
import type { IterationsPlan } from "../options/scenario-plan.ts";
import { repeat } from "./closed-model.ts";
import type { ScenarioRun } from "./scenario-run.ts";

export function runIterations(plan: IterationsPlan, scenario: ScenarioRun): Promise<void> {
  const closed = scenario.until(plan.maxDurationMs);
  const shared = { left: plan.iterations };
  const heaps = scenario.vus.map(() =>
    plan.executor === "shared-iterations" ? shared : { left: plan.iterations },
  );
  let working = plan.vus;
  scenario.at(scenario.startNs, () => {
    scenario.vus.forEach((vu, index) => {
      const heap = heaps[index];
      if (heap === undefined) return;
      repeat(
        scenario,
        vu,
        () => heap.left-- > 0,
        () => {
          working -= 1;
          if (working === 0) scenario.close();
        },
      );
    });
  });
  return closed;
}
