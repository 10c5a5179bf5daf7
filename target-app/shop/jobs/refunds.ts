/**
 * Refunds that are owed (guarded): taken in batches, asked for by the thousand, tried again until the gateway has made
 * them. Each keeps one idempotency key for life, so asking twice gives the money back once; whoever learns first that
 * it is done, this or the gateway's webhook, books it.
 */
import { settleRefunds } from "../settle-refunds.ts";
import type { RefundResult } from "./gateway-client.ts";
import { inTransaction, type Work } from "./work.ts";

const BATCH_MAX = 500;
/** How long a batch belongs to the worker that took it; after that another may ask again. */
const LEASE_MS = 3_000;
const RETRY_MS = 400;

interface Claimed {
  readonly order_id: string;
  readonly amount: number;
  readonly idempotency_key: string;
}

const CLAIM = `
  WITH due AS (
    SELECT id FROM refunds WHERE state = 'requested' AND next_attempt_at <= clock_timestamp()
    ORDER BY next_attempt_at LIMIT ${BATCH_MAX} FOR UPDATE SKIP LOCKED
  )
  UPDATE refunds SET attempts = attempts + 1, next_attempt_at = clock_timestamp() + interval '${LEASE_MS} milliseconds'
  FROM due WHERE refunds.id = due.id
  RETURNING order_id::text, amount, idempotency_key`;

/** The account is gone since: from the clearing account to the named liability. */
const AWAITING = `
  WITH parked AS (
    UPDATE refunds SET state = 'awaiting_account' WHERE idempotency_key = ANY ($1) AND state = 'requested' RETURNING order_id, amount
  ), shown AS (
    UPDATE orders SET refund_state = 'awaiting_account' FROM parked WHERE orders.id = parked.order_id
  )
  INSERT INTO ledger (entry_id, account, debit, credit, ref)
  SELECT 'await:' || order_id, entry.account, entry.debit, entry.credit, order_id::text
  FROM parked, LATERAL (VALUES ('refund_clearing', amount, 0), ('refunds_awaiting_account', 0, amount)) AS entry (account, debit, credit)`;

const LATER = `
  UPDATE refunds SET next_attempt_at = clock_timestamp() + interval '${RETRY_MS} milliseconds'
  WHERE idempotency_key = ANY ($1) AND state = 'requested'`;

/** One batch; true when there may be more. */
export async function refundRound(work: Work): Promise<boolean> {
  const { rows: claimed } = await work.pool.query<Claimed>(CLAIM);
  if (claimed.length === 0) return false;
  const results = await work.gateway.refundBatch(
    claimed.map((refund) => ({ ...refund, account: true })),
  );
  const keys = (...wanted: readonly (RefundResult | undefined)[]): string[] =>
    claimed
      .map((refund) => refund.idempotency_key)
      .filter((key) => wanted.includes(results.get(key)));
  const refused = keys("key_reused", "unknown_payment", "exceeds_captured");
  if (refused.length > 0)
    work.log.error(
      { refunds: refused.length, first: refused[0] },
      "refunds that the gateway will never make",
    );
  await inTransaction(work.pool, async (client) => {
    const done = keys("ok");
    if (done.length > 0) await settleRefunds(client, done);
    const parked = keys("no_refund_account");
    if (parked.length > 0) await client.query(AWAITING, [parked]);
    const later = keys("rail_unavailable", undefined);
    if (later.length > 0) await client.query(LATER, [later]);
    if (refused.length > 0)
      await client.query(
        "UPDATE refunds SET state = 'failed' WHERE idempotency_key = ANY ($1) AND state = 'requested'",
        [refused],
      );
  });
  return claimed.length === BATCH_MAX;
}
