/** The fault that breaks nothing: the example to copy, and the control of every experiment. */
import type { Fault } from "./fault.ts";

export const noFault: Fault = {
  name: "no-fault",
  what: "breaks nothing; the control of an experiment",
  inject: () => Promise.resolve({ detail: "nothing was broken", heal: () => Promise.resolve() }),
};
