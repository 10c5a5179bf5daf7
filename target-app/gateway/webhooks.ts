/**
 * Delivers what the merchant is to be told, up to 500 events a request, signed, until it answers 2xx. Asks the
 * database only while something is open: refunds and lost answers call `wake`.
 */
import { setTimeout as delay } from "node:timers/promises";
import { request, type Agent } from "undici";
import type { Pool } from "pg";
import { nowMs } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Mode } from "./modes.ts";
import { SIGNATURE_HEADER, signWebhook } from "./webhook-signature.ts";

const BATCH_MAX = 500;
/** Gathers a burst of single refunds into one delivery. */
const GATHER_MS = 100;
const RETRY_MS = 500;
const ATTEMPTS_MAX = 40;
const TIMEOUT_MS = 3_000;

interface OpenEvent {
  readonly event_id: string;
  readonly notify_url: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const OPEN = `
  SELECT e.event_id, e.notify_url, jsonb_build_object(
    'event_id', e.event_id, 'type', e.type, 'payment_id', p.id, 'parent_id', p.parent_id, 'order_id', p.order_id,
    'merchant_ref', p.merchant_ref, 'amount', p.amount, 'idempotency_key', p.idempotency_key) AS body
  FROM webhook_events e JOIN payments p ON p.id = e.payment_id
  WHERE e.delivered_at IS NULL AND e.attempts < ${ATTEMPTS_MAX}
  ORDER BY e.notify_url, e.event_id LIMIT ${BATCH_MAX}`;

/** The delivery loop. */
export class Webhooks {
  readonly #pool: Pool;
  readonly #agent: Agent;
  readonly #secret: string;
  readonly #mode: Mode;
  readonly #log: Log;
  #running = false;
  #again = false;
  #stopped = false;

  constructor(pool: Pool, agent: Agent, secret: string, mode: Mode, log: Log) {
    this.#pool = pool;
    this.#agent = agent;
    this.#secret = secret;
    this.#mode = mode;
    this.#log = log;
  }

  /** Something may be open: deliver until nothing is. Cheap to call often. */
  wake(): void {
    this.#again = true;
    if (!this.#running && !this.#stopped) void this.#run();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      await delay(GATHER_MS);
      try {
        if (!(await this.#deliverOpen())) await delay(RETRY_MS);
      } catch (error) {
        this.#log.warn({ error: String(error) }, "webhook delivery failed");
        this.#again = true;
        await delay(RETRY_MS);
      }
    }
    this.#running = false;
  }

  /** One round; sets `again` while events stay open. Returns whether all deliveries were taken. */
  async #deliverOpen(): Promise<boolean> {
    const { rows } = await this.#pool.query<OpenEvent>(OPEN);
    if (rows.length === 0) return true;
    this.#again = true;
    const byUrl = Map.groupBy(rows, (row) => row.notify_url);
    let taken = true;
    for (const [url, events] of byUrl) {
      const ok = await this.#post(url, events);
      const repeats = ok ? this.#mode.repeatWebhooks : 0;
      for (let repeat = 0; repeat < repeats; repeat++) await this.#post(url, events);
      await this.#pool.query(
        `UPDATE webhook_events SET attempts = attempts + 1, delivered_at = CASE WHEN $2 THEN clock_timestamp() END WHERE event_id = ANY ($1)`,
        [events.map((event) => event.event_id), ok],
      );
      taken &&= ok;
    }
    return taken;
  }

  async #post(url: string, events: readonly OpenEvent[]): Promise<boolean> {
    const body = JSON.stringify({ events: events.map((event) => event.body) });
    const signature = signWebhook(this.#secret, Math.floor(nowMs() / 1_000), body);
    try {
      const answer = await request(url, {
        method: "POST",
        dispatcher: this.#agent,
        headers: { "content-type": "application/json", [SIGNATURE_HEADER]: signature },
        body,
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
      });
      await answer.body.dump();
      return answer.statusCode >= 200 && answer.statusCode < 300;
    } catch {
      return false; // the merchant is down or restarting; the event stays open
    }
  }
}
