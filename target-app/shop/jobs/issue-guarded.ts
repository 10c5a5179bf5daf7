/**
 * Issuing coupons with care: the audience is resolved and compared with what was declared and with the cap before a
 * single coupon exists; each chunk joins the eligibility snapshot, and the cap is a constraint of the database.
 */
import { admitIssue } from "../admit-issue-guarded.ts";
import { AUDIENCE_SQL, audienceSchema } from "../audience.ts";
import { COUPON_CODE_SQL } from "../coupon-code.ts";
import type { ChunkedJob } from "./chunks.ts";
import type { MassJob } from "./work.ts";

/** The declared audience, less everybody who is not in the campaign's snapshot. `$1` is the campaign. */
function entitled(job: MassJob): string {
  const audience = AUDIENCE_SQL[audienceSchema.parse(job.audience)];
  return `SELECT user_id FROM (${audience}) AS audience
    WHERE user_id IN (SELECT user_id FROM eligible WHERE campaign_id = $1)
       OR NOT EXISTS (SELECT FROM eligible WHERE campaign_id = $1)`;
}

export const issue: ChunkedJob = {
  // The request was checked when it came; the world may have changed until the job's turn.
  refusal: async (client, job) => {
    const refused = await admitIssue(client, {
      campaign_id: job.campaignId,
      audience: audienceSchema.parse(job.audience),
      declared_audience: job.declaredAudience,
    });
    return refused?.message ?? null;
  },
  keys: (job) => ({
    sql: `SELECT user_id AS key FROM (${entitled(job)}) AS entitled`,
    values: [job.campaignId],
  }),
  chunk: async (client, job, { from, to }) => {
    const { rows } = await client.query<{ issued: number }>(
      `WITH chosen AS (
         SELECT members.id AS user_id, identity_hash FROM (${entitled(job)}) AS entitled JOIN members ON members.id = user_id
         WHERE user_id BETWEEN $2 AND $3
       ), granted AS (
         INSERT INTO campaign_grants (campaign_id, identity_hash) SELECT $1, identity_hash FROM chosen
         ON CONFLICT DO NOTHING RETURNING identity_hash
       ), made AS (
         INSERT INTO coupons (code, campaign_id, user_id, amount)
         SELECT ${COUPON_CODE_SQL}, $1, user_id, campaigns.amount
         FROM chosen JOIN granted USING (identity_hash) JOIN campaigns ON campaigns.id = $1
         RETURNING id
       ), told AS (
         INSERT INTO coupon_events (coupon_id, version, to_status, actor, reason, job_id)
         SELECT id, 1, 'issued', 'job', 'issued to the declared audience', $4 FROM made
       ), counted AS (
         UPDATE campaign_counters SET issued = issued + (SELECT count(*) FROM made) WHERE campaign_id = $1
       )
       SELECT count(*)::int AS issued FROM made`,
      [job.campaignId, from, to, job.id],
    );
    return { done: rows[0]?.issued ?? 0, left: 0 };
  },
};
