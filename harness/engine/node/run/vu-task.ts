/** One-off tasks of the first VU (setup, teardown, handleSummary), with the time they may take. */
import type { TaskOutcome, Vu, VuStage } from "../vu/vu.ts";

export type OneOffOutcome = TaskOutcome | { readonly kind: "timed-out" };

/** Runs a task; when its time is over it is interrupted. @param limitMs 0 for no limit */
export function runOnce(
  vu: Vu,
  stage: VuStage,
  limitMs: number,
  call: (exports: Readonly<Record<string, unknown>>) => unknown,
): Promise<OneOffOutcome> {
  return new Promise((resolve) => {
    let timedOut = false;
    const timer =
      limitMs > 0
        ? setTimeout(() => {
            timedOut = true;
            vu.interrupt();
          }, limitMs)
        : null;
    vu.start({
      stage,
      iteration: null,
      call,
      done: (outcome) => {
        if (timer !== null) clearTimeout(timer);
        resolve(timedOut && outcome.kind === "interrupted" ? { kind: "timed-out" } : outcome);
      },
    });
  });
}
