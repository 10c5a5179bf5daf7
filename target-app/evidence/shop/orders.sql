-- Each order as it stands; attributes are the declared ones, with today's status.
SELECT id::text AS id, intent, user_id, seller, coupon_id::text AS coupon_id, items_total, discount, fee, total, captured, refunded,
  refund_state, status, attributes || jsonb_build_object('status', status) AS attributes
FROM orders
