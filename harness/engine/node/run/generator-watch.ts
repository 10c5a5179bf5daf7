/**
 * The generator judges itself first: when it was the bottleneck, what was measured is its own slowness.
 * Saturated when any of these holds (faults.md names the signs; the limits are decided here):
 * - schedule lateness p99 > 100 ms (real start of an arrival against its computed one),
 * - dropped arrivals > 0.1 % of those planned so far,
 * - event loop delay p99 > 100 ms (a tick that long delays every answer's time stamp),
 * - own CPU > 95 % of one core over the whole run (one event loop cannot use more),
 * - any request that failed because this machine had no socket, port or buffer left (EMFILE, EADDRNOTAVAIL …).
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { monotonicNs } from "../../../determinism/clock.ts";
import type { GeneratorHealth } from "../../../history/run-folder.ts";
import { ValueHistogram } from "../metrics/value-histogram.ts";

const LATENESS_MS_MAX = 100;
const LOOP_DELAY_MS_MAX = 100;
const DROPPED_SHARE_MAX = 0.001;
const CPU_SHARE_MAX = 0.95;
/** How often the event loop is looked at; a tick that comes on time is that late by definition, so it is taken off. */
const RESOLUTION_MS = 10;

export class GeneratorWatch {
  /** ms. */
  readonly lateness = new ValueHistogram();
  readonly #loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #cpu: NodeJS.CpuUsage = { user: 0, system: 0 };
  #beganNs = 0;

  start(): void {
    this.#loop.enable();
    this.#cpu = process.cpuUsage();
    this.#beganNs = monotonicNs();
  }

  stop(): void {
    this.#loop.disable();
  }

  /** @param planned arrivals that were due so far, the dropped ones among them */
  health(planned: number, dropped: number, ownLimits: number): GeneratorHealth {
    const used = process.cpuUsage(this.#cpu);
    const elapsedUs = Math.max(1, (monotonicNs() - this.#beganNs) / 1e3);
    const measured = {
      lateness_ms_p99: this.lateness.valueAt(99),
      dropped,
      dropped_share: planned === 0 ? 0 : dropped / planned,
      event_loop_delay_ms_p99: Math.max(0, this.#loop.percentile(99) / 1e6 - RESOLUTION_MS),
      cpu_share: (used.user + used.system) / elapsedUs,
      socket_errors: ownLimits,
    };
    const because = [
      ...(measured.lateness_ms_p99 > LATENESS_MS_MAX
        ? [
            `arrivals started ${measured.lateness_ms_p99.toFixed(0)} ms late (p99; limit ${LATENESS_MS_MAX} ms)`,
          ]
        : []),
      ...(measured.dropped_share > DROPPED_SHARE_MAX
        ? [
            `${dropped} of ${planned} arrivals found no idle VU (limit ${DROPPED_SHARE_MAX * 100} %)`,
          ]
        : []),
      ...(measured.event_loop_delay_ms_p99 > LOOP_DELAY_MS_MAX
        ? [
            `the event loop stood still for ${measured.event_loop_delay_ms_p99.toFixed(0)} ms (p99; limit ${LOOP_DELAY_MS_MAX} ms)`,
          ]
        : []),
      ...(measured.cpu_share > CPU_SHARE_MAX
        ? [
            `the generator used ${(measured.cpu_share * 100).toFixed(0)} % of a core (limit ${CPU_SHARE_MAX * 100} %)`,
          ]
        : []),
      ...(ownLimits > 0
        ? [`${ownLimits} requests failed because this machine had no socket, port or buffer left`]
        : []),
    ];
    return { ...measured, saturated: because.length > 0, because };
  }
}
