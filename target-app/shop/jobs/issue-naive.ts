/**
 * Issuing coupons, the way it is often written: the segment the operator picked is taken as it is; nobody compares it
 * with the declared audience or with who is entitled; the cap is checked once, in the application, before the start.
 */
import { AUDIENCE_SQL, audienceSchema } from "../audience.ts";
import { COUPON_CODE_SQL } from "../coupon-code.ts";
import {
  CHUNK_ROWS,
  markEnded,
  markStarted,
  showProgress,
  type MassJob,
  type Work,
} from "./work.ts";

export async function issue(work: Work, job: MassJob): Promise<void> {
  await markStarted(work.pool, job.id);
  const audience = AUDIENCE_SQL[audienceSchema.parse(job.audience)];
  const { rows: counts } = await work.pool.query<{
    issued: number;
    cap: number | null;
    total: number;
  }>(
    `SELECT (SELECT count(*)::int FROM coupons WHERE campaign_id = $1) AS issued, cap::int AS cap,
       (SELECT count(*)::int FROM (${audience}) AS a) AS total
     FROM campaigns WHERE id = $1`,
    [job.campaignId],
  );
  const { issued = 0, cap = null, total = 0 } = counts[0] ?? {};
  if (cap !== null && issued >= cap) {
    await markEnded(work.pool, job.id, "failed", "the campaign is used up");
    return;
  }
  let last = "";
  for (let done = 0; done < total;) {
    const { rows } = await work.pool.query<{ last: string | null; made: number }>(
      `WITH chosen AS (
         SELECT user_id FROM (${audience}) AS audience WHERE user_id > $2 ORDER BY user_id LIMIT ${CHUNK_ROWS}
       ), made AS (
         INSERT INTO coupons (code, campaign_id, user_id, amount)
         SELECT ${COUPON_CODE_SQL}, $1, user_id, campaigns.amount
         FROM chosen JOIN campaigns ON campaigns.id = $1
         RETURNING id
       ), told AS (
         INSERT INTO coupon_events (coupon_id, version, to_status, actor, reason, job_id)
         SELECT id, 1, 'issued', 'job', 'event coupon', $3 FROM made
       )
       SELECT (SELECT max(user_id) FROM chosen) AS last, (SELECT count(*)::int FROM made) AS made`,
      [job.campaignId, last, job.id],
    );
    const chunk = rows[0];
    if (chunk === undefined || chunk.last === null) break;
    last = chunk.last;
    done += chunk.made;
    await showProgress(work.pool, job.id, { done, total });
  }
  await markEnded(work.pool, job.id, "done");
}
