/**
 * Claiming a coupon, the way it is often written: look whether one is left, then take one. Between the look and the
 * taking others look too, so a cap is a wish; the key is stored in the audit trail and not looked at.
 */
import { COUPON_CODE_SQL } from "./coupon-code.ts";
import type { ClaimAsk } from "./routes.ts";
import { done, refuse, type Answer, type Shop } from "./shop.ts";

const LOOK = {
  name: "look-claim",
  text: `
    SELECT (SELECT count(*) FROM coupons WHERE campaign_id = $1) < COALESCE(cap, 9223372036854775807) AS left_over,
      EXISTS (SELECT FROM members WHERE id = $2) AND (NOT EXISTS (SELECT FROM eligible WHERE campaign_id = $1)
        OR EXISTS (SELECT FROM eligible WHERE campaign_id = $1 AND user_id = $2)) AS entitled,
      (SELECT count(*) FROM coupons WHERE user_id = $2 AND campaign_id = $1) >= per_user AS has_one
    FROM campaigns WHERE id = $1 AND kind = 'grant' AND now() BETWEEN valid_from AND valid_to`,
};

const INSERT = {
  name: "insert-claim",
  text: `
    WITH made AS (
      INSERT INTO coupons (code, campaign_id, user_id, amount)
      SELECT ${COUPON_CODE_SQL}, id, $2, amount FROM campaigns WHERE id = $1 RETURNING id, code
    ), told AS (
      INSERT INTO coupon_events (coupon_id, version, to_status, actor, reason, intent)
      SELECT id, 1, 'issued', 'customer', 'claimed', $3 FROM made
    )
    SELECT id::text AS coupon_id, code FROM made`,
};

interface Look {
  readonly left_over: boolean;
  readonly entitled: boolean;
  readonly has_one: boolean;
}

/** `intent` is the idempotency key as the customer sent it. */
export async function claimCoupon(
  shop: Shop,
  ask: ClaimAsk,
  intent: string | null,
): Promise<Answer<{ coupon_id: string; code: string }>> {
  const values = [ask.campaign_id, ask.user_id];
  const { rows } = await shop.pool.query<Look>({ ...LOOK, values });
  const look = rows[0];
  if (look?.entitled !== true) return refuse(422, "not_entitled", "this campaign is not for you");
  if (look.has_one) return refuse(422, "already_claimed", "you have this coupon already");
  if (!look.left_over) return refuse(422, "sold_out", "no coupon is left");
  const made = await shop.pool.query<{ coupon_id: string; code: string }>({
    ...INSERT,
    values: [...values, intent],
  });
  const coupon = made.rows[0];
  if (coupon === undefined) throw new Error("expected a coupon after its insert, but none came");
  return done(coupon);
}
