/** After the crowd: let the service come to rest, read back as a customer, stop it, and read its books. */
import { monotonicNs, sleepMs } from "../determinism/clock.ts";
import type { Recorder } from "../history/recorder.ts";
import type { Target } from "../target/target.ts";
import { readBack } from "./final-reads.ts";
import type { Show } from "./plan.ts";

const ASK_MS = 200;

export interface Settled {
  readonly drained: boolean;
  /** What it was still waiting for when it was stopped. */
  readonly waiting: string;
  readonly tookS: number;
}

/** Waits until the service says it has come to rest, at most `drainS`. */
export async function drain(target: Target, drainS: number, show: Show): Promise<Settled> {
  const began = monotonicNs();
  const since = (): number => (monotonicNs() - began) / 1e9;
  for (;;) {
    const state = await target.drained();
    if (state.drained) return { drained: true, waiting: "", tookS: since() };
    if (since() >= drainS) {
      show.say(`the service did not come to rest within ${drainS} s: ${state.waiting}`);
      return { drained: false, waiting: state.waiting, tookS: since() };
    }
    await sleepMs(ASK_MS);
  }
}

/** Drain, final reads, stop, books. A service that does not drain is stopped, and that is recorded as an operator's step. */
export async function settle(target: Target, recorder: Recorder, options: { readonly drainS: number; readonly seed: number; readonly t0Ns: number; readonly evidenceDir: string; readonly show: Show }): Promise<Settled> {
  const settled = await drain(target, options.drainS, options.show);
  if (settled.drained) await readBack(target, recorder, options.seed, options.t0Ns);
  const stopping = monotonicNs() - options.t0Ns;
  await target.stopServices();
  if (!settled.drained) {
    recorder.fault({ id: "stop", kind: "operator", name: "stop", target: "all services", planned_ns: stopping, begin_ns: stopping, end_ns: monotonicNs() - options.t0Ns, detail: settled.waiting });
  }
  await target.readBooks(options.evidenceDir, settled.drained);
  return settled;
}
