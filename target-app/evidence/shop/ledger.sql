-- The double-entry ledger.
SELECT entry_id, account, debit, credit, ref, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS seq FROM ledger
