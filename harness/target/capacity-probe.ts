/**
 * Measures how many orders per second the service completes when customers wait politely (closed loop): the figure that
 * every rate of a scenario is a multiple of. autocannon sends the crowd's own order mix; the first two seconds are
 * dropped (compilation, cold caches, connections), two significant digits are kept: more would be noise.
 */
import autocannon from "autocannon";
import { monotonicNs } from "../determinism/clock.ts";
import { StampedeError } from "../errors.ts";

export interface ProbeOptions {
  readonly baseUrl: string;
  /** The n-th order's body; each asked for once. */
  readonly order: (n: number) => {
    readonly body: string;
    readonly headers: Record<string, string>;
  };
  readonly path: string;
  readonly seconds: number;
  readonly connections: number;
  readonly signal: AbortSignal;
}

const WARM_UP_S = 2;

/** Two significant digits, as people say such figures. */
export function twoSignificant(value: number): number {
  return Number(value.toPrecision(2));
}

/** Orders per second acknowledged (2xx) after the warm-up. Throws "environment" when the service acknowledges nothing. */
export async function probeCapacity(options: ProbeOptions): Promise<number> {
  let n = 0;
  const began = monotonicNs();
  let counted = 0;
  const statuses: Record<string, number> = {};
  const { signal } = options;
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const run = autocannon(
      {
        url: options.baseUrl,
        connections: options.connections,
        duration: options.seconds,
        timeout: 10,
        requests: [
          {
            method: "POST",
            path: options.path,
            setupRequest: (request) => {
              const { body, headers } = options.order(n++);
              return {
                ...request,
                body,
                headers: { ...headers, "content-type": "application/json" },
              };
            },
          },
        ],
      },
      (error) => (error ? reject(error as Error) : resolve()),
    );
    signal.addEventListener("abort", () => run.stop(), { once: true });
    run.on("response", (_client, status) => {
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status >= 200 && status < 300 && monotonicNs() - began >= WARM_UP_S * 1e9) counted++;
    });
  });
  const measuredS = options.seconds - WARM_UP_S;
  signal.throwIfAborted();
  if (counted === 0) {
    throw new StampedeError(
      "environment",
      `expected the service to acknowledge orders while its capacity is measured; the answers by status were ${JSON.stringify(statuses)}`,
      { hint: "the shop's log in the run folder says why; or give the figure with -e CAPACITY=…" },
    );
  }
  return twoSignificant(counted / measuredS);
}
