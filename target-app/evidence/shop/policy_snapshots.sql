-- Every live order's declared attributes when the policy was published.
SELECT policy, version::bigint AS version, order_id::text AS order_id, attributes, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS snapshot_seq
FROM policy_snapshots
