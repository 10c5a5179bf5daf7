-- Not a canonical table: the shop's commit of each outbox message, to be joined to the sink's notifications by id as event_seq.
SELECT id, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS event_seq FROM outbox
