/**
 * Books refunds that the gateway says are done (guarded): by the worker's own call, or by the webhook, whichever comes
 * first; the second changes nothing. A refund of an order has the idempotency key `refund-ORDER`, so there is one.
 */
import type { ClientBase, Pool } from "pg";

/** Locks in the order of ids: the worker's batch and the webhook's never wait for each other in a circle. */
const DONE = {
  name: "settle-refunds",
  text: `
    WITH open AS MATERIALIZED (
      SELECT id FROM refunds WHERE idempotency_key = ANY ($1) AND state = 'requested' ORDER BY id FOR UPDATE
    ), paid_out AS (
      UPDATE refunds SET state = 'done' FROM open WHERE refunds.id = open.id RETURNING order_id, amount
    ), money AS (
      UPDATE orders SET refunded = refunded + amount, refund_state = 'done' FROM paid_out WHERE orders.id = order_id
    ), booked AS (
      INSERT INTO ledger (entry_id, account, debit, credit, ref)
      SELECT 'refund:' || order_id, entry.account, entry.debit, entry.credit, order_id::text
      FROM paid_out, LATERAL (VALUES ('refund_clearing', amount, 0), ('gateway_receivable', 0, amount)) AS entry (account, debit, credit)
    )
    SELECT count(*) AS settled FROM paid_out`,
};

/** requested → done for all of these keys, in one statement. Returns how many were still open. */
export async function settleRefunds(
  connection: Pool | ClientBase,
  idempotencyKeys: readonly string[],
): Promise<number> {
  const { rows } = await connection.query<{ settled: string | number }>({
    ...DONE,
    values: [idempotencyKeys],
  });
  return Number(rows[0]?.settled ?? 0);
}
