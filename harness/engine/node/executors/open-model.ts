/** Drives an open scenario: people come when they come, and each gets an idle VU or is counted as dropped. */
import { monotonicNs } from "../../../determinism/clock.ts";
import type { Vu } from "../vu/vu.ts";
import type { ScenarioRun } from "./scenario-run.ts";

/**
 * Waits by a coarse timer, then starts every arrival that is due: a late timer makes arrivals late (and says so), it
 * never moves the ones after. The VU used last is taken first: a few warm connections serve a small crowd, where
 * taking turns would let every keep-alive connection grow old between two uses.
 */
export function driveArrivals(
  scenario: ScenarioRun,
  offsetsNs: Iterator<number, void>,
  lengthMs: number,
): Promise<void> {
  const idle: Vu[] = [...scenario.vus].toReversed();
  const { startNs } = scenario;
  let due = offsetsNs.next();
  const startOne = (intendedNs: number): void => {
    const vu = idle.pop();
    if (vu === undefined) scenario.drop(intendedNs);
    else scenario.beginArrival(vu, intendedNs, () => idle.push(vu));
  };
  const startDue = (nowNs: number): void => {
    while (scenario.accepting && due.done !== true && startNs + due.value <= nowNs) {
      const intendedNs = startNs + due.value;
      due = offsetsNs.next();
      startOne(intendedNs);
    }
  };
  const tick = (): void => {
    startDue(monotonicNs());
    if (scenario.accepting && due.done !== true) scenario.at(startNs + due.value, tick);
  };
  // A timer may fire a little early: what is due at the very end belongs to the schedule on every machine.
  const endNs = startNs + lengthMs * 1e6;
  const closed = scenario.until(lengthMs, () => startDue(Math.max(monotonicNs(), endNs)));
  if (due.done !== true && scenario.accepting) scenario.at(startNs + due.value, tick);
  return closed;
}
