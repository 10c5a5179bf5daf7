/** Lets the crowd in: the engine, the operator's and the faults' timeline, and the watch on the service, side by side. */
import { monotonicNs, sleepMs, wallUs } from "../determinism/clock.ts";
import type { EngineResult, PhaseWindow, PreparedRun } from "../engine/engine.ts";
import { playTimeline, type TimelineResult } from "../faults/timeline.ts";
import type { LiveFigures } from "../analysis/live.ts";
import type { Recorder } from "../history/recorder.ts";
import type { EventDeclaration } from "../scenario/event.ts";
import type { Target } from "../target/target.ts";
import type { Show } from "./plan.ts";

const VITALS_MS = 250;
const TICK_MS = 250;

export interface DriveOptions {
  readonly prepared: PreparedRun;
  readonly event: EventDeclaration;
  readonly phases: readonly PhaseWindow[];
  readonly target: Target;
  readonly variant: string;
  readonly recorder: Recorder;
  readonly live: LiveFigures;
  readonly show: Show;
  readonly signal: AbortSignal;
}

export interface Driven {
  readonly engine: EngineResult;
  readonly timeline: TimelineResult;
  readonly t0Ns: number;
  readonly t0WallUs: number;
}

/** Resolves when the schedule is over, every step was taken and every fault is healed. */
export async function driveCrowd(options: DriveOptions): Promise<Driven> {
  const { prepared, recorder, target, show, signal } = options;
  const t0Ns = monotonicNs();
  const t0WallUs = wallUs();
  const totalS = options.phases.at(-1)?.endS ?? 0;
  const phaseAt = (tNs: number): string =>
    options.phases.find((p) => tNs / 1e9 >= p.startS && tNs / 1e9 < p.endS)?.name ?? "drain";
  const ended = new AbortController();
  const active = new Set<string>();
  const watching = [
    watchVitals(target, recorder, t0Ns, ended.signal),
    watchLive({ ...options, t0Ns, totalS, phaseAt, active }, ended.signal),
  ];
  try {
    // A crowd that ends early takes the timeline with it: what is broken is healed before anything is thrown.
    const over = new AbortController();
    const crowd = prepared.start(t0Ns).finally(() => over.abort());
    const [engine, timeline] = await Promise.allSettled([
      crowd,
      playTimeline({
        event: options.event,
        target,
        t0Ns,
        record: recorder,
        notRecovered: () => options.live.notRecovered(),
        phaseAt,
        active,
        say: (line) => show.say(line),
        signal: AbortSignal.any([signal, over.signal]),
      }),
    ]);
    if (engine.status === "rejected") throw engine.reason;
    if (timeline.status === "rejected") throw timeline.reason;
    return { engine: engine.value, timeline: timeline.value, t0Ns, t0WallUs };
  } finally {
    ended.abort();
    await Promise.all(watching);
  }
}

/** Asks the service for its own queue a few times a second; no answer is recorded as such. */
async function watchVitals(
  target: Target,
  recorder: Recorder,
  t0Ns: number,
  ended: AbortSignal,
): Promise<void> {
  while (!ended.aborted) {
    const { queueDepth } = await target.vitals();
    recorder.vitals({ t_ns: monotonicNs() - t0Ns, queue_depth: queueDepth });
    await sleepMs(VITALS_MS, ended).catch(() => {});
  }
}

async function watchLive(
  options: DriveOptions & {
    readonly t0Ns: number;
    readonly totalS: number;
    readonly phaseAt: (tNs: number) => string;
    readonly active: ReadonlySet<string>;
  },
  ended: AbortSignal,
): Promise<void> {
  const { t0Ns, totalS, phaseAt, active } = options;
  while (!ended.aborted) {
    const now = monotonicNs() - t0Ns;
    const figures = options.live.snapshot(now);
    if (figures.message !== undefined) options.show.say(figures.message);
    options.show.tick({
      elapsedS: now / 1e9,
      totalS,
      phase: phaseAt(now),
      offeredPerS: figures.offeredPerS,
      goodputPerS: figures.goodputPerS,
      retryShare: figures.retryShare,
      p99Ms: figures.p99Ms,
      inFlight: options.prepared.live().inFlight,
      faults: [...active],
      variant: options.variant,
    });
    await sleepMs(TICK_MS, ended).catch(() => {});
  }
}
