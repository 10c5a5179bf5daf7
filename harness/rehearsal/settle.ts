/** After the crowd: let the service come to rest, read back as a customer, stop it, and read its books. */
import { monotonicNs, sleepMs } from "../determinism/clock.ts";
import { runPaths } from "../history/run-folder.ts";
import type { EventDeclaration } from "../scenario/event.ts";
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
async function drain(target: Target, drainS: number, show: Show): Promise<Settled> {
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
export async function settle(
  target: Target,
  left: { readonly recorder: Recorder; readonly t0Ns: number },
  options: {
    readonly event: Pick<EventDeclaration, "drainS">;
    readonly seed: number;
    readonly dir: string;
    readonly show: Show;
  },
): Promise<Settled> {
  const { recorder, t0Ns } = left;
  const settled = await drain(target, options.event.drainS, options.show);
  if (settled.drained) await readBack(target, recorder, options.seed, t0Ns);
  const stopping = monotonicNs() - t0Ns;
  await target.stopServices();
  if (!settled.drained) {
    recorder.fault({
      id: "stop",
      kind: "operator",
      name: "stop",
      target: "all services",
      planned_ns: stopping,
      begin_ns: stopping,
      end_ns: monotonicNs() - t0Ns,
      detail: settled.waiting,
    });
  }
  await target.readBooks(runPaths(options.dir).evidence, settled.drained);
  return settled;
}
