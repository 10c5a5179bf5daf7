-- What really reached customers. event_seq belongs to the shop's book: shop/notification_events.sql has it.
SELECT id, user_id, ref_kind, ref, NULL::bigint AS event_seq, template, reason, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS seq, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS at_us
FROM messages
