-- The orders' audit trail.
SELECT order_id::text AS order_id, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS seq, version::bigint AS version, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS at_us,
  from_status, to_status, actor, reason, policy, job_id, intent
FROM order_events
