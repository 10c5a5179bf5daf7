/**
 * Orders whose payment nobody knows (guarded): the gateway's answer was lost, or the shop died while it waited. The
 * gateway is asked by merchant reference; what it captured is paid, what it declined or never saw is failed.
 */
import { settleFailed, settlePaid } from "../settle-order.ts";
import type { Work } from "./work.ts";

const BATCH_MAX = 100;
const AT_ONCE = 8;
/** From then on the shop has stopped waiting for its answer, ms. */
export const ASK_AFTER_MS = 3_000;
/** From then on a payment the gateway has not seen will not come any more, ms. */
const GIVE_UP_AFTER_MS = 6_000;

interface Unknown {
  readonly id: string;
  readonly intent: string;
  readonly age_ms: number;
}

/** Asks about everything that is unknown for long enough; false: the next look is the watch's. */
export async function reconcileRound(work: Work): Promise<boolean> {
  const { rows } = await work.pool.query<Unknown>(
    `SELECT id::text, intent, (extract(epoch FROM clock_timestamp() - created_at) * 1000)::int AS age_ms FROM orders
     WHERE status = 'pending' AND created_at < clock_timestamp() - interval '${ASK_AFTER_MS} milliseconds'
     ORDER BY id LIMIT ${BATCH_MAX}`,
  );
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let order = rows[next++]; order !== undefined; order = rows[next++])
      await reconcile(work, order);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return rows.length === BATCH_MAX;
}

async function reconcile(work: Work, order: Unknown): Promise<void> {
  const payments = await work.gateway.paymentsOf(order.intent);
  const captured = payments.find((payment) => payment.result === "ok" && !payment.voided);
  if (captured !== undefined) await settlePaid(work.pool, order.id, captured.payment_id);
  else if (payments.length > 0) await settleFailed(work.pool, order.id, "declined");
  else if (order.age_ms > GIVE_UP_AFTER_MS)
    await settleFailed(work.pool, order.id, "never charged");
}
