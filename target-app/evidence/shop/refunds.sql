-- One row a refund, its current state, and when it got there.
SELECT order_id::text AS order_id, amount, state, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS seq, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS at_us FROM refunds
