-- The gateway's own ledger.
SELECT id, parent_id, order_id, merchant_ref, kind, amount, result, idempotency_key, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS seq, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS at_us
FROM payments
