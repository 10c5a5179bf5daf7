/** The harness's only door to time. Monotonic nanoseconds for measuring, wall time for telling people. */
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";

/** Monotonic nanoseconds since an arbitrary origin, as a safe number (µs resolution is enough; 2^53 ns is 104 days). */
export function monotonicNs(): number {
  return Math.round(performance.now() * 1e6);
}

/** Wall time in microseconds since the epoch. */
export function wallUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1e3);
}

/** Wall time as ISO 8601, UTC. */
export function wallIso(): string {
  return new Date(wallUs() / 1e3).toISOString();
}

/** Waits; rejects with the signal's reason when aborted. */
export async function sleepMs(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal });
}
