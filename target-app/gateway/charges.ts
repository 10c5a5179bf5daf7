/**
 * Charges: authorize and capture in one statement. Requests that arrive within a few milliseconds share one INSERT
 * (group commit): the answer takes the gateway's latency anyway, so the wait is free, and a crowd costs a third of
 * the transactions. An idempotency key is charged once, however often and however concurrently it comes.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Pool } from "pg";

export interface ChargeRequest {
  readonly merchant_ref: string;
  readonly order_id: string;
  /** KRW. */
  readonly amount: number;
  readonly idempotency_key: string;
  readonly notify_url?: string | undefined;
}

export type ChargeAnswer =
  | {
      readonly kind: "answered";
      /** The capture, or the authorization when it was declined. */
      readonly payment_id: string;
      readonly authorize_id: string;
      readonly result: "ok" | "declined";
      readonly rail: "a" | "b";
    }
  | { readonly kind: "key-reused" };

/** A single payment above this is over every card's limit, KRW. */
const CARD_LIMIT = 5_000_000;
const COLLECT_MS = 4;
const BATCH_MAX = 500;

interface Waiting {
  readonly request: ChargeRequest;
  readonly resolve: (answer: ChargeAnswer) => void;
  readonly reject: (error: unknown) => void;
}

interface ChargedRow {
  readonly idempotency_key: string;
  readonly order_id: string;
  readonly amount: string;
  readonly authorize_id: string;
  readonly capture_id: string | null;
  readonly result: "ok" | "declined";
  readonly rail: "a" | "b";
}

const INSERT = {
  name: "charge",
  text: `
    WITH asked AS (
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[])
        AS a (authorize_id, capture_id, key, merchant_ref, order_id, amount, rail, notify_url)
    ), authorized AS (
      INSERT INTO payments (id, order_id, merchant_ref, kind, amount, result, idempotency_key, rail)
      SELECT authorize_id, order_id, merchant_ref, 'authorize', amount, CASE WHEN capture_id IS NULL THEN 'declined' ELSE 'ok' END, key, rail
      FROM asked
      ON CONFLICT (kind, idempotency_key) WHERE kind IN ('authorize', 'refund') DO NOTHING
      RETURNING id
    )
    INSERT INTO payments (id, parent_id, order_id, merchant_ref, kind, amount, result, rail, notify_url)
    SELECT capture_id, authorize_id, order_id, merchant_ref, 'capture', amount, 'ok', rail, notify_url
    FROM asked JOIN authorized ON authorized.id = asked.authorize_id
    WHERE capture_id IS NOT NULL
    RETURNING parent_id`,
};

const FIND = {
  name: "charged",
  text: `
    SELECT a.idempotency_key, a.order_id, a.amount, a.id AS authorize_id, c.id AS capture_id, a.result, a.rail
    FROM payments a LEFT JOIN payments c ON c.parent_id = a.id AND c.kind = 'capture'
    WHERE a.kind = 'authorize' AND a.idempotency_key = ANY ($1)`,
};

/** Charges in batches on one pool. */
export class Charges {
  readonly #pool: Pool;
  #waiting: Waiting[] = [];
  #flushing = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Resolves once the rows are committed. Rejects when the database refuses. */
  charge(request: ChargeRequest): Promise<ChargeAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (!this.#flushing) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    while (this.#waiting.length > 0) {
      await delay(COLLECT_MS);
      const batch = this.#waiting.slice(0, BATCH_MAX);
      this.#waiting = this.#waiting.slice(BATCH_MAX);
      try {
        await this.#write(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#flushing = false;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const rows = batch.map(({ request }) => {
      const id = randomUUID();
      const declined = request.amount > CARD_LIMIT;
      // The first hex digit of a random id: about half of all payments go to either bank.
      const rail = id < "8" ? ("a" as const) : ("b" as const);
      return { request, rail, authorizeId: `auth_${id}`, captureId: declined ? null : `pay_${id}` };
    });
    const made = await this.#pool.query<{ parent_id: string }>({
      ...INSERT,
      values: [
        rows.map((row) => row.authorizeId),
        rows.map((row) => row.captureId),
        rows.map((row) => row.request.idempotency_key),
        rows.map((row) => row.request.merchant_ref),
        rows.map((row) => row.request.order_id),
        rows.map((row) => row.request.amount),
        rows.map((row) => row.rail),
        rows.map((row) => row.request.notify_url ?? null),
      ],
    });
    const captured = new Set(made.rows.map((row) => row.parent_id));
    const rest: Waiting[] = [];
    for (const [index, waiting] of batch.entries()) {
      const row = rows[index];
      if (row !== undefined && row.captureId !== null && captured.has(row.authorizeId))
        waiting.resolve({
          kind: "answered",
          payment_id: row.captureId,
          authorize_id: row.authorizeId,
          result: "ok",
          rail: row.rail,
        });
      else rest.push(waiting); // declined, or a key seen before: the book knows
    }
    if (rest.length > 0) await this.#answerFromBook(rest);
  }

  async #answerFromBook(waiting: readonly Waiting[]): Promise<void> {
    const keys = waiting.map(({ request }) => request.idempotency_key);
    const found = await this.#pool.query<ChargedRow>({ ...FIND, values: [keys] });
    const byKey = new Map(found.rows.map((row) => [row.idempotency_key, row]));
    for (const { request, resolve, reject } of waiting) {
      const row = byKey.get(request.idempotency_key);
      if (row === undefined)
        reject(new Error("expected the charge in the book after its insert, but it is not there"));
      else if (Number(row.amount) !== request.amount || row.order_id !== request.order_id)
        resolve({ kind: "key-reused" });
      else
        resolve({
          kind: "answered",
          payment_id: row.capture_id ?? row.authorize_id,
          authorize_id: row.authorize_id,
          result: row.result,
          rail: row.rail,
        });
    }
  }
}
