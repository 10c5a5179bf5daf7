/**
 * After the drain the harness reads back, as a customer would, a sample of what was acknowledged: an order or a coupon
 * that was promised must be found. Every read is an operation of process `harness`.
 */
import { monotonicNs } from "../determinism/clock.ts";
import { hash32 } from "../determinism/seed.ts";
import { wordOf } from "../history/operation.ts";
import type { Recorder } from "../history/recorder.ts";
import type { Target } from "../target/target.ts";

const SAMPLE_MAX = 200;

interface Wanted {
  readonly entity: "order" | "coupon";
  readonly id: string;
  readonly user: string;
}

/** Acknowledged orders, and users whose order used a coupon; at most 200 of each, chosen by the seed. */
function sample(recorder: Recorder, seed: number): Wanted[] {
  const orders: Wanted[] = [];
  const coupons: Wanted[] = [];
  for (const op of recorder.operations()) {
    if (op.outcome !== "ok" || (op.kind !== "order" && op.kind !== "claim")) continue;
    const request = JSON.parse(op.request) as Record<string, unknown>;
    const response = JSON.parse(op.response) as Record<string, unknown>;
    const user = wordOf(request["user_id"]);
    if (typeof response["order_id"] === "string")
      orders.push({ entity: "order", id: response["order_id"], user });
    if (typeof response["coupon_id"] === "string" && user !== "")
      coupons.push({ entity: "coupon", id: response["coupon_id"], user });
  }
  const some = (all: Wanted[]): Wanted[] =>
    all
      .toSorted((a, b) => hash32(seed, "final-read", a.id) - hash32(seed, "final-read", b.id))
      .slice(0, SAMPLE_MAX);
  return [...some(orders), ...some(coupons)];
}

/** Reads the sample and records it. */
export async function readBack(
  target: Target,
  recorder: Recorder,
  seed: number,
  t0Ns: number,
): Promise<void> {
  const wanted = sample(recorder, seed);
  for (let at = 0; at < wanted.length; at += 8) {
    await Promise.all(
      wanted.slice(at, at + 8).map((want, k) => readOne(target, recorder, want, at + k, t0Ns)),
    );
  }
}

async function readOne(
  target: Target,
  recorder: Recorder,
  want: Wanted,
  n: number,
  t0Ns: number,
): Promise<void> {
  const began = monotonicNs() - t0Ns;
  const answer = await target.read(
    want.entity === "order"
      ? `/orders/${encodeURIComponent(want.id)}`
      : `/coupons?user_id=${encodeURIComponent(want.user)}`,
  );
  recorder.operation({
    time_intended_ns: began,
    time_invoke_ns: began,
    time_complete_ns: monotonicNs() - t0Ns,
    process: "harness",
    intent: `final-read-${n}`,
    attempt: 1,
    kind: "final-read",
    outcome: answer.status === 200 ? "ok" : "fail",
    status: answer.status,
    error: answer.error,
    phase: "final-read",
    scenario: "harness",
    iteration: -1,
    final: answer.status === 200,
    request: { entity: want.entity, id: want.id, user_id: want.user },
    response: answer.body,
  });
}
