/** One VU of a closed scenario: the next iteration starts when the last one is over. */
import { monotonicNs } from "../../../determinism/clock.ts";
import type { Vu } from "../vu/vu.ts";
import type { ScenarioRun } from "./scenario-run.ts";

/**
 * Repeats while `wants` says so and the scenario accepts; then calls `ended`. Between two iterations the event loop
 * gets its turn, else a script that never waits would stop everything, the end of the test included.
 */
export function repeat(
  scenario: ScenarioRun,
  vu: Vu,
  wants: () => boolean,
  ended: () => void = () => undefined,
): void {
  const next = (): void => {
    if (!scenario.accepting || vu.busy || !wants()) {
      ended();
      return;
    }
    scenario.begin(vu, monotonicNs(), (outcome) => {
      if (outcome.kind === "interrupted") ended();
      else setImmediate(next);
    });
  };
  next();
}
