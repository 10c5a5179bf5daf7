-- The coupons' audit trail.
SELECT coupon_id::text AS coupon_id, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS seq, version::bigint AS version, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS at_us,
  from_status, to_status, actor, reason, policy, job_id, order_id::text AS order_id, intent
FROM coupon_events
