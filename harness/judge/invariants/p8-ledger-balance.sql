-- id: P8
-- name: ledger-balance
-- class: S
-- holds: every ledger entry balances, so their sum is 0, and clearing accounts end at 0
-- subject: entry
-- needs: ledger(entry_id, account, debit, credit)
-- uses: accounts(account, kind) ledger(seq)
-- least-sample: 1
-- possible-when: the service had not drained, so a clearing account may still be waiting for its other half
-- statement: sample
SELECT count(DISTINCT entry_id) AS considered, count(*) FILTER (entry_id IS NULL) AS unknown FROM ledger
-- statement: violations
WITH entries AS (
  SELECT entry_id, min(seq) AS seq, sum(coalesce(debit, 0))::BIGINT AS debit, sum(coalesce(credit, 0))::BIGINT AS credit
  FROM ledger GROUP BY entry_id HAVING sum(coalesce(debit, 0)) <> sum(coalesce(credit, 0))),
clearing AS (
  SELECT l.account, max(l.seq) AS seq, sum(coalesce(l.debit, 0) - coalesce(l.credit, 0))::BIGINT AS balance
  FROM ledger l SEMI JOIN (FROM accounts WHERE kind = 'clearing') a ON a.account = l.account GROUP BY l.account HAVING balance <> 0)
SELECT 'definite' AS certainty, seq, entry_id AS subject, 'entry' AS subject_kind, 'debit ' || debit || ', credit ' || credit AS detail, abs(debit - credit) AS size FROM entries
UNION ALL
SELECT CASE WHEN drained() THEN 'definite' ELSE 'possible' END, seq, account, 'account', 'the clearing account ends at ' || balance, abs(balance) FROM clearing
