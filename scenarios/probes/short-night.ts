/**
 * The all-user coupon night (../musinsa-all-user-blast.ts) in 13.5 seconds: the same crowd, the same operator, the same
 * faults, a shorter clock. A probe for tests of the harness, not a rehearsal: its watch is far too short for a verdict on
 * metastability, and its books are too small for a claim about anybody's service.
 * Run: stampede run scenarios/probes/short-night.ts --target guarded -e CAPACITY=60. Success: the guarded service keeps
 * every promise, the naive one breaks those of the night. Not covered: collapse, recovery, the operator's restart.
 */
import type { Event } from "@stampede-sre/stampede";
import { event as night } from "../musinsa-all-user-blast.ts";

export {
  buyBefore,
  buyWithCoupon,
  lookUpCoupons,
  openApp,
  refreshOrders,
} from "../musinsa-all-user-blast.ts";

const capacity = Number(__ENV["CAPACITY"] ?? 60);
const times = (factor: number): number => Math.max(1, Math.round(capacity * factor));

/** Seconds a phase of the night lasts here; one that is not named is left out (there is nothing to restart). */
const SHORT_S: Readonly<Record<string, number>> = {
  "warm-up": 1,
  baseline: 2.5,
  "mis-issue": 2,
  surge: 1.5,
  watch: 2,
  withdraw: 4.5,
};
/** How long the refund rail is down. */
const RAIL_DOWN_S = 2;

/** Phases with their starts, in order. */
function windows(phases: Event["phases"]): { name: string; startS: number; endS: number }[] {
  let startS = 0;
  return phases.map(({ name, durationS }) => {
    const window = { name, startS, endS: startS + durationS };
    startS = window.endS;
    return window;
  });
}

const phases: Event["phases"] = night.phases.flatMap((phase) => {
  const durationS = SHORT_S[phase.name];
  return durationS === undefined ? [] : [{ ...phase, durationS }];
});
const long = windows(night.phases);
const short = windows(phases);

/** When a phase begins here, seconds since the start. */
function startOf(name: string): number {
  const window = short.find((phase) => phase.name === name);
  if (window === undefined) throw new Error(`the night has no phase ${name} any more`);
  return window.startS;
}

/** Each step of the night as long after its phase's begin as there; a step of a phase left out is left out. */
const timeline: Event["timeline"] = (night.timeline ?? []).flatMap((step) => {
  const from = long.findLast((phase) => step.at >= phase.startS);
  const to = short.find((phase) => phase.name === from?.name);
  if (from === undefined || to === undefined) return [];
  const at = to.startS + step.at - from.startS;
  return [
    "fault" in step && step.forS !== undefined
      ? { ...step, at, forS: RAIL_DOWN_S }
      : { ...step, at },
  ];
});

export const event: Event = {
  ...night,
  title: "The all-user coupon night, in short",
  phases,
  timeline,
};

const surge = startOf("surge");
const watch = startOf("watch");
const withdraw = startOf("withdraw");
const end = withdraw + (SHORT_S["withdraw"] ?? 0);
const seconds = (s: number): string => `${s}s`;

export const options = {
  scenarios: {
    openers: {
      executor: "constant-arrival-rate",
      exec: "openApp",
      rate: times(0.1),
      duration: seconds(end),
      preAllocatedVUs: times(0.4),
      gracefulStop: "1s",
    },
    lookups: {
      executor: "constant-arrival-rate",
      exec: "lookUpCoupons",
      startTime: seconds(surge),
      rate: times(0.08),
      duration: seconds(end - surge),
      preAllocatedVUs: times(0.16),
      gracefulStop: "1s",
    },
    buyers_before: {
      executor: "constant-arrival-rate",
      exec: "buyBefore",
      rate: times(0.5),
      duration: seconds(surge),
      preAllocatedVUs: times(2.2),
      gracefulStop: "4s",
    },
    buyers: {
      executor: "ramping-arrival-rate",
      exec: "buyWithCoupon",
      startTime: seconds(surge),
      startRate: times(2),
      stages: [
        { duration: seconds(watch - surge), target: times(2) },
        { duration: "0s", target: times(0.5) },
        { duration: seconds(end - watch), target: times(0.5) },
      ],
      preAllocatedVUs: times(6),
      gracefulStop: "4s",
    },
    refreshers: {
      executor: "constant-vus",
      exec: "refreshOrders",
      startTime: seconds(withdraw),
      vus: times(0.3),
      duration: seconds(end - withdraw),
      gracefulStop: "1s",
    },
  },
  thresholds: {
    "http_req_duration{expected_response:true,phase:baseline}": ["p(95)<800"],
    "goodput{phase:baseline}": ["rate>0.95"],
  },
};
