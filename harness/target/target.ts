/** The service under test, wherever it lives: what the harness may ask of it. */
import type { FaultRecord } from "../history/operation.ts";

/** What the service says of itself, cheaply, even under load; null where it did not answer in time. */
export interface Vitals {
  readonly queueDepth: number | null;
  readonly jobs: readonly {
    readonly id: string;
    readonly kind: string;
    readonly done: number;
    readonly total: number;
    readonly state: string;
  }[];
}

export interface OperatorAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly error: string;
}

export interface Target extends AsyncDisposable {
  readonly baseUrl: string;
  readonly place: "embedded" | "containers" | "external";
  /** Sends an operator's request on a connection of its own, with the run's token. */
  operate(
    action: "issue" | "recall" | "withdraw",
    request: Readonly<Record<string, unknown>>,
    intent: string,
  ): Promise<OperatorAnswer>;
  /** A read of the customers' own API, for the final reads after the drain. */
  read(path: string): Promise<OperatorAnswer>;
  vitals(): Promise<Vitals>;
  /** Whether everything asynchronous has come to rest. */
  drained(): Promise<{ readonly drained: boolean; readonly waiting: string }>;
  restart(service: string): Promise<void>;
  /** SIGKILL; returns what was done. A supervisor may bring the service back: `running` tells. */
  kill(service: string): Promise<Pick<FaultRecord, "kind" | "target" | "detail">>;
  running(service: string): boolean;
  /** Turns a third party's mode on or off (`refunds: "failing"`). */
  provider(mode: Readonly<Record<string, unknown>>): Promise<void>;
  /** Stops the services; afterwards none of their database backends is left. */
  stopServices(): Promise<void>;
  /** Reads the books at rest and writes evidence/*.parquet. */
  readBooks(evidenceDir: string, drained: boolean): Promise<void>;
}
