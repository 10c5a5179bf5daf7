-- id: O2
-- name: intent-once
-- class: S
-- holds: one intent has at most one order, and a key used again with another body is refused
-- subject: intent
-- needs: orders(id, intent)
-- uses: ops(kind, intent, attempt, outcome, request)
-- least-sample: 1
-- possible-when: nobody knows whether the attempt with the other body took effect
-- statement: sample
SELECT count(intent) AS considered, count(*) FILTER (intent IS NULL) AS unknown FROM orders
-- statement: violations
WITH repeated AS (SELECT intent FROM orders WHERE intent IS NOT NULL GROUP BY intent HAVING count(*) > 1),
bodies AS (
  SELECT intent, count(DISTINCT json(request)) FILTER (outcome = 'ok') AS taken, count(DISTINCT json(request)) FILTER (outcome IN ('ok', 'info')) AS maybe, bool_or(outcome = 'ok') AS any_ok
  FROM ops SEMI JOIN (FROM intents WHERE kind = 'order' AND attempts > 1) USING (intent) WHERE kind = 'order' AND request IS NOT NULL GROUP BY intent)
SELECT 'definite' AS certainty, NULL::BIGINT AS seq, intent AS subject, count(DISTINCT id) || ' orders: ' || min(id) || ', ' || max(id) AS detail, count(DISTINCT id) AS size
FROM orders SEMI JOIN repeated USING (intent) GROUP BY intent HAVING count(DISTINCT id) > 1
UNION ALL
SELECT CASE WHEN taken > 1 THEN 'definite' ELSE 'possible' END, NULL, intent, 'the key was used with another body and ' || CASE WHEN taken > 1 THEN 'accepted' ELSE 'nobody knows the answer' END, maybe
FROM bodies WHERE taken > 1 OR (any_ok AND maybe > 1)
