/** The outbox (guarded): what was committed together with its event goes to the sink in batches, until the sink has it. */
import type { Message } from "./sink-client.ts";
import type { Work } from "./work.ts";

const BATCH_MAX = 1_000;

const OPEN = `
  SELECT id, user_id, ref_kind, ref, template, reason, channel,
    (extract(epoch FROM pg_xact_commit_timestamp(outbox.xmin)) * 1000000)::bigint AS event_at_us
  FROM outbox_pending JOIN outbox USING (id) LIMIT ${BATCH_MAX}`;

/** One batch; true when there may be more. A batch that is sent twice arrives once: the sink knows the ids. */
export async function noticeRound(work: Work): Promise<boolean> {
  const { rows } = await work.pool.query<Message>(OPEN);
  if (rows.length === 0) return false;
  await work.sink.send(rows);
  await work.pool.query("DELETE FROM outbox_pending WHERE id = ANY ($1)", [
    rows.map((row) => row.id),
  ]);
  return true;
}
