-- What went and came; available = initial + the sum of qty.
SELECT sku, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS seq, qty::bigint AS qty, reason, order_id::text AS order_id FROM stock_events
