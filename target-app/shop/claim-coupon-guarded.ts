/**
 * Claiming a coupon with care: the campaign's counter row is locked first, so the cap is looked at under the lock that
 * raises it, and a person's grant is a primary key. A repeated key gets the same code.
 */
import { COUPON_CODE_SQL } from "./coupon-code.ts";
import type { ClaimAsk } from "./routes.ts";
import { done, refuse, type Answer, type Shop } from "./shop.ts";

/** Everything hangs on `granted`, which hangs on the locked counter: no part of it can happen alone. */
const CLAIM = {
  name: "claim",
  text: `
    WITH prior AS (
      SELECT id, code, user_id, campaign_id FROM coupons WHERE claim_key = $3
    ), entitled AS (
      SELECT members.id AS user_id, identity_hash, amount FROM campaigns, members
      WHERE campaigns.id = $1 AND kind = 'grant' AND now() BETWEEN valid_from AND valid_to AND members.id = $2
        AND NOT EXISTS (SELECT FROM jobs WHERE jobs.kind = 'recall' AND jobs.campaign_id = $1)
        AND (NOT EXISTS (SELECT FROM eligible WHERE campaign_id = $1)
          OR EXISTS (SELECT FROM eligible WHERE campaign_id = $1 AND user_id = $2))
    ), counter AS (
      SELECT campaign_id FROM campaign_counters
      WHERE campaign_id = $1 AND (cap IS NULL OR issued < cap) AND EXISTS (SELECT FROM entitled) AND NOT EXISTS (SELECT FROM prior)
      FOR NO KEY UPDATE
    ), granted AS (
      INSERT INTO campaign_grants (campaign_id, identity_hash) SELECT campaign_id, identity_hash FROM entitled, counter
      ON CONFLICT DO NOTHING RETURNING campaign_id
    ), counted AS (
      UPDATE campaign_counters SET issued = issued + 1 FROM granted WHERE campaign_counters.campaign_id = granted.campaign_id
    ), made AS (
      INSERT INTO coupons (code, campaign_id, user_id, amount, claim_key)
      SELECT ${COUPON_CODE_SQL}, campaign_id, user_id, amount, $3 FROM granted, entitled RETURNING id, code
    ), told AS (
      INSERT INTO coupon_events (coupon_id, version, to_status, actor, reason, intent)
      SELECT id, 1, 'issued', 'customer', 'claimed', $3 FROM made
    )
    SELECT COALESCE(made.id, prior.id)::text AS coupon_id, COALESCE(made.code, prior.code) AS code,
      prior.id IS NOT NULL AND (prior.user_id <> $2 OR prior.campaign_id <> $1) AS other_claim,
      EXISTS (SELECT FROM entitled) AS entitled, EXISTS (SELECT FROM counter) AS left_over,
      EXISTS (SELECT FROM campaign_grants JOIN entitled USING (identity_hash) WHERE campaign_id = $1) AS has_one
    FROM (SELECT) AS one LEFT JOIN made ON true LEFT JOIN prior ON true`,
};

interface Claim {
  readonly coupon_id: string | null;
  readonly code: string | null;
  readonly other_claim: boolean;
  readonly entitled: boolean;
  readonly left_over: boolean;
  readonly has_one: boolean;
}

/** `intent` is the idempotency key as the customer sent it. */
export async function claimCoupon(
  shop: Shop,
  ask: ClaimAsk,
  intent: string | null,
): Promise<Answer<{ coupon_id: string; code: string }>> {
  if (intent === null)
    return refuse(400, "idempotency_key_required", "send an Idempotency-Key header");
  const values = [ask.campaign_id, ask.user_id, intent];
  const { rows } = await shop.pool.query<Claim>({ ...CLAIM, values });
  const claim = rows[0];
  if (claim === undefined) throw new Error("expected one row from the claim, but none came");
  if (claim.other_claim)
    return refuse(422, "key_reused", "this key came with another claim before");
  if (claim.coupon_id !== null && claim.code !== null)
    return done({ coupon_id: claim.coupon_id, code: claim.code });
  if (!claim.entitled) return refuse(422, "not_entitled", "this campaign is not for you");
  if (claim.has_one || claim.left_over)
    return refuse(422, "already_claimed", "you have this coupon already"); // left over, yet not granted: a race lost to oneself
  return refuse(422, "sold_out", "no coupon is left");
}
