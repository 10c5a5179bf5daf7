/** Literal rows of coupons, their events, claims and jobs, with defaults for what a test does not care about. */
import type { LiteralRow, Tables } from "./fixture.ts";

export interface Case {
  readonly id: string;
  readonly is: "pass" | "fail" | "inconclusive" | "not-applicable";
  readonly when: string;
  readonly tables: Tables;
  /** Definite violations, where the number itself is promised. */
  readonly count?: number;
  readonly without?: readonly string[];
}

/** One audit row; `ms` is the commit time, and the seq too unless `more` says otherwise. */
export const ev = (
  coupon_id: string,
  version: number,
  ms: number,
  from_status: string | null,
  to_status: string,
  more: LiteralRow = {},
): LiteralRow => ({
  coupon_id,
  version,
  seq: ms,
  at_us: ms * 1000,
  from_status,
  to_status,
  actor: "customer",
  ...more,
});
export const coupon = (
  id: string,
  user_id: string,
  status = "issued",
  more: LiteralRow = {},
): LiteralRow => ({
  id,
  code: `code-${id}`,
  campaign_id: "c",
  user_id,
  amount: 1000,
  status,
  ...more,
});
export const claim = (
  intent: string,
  user_id: string,
  outcome: string,
  coupon_id: string | null,
  more: LiteralRow = {},
): LiteralRow => ({
  intent,
  process: "1.1.0",
  attempt: 1,
  kind: "claim",
  outcome,
  status: outcome === "ok" ? 201 : outcome === "fail" ? 422 : 0,
  time_invoke_ns: 1_000,
  time_complete_ns: 2_000,
  request: { campaign_id: "c", user_id },
  response: coupon_id === null ? {} : { coupon_id, code: `code-${coupon_id}` },
  ...more,
});
export const job = (
  id: string,
  kind: string,
  start_seq: number,
  end_seq: number | null,
  more: LiteralRow = {},
): LiteralRow => ({
  id,
  intent: `intent-${id}`,
  kind,
  campaign_id: "c",
  declared_audience: 1,
  declared_seq: start_seq - 1,
  start_seq,
  end_seq,
  actor: "operator",
  ...more,
});
export const cap = (n: number | null): LiteralRow[] => [{ id: "c", cap: n, per_user: 1 }];
export const two = [coupon("k1", "u1"), coupon("k2", "u2")];
export const bothIssued = [ev("k1", 1, 10, null, "issued"), ev("k2", 1, 20, null, "issued")];

/** Issued by the job j. */
export const byJob = (id: string, reason: string, ms: number): LiteralRow =>
  ev(id, 1, ms, null, "issued", { job_id: "j", actor: "job", reason });
