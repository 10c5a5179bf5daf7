-- The eligibility snapshots; a campaign without rows is open to all.
SELECT campaign_id, user_id, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS snapshot_seq FROM eligible
