/**
 * Recalling a campaign's unused coupons, the way it is often written: first a list of what is unused, then updates by
 * that list. A coupon used after the list was read is recalled all the same, and its order keeps a discount that the
 * books say was never given.
 */
import {
  CHUNK_ROWS,
  markEnded,
  markStarted,
  showProgress,
  type MassJob,
  type Work,
} from "./work.ts";

export async function recall(work: Work, job: MassJob): Promise<void> {
  await markStarted(work.pool, job.id);
  const { rows: unused } = await work.pool.query<{ id: number; status: string }>(
    "SELECT id, status FROM coupons WHERE campaign_id = $1 AND status IN ('issued', 'released') ORDER BY id",
    [job.campaignId],
  );
  for (let done = 0; done < unused.length; done += CHUNK_ROWS) {
    const list = unused.slice(done, done + CHUNK_ROWS);
    await work.pool.query(
      `WITH recalled AS (
         UPDATE coupons SET status = 'recalled', version = version + 1
         FROM unnest($1::bigint[], $2::text[]) AS listed (id, status) WHERE coupons.id = listed.id
         RETURNING coupons.id, version, listed.status AS from_status
       )
       INSERT INTO coupon_events (coupon_id, version, from_status, to_status, actor, reason, job_id)
       SELECT id, version, from_status, 'recalled', 'job', 'event error', $3 FROM recalled`,
      [list.map((coupon) => coupon.id), list.map((coupon) => coupon.status), job.id],
    );
    await showProgress(work.pool, job.id, { done: done + list.length, total: unused.length });
  }
  await markEnded(work.pool, job.id, "done");
}
