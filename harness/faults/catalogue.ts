/** Every fault that can be named in a scenario's timeline. */
import type { FaultStep } from "../scenario/event.ts";
import type { Fault } from "./fault.ts";
import { noFault } from "./no-fault.ts";
import { processKill } from "./process-kill.ts";
import { refundRailDown } from "./refund-rail-down.ts";

export const FAULTS: Readonly<Record<FaultStep["fault"], Fault>> = {
  "no-fault": noFault,
  "process-kill": processKill,
  "refund-rail-down": refundRailDown,
};
