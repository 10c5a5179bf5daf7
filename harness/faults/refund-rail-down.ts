/** The payment provider refuses part of the refunds for a while; healed when it says it no longer does. */
import type { Fault } from "./fault.ts";

export const refundRailDown: Fault = {
  name: "refund-rail-down",
  what: "the gateway fails refunds while payments go on",
  inject: async (target) => {
    await target.provider({ refunds: "failing" });
    return { detail: "the gateway fails refunds", heal: () => target.provider({ refunds: "ok" }) };
  },
};
