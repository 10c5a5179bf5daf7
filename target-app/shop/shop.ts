/** What the shop's operations work with, and how they answer. One object a process. */
import type { Pool } from "pg";
import type { PgBoss } from "pg-boss";
import type { Log } from "../log.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Variant } from "./job-queue.ts";
import type { PaymentClient } from "./payment-client.ts";

export interface Shop {
  readonly runId: string;
  readonly variant: Variant;
  /** The crowd's ten connections. */
  readonly pool: Pool;
  /** The operator's two. */
  readonly operatorPool: Pool;
  readonly boss: PgBoss;
  readonly payments: PaymentClient;
  readonly catalogue: Catalogue;
  readonly webhookSecret: string;
  readonly operatorToken: string;
  readonly log: Log;
  readonly work: Work;
}

/** What is in work right now. */
export interface Work {
  /** Customers' requests accepted and not yet answered, those waiting for a connection among them. */
  accepted: number;
}

/** A definite answer that is not the one hoped for. `retryAfterS` tells when to come again. */
export interface Refusal {
  readonly kind: "refused";
  readonly status: 400 | 404 | 409 | 422 | 502 | 503 | 504;
  readonly error: string;
  readonly message: string;
  readonly retryAfterS?: number;
}

export type Answer<T> = { readonly kind: "done"; readonly value: T } | Refusal;

export function done<T>(value: T): Answer<T> {
  return { kind: "done", value };
}

export function refuse(
  status: Refusal["status"],
  error: string,
  message: string,
  retryAfterS?: number,
): Refusal {
  return {
    kind: "refused",
    status,
    error,
    message,
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  };
}
