-- What affected customers got.
SELECT id::text AS id, user_id, order_id::text AS order_id, coupon_id::text AS coupon_id, amount, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS seq FROM compensations
