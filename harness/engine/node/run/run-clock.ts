/** The run's own time: T0, and which phase an instant belongs to. Before T0 there is no phase. */
import { monotonicNs, wallUs } from "../../../determinism/clock.ts";
import type { PhaseWindow } from "../../engine.ts";

interface Window {
  readonly name: string;
  readonly startNs: number;
  readonly endNs: number;
}

export class RunClock {
  #t0Ns: number | null = null;
  #t0WallMs = 0;
  readonly #windows: readonly Window[];

  constructor(phases: readonly PhaseWindow[]) {
    this.#windows = phases.map(({ name, startS, endS }) => ({
      name,
      startNs: startS * 1e9,
      endNs: endS * 1e9,
    }));
  }

  start(t0Ns: number): void {
    this.#t0Ns = t0Ns;
    this.#t0WallMs = Math.round((wallUs() - (monotonicNs() - t0Ns) / 1e3) / 1e3);
  }

  /** Null until the run has started. */
  get t0Ns(): number | null {
    return this.#t0Ns;
  }

  /** Wall time of T0, ms since the epoch. */
  get t0WallMs(): number {
    return this.#t0WallMs;
  }

  /** ns since T0; 0 before it. */
  sinceT0Ns(): number {
    return this.#t0Ns === null ? 0 : monotonicNs() - this.#t0Ns;
  }

  /** The phase of a monotonic instant; "" outside of all. */
  phaseAt(instantNs: number): string {
    if (this.#t0Ns === null) return "";
    const sinceNs = instantNs - this.#t0Ns;
    for (const { name, startNs, endNs } of this.#windows)
      if (sinceNs >= startNs && sinceNs < endNs) return name;
    return "";
  }
}
