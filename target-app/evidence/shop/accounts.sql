-- The ledger's accounts.
SELECT account, kind FROM accounts
