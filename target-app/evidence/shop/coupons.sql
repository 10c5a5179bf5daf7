-- Each coupon as it stands.
SELECT id::text AS id, code, campaign_id, user_id, amount, status FROM coupons
