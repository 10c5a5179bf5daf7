/** SIGKILL to one service process; healed when a process of that service runs again. */
import { monotonicNs, sleepMs } from "../determinism/clock.ts";
import { StampedeError } from "../errors.ts";
import type { Fault } from "./fault.ts";

const BACK_MS_MAX = 5_000;

export const processKill: Fault = {
  name: "process-kill",
  what: "kills a service process with SIGKILL; its supervisor starts it again",
  inject: async (target, step) => {
    const { detail } = await target.kill(step.target);
    return {
      detail,
      heal: async () => {
        const deadline = monotonicNs() + BACK_MS_MAX * 1e6;
        while (!target.running(step.target) && monotonicNs() < deadline) await sleepMs(50);
        if (!target.running(step.target)) await target.restart(step.target);
        if (!target.running(step.target))
          throw new StampedeError(
            "unsafe",
            `expected the ${step.target} process to run again after it was killed; it does not`,
          );
      },
    };
  },
};
