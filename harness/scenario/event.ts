/** What a scenario adds to a k6 script: `export const event`. k6 ignores it; the harness lives by it. */
import { z } from "zod";

const seconds = z.number().nonnegative().max(3600);
const share = z.number().min(0).max(1);

/** What one customer does; every figure is named here and nowhere else. */
const customer = z.strictObject({
  attemptTimeoutS: seconds.positive(),
  /** Further attempts after the first. */
  retries: z.number().int().min(0).max(20),
  backoff: z.enum(["none", "exponential"]).default("none"),
  deadlineS: seconds.positive(),
  patienceS: seconds.positive().optional(),
  refreshEveryS: z.tuple([seconds, seconds]).optional(),
  doubleTapShare: share.default(0),
  botShare: share.default(0),
});

const phase = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  durationS: seconds.positive(),
  role: z.enum(["warm-up", "baseline", "trigger", "watch", "intervention"]),
});

const operatorStep = z.strictObject({
  at: seconds,
  operator: z.enum(["issue", "recall", "withdraw", "restart"]),
  /** Body of the operator's request, as in design.md §7: issue {campaign_id, audience, declared_audience}, withdraw {policy} … */
  request: z.record(z.string(), z.unknown()).default({}),
  /** An operator who watches: act only when goodput has not come back. */
  when: z.enum(["always", "not-recovered"]).default("always"),
});

const faultStep = z.strictObject({
  at: seconds,
  fault: z.enum(["no-fault", "process-kill", "refund-rail-down"]),
  target: z.string(),
  forS: seconds.max(120).optional(),
  /** Wait, after `at`, until a job of this kind has done this share of its items; inject anyway after `withinS`. */
  once: z
    .strictObject({
      job: z.enum(["issue", "recall", "cancel", "compensate"]),
      doneShare: share,
      withinS: seconds,
    })
    .optional(),
});

/** How capacity is measured: the n-th order of the crowd's own mix, for a closed loop on a scratch copy. */
const probe = z.strictObject({
  path: z.string().startsWith("/"),
  seconds: z.number().min(3).max(60).default(7),
  connections: z.number().int().min(1).max(1000).default(64),
  order: z.custom<(n: number) => Record<string, unknown>>(
    (value) => typeof value === "function",
    "a function (n) => the order's JSON body",
  ),
});

const slo = z.strictObject({
  name: z.string(),
  /** goodput_share: good ÷ arrivals · latency_p99_ms: from the intended start · recovered_after_s · lost_share. */
  measure: z.enum(["goodput_share", "latency_p99_ms", "recovered_after_s", "lost_share"]),
  phase: z.string().optional(),
  op: z.enum(["<", "<=", ">", ">="]),
  value: z.number(),
});

export const eventSchema = z.strictObject({
  title: z.string().min(1),
  /** The arrival rate the promotion is expected to bring, per second. */
  expectPeakPerS: z.number().positive(),
  goodputKinds: z.array(z.string()).min(1),
  goodputScenarios: z.array(z.string()).min(1),
  customer,
  campaigns: z
    .array(
      z.strictObject({
        id: z.string(),
        meant: z.number().int().nonnegative(),
        cap: z.number().int().nonnegative(),
        amount: z.number().int().nonnegative(),
      }),
    )
    .default([]),
  phases: z.array(phase).min(1),
  timeline: z.array(z.union([operatorStep, faultStep])).default([]),
  probe: probe.optional(),
  drainS: seconds.positive().default(8),
  judges: z.array(z.string()).default([]),
  slos: z.array(slo).default([]),
});

/** As the harness sees it, defaults filled in. */
export type EventDeclaration = z.output<typeof eventSchema>;
/** As a scenario writes it. */
export type Event = z.input<typeof eventSchema>;
export type OperatorStep = z.output<typeof operatorStep>;
export type FaultStep = z.output<typeof faultStep>;
