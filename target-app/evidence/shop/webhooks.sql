-- Every receipt; applied ones were written in the transaction of their effect.
SELECT event_id, payment_id, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS seq, signature_ok, CASE WHEN applied THEN (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint END AS applied_seq
FROM webhooks
