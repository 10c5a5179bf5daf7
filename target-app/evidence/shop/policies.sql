-- Published policies; the snapshot is part of the publishing transaction.
SELECT policy, version::bigint AS version,
  (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS published_seq,
  (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS published_at_us,
  (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS snapshot_seq,
  scope, action, carve_outs, coupon_action, deadline_ms::bigint AS deadline_ms, compensation
FROM policies
