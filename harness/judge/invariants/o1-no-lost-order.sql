-- id: O1
-- name: no-lost-order
-- class: Q
-- holds: every acknowledged order is in the books, and none that was refused each time is live or charged
-- subject: intent
-- needs: ops(kind, intent, outcome, response) orders(id, intent, status)
-- uses: orders(captured, refunded) payments(id, order_id, kind, amount, result)
-- least-sample: 1
-- possible-when: the gateway does not know whether it charged a refused order
-- A declined order may stand as failed, without a capture or with one that was returned.
-- statement: sample
SELECT count(*) FILTER (acknowledged OR refused) AS considered, count(*) FILTER (resolution = 'unknown') AS unknown FROM intents WHERE kind = 'order'
-- statement: violations
WITH acknowledged AS (
  SELECT intent, order_id FROM attempts WHERE kind = 'order' AND outcome = 'ok'),
lost AS (
  SELECT DISTINCT a.intent, a.order_id FROM acknowledged a ANTI JOIN orders o ON o.intent = a.intent WHERE a.order_id IS NULL
  UNION ALL
  SELECT DISTINCT a.intent, a.order_id FROM acknowledged a ANTI JOIN orders o ON o.id = a.order_id WHERE a.order_id IS NOT NULL),
refused AS (
  SELECT i.intent, o.id, o.status, o.status IN ('pending', 'paid', 'held', 'cancelling', 'shipped') AS live,
    greatest(coalesce(o.captured, 0) - coalesce(o.refunded, 0), m.captured - m.refunded - m.voided - m.unknown_out) AS held, m.unknown_in
  FROM intents i JOIN orders o ON o.intent = i.intent JOIN order_money m ON m.order_ref = o.id WHERE i.kind = 'order' AND i.refused),
-- Charged, and no order at all: the gateway still names the intent.
charged AS (
  SELECT i.intent, sum(m.captured - m.refunded - m.voided - m.unknown_out)::BIGINT AS held, sum(m.unknown_in)::BIGINT AS unknown_in
  FROM intents i JOIN order_money m ON m.order_ref = i.intent ANTI JOIN orders o ON o.intent = i.intent WHERE i.kind = 'order' AND i.refused GROUP BY i.intent)
SELECT 'definite' AS certainty, NULL::BIGINT AS seq, intent AS subject, coalesce('order ' || order_id, 'an order') || ' was acknowledged and is not in the books' AS detail, NULL::BIGINT AS size FROM lost
UNION ALL
SELECT CASE WHEN live OR held > 0 THEN 'definite' ELSE 'possible' END, NULL, intent,
  'every attempt was refused, yet order ' || id || ' stands as ' || status || CASE WHEN held > 0 THEN ' with ' || held || ' captured' ELSE '' END, held
FROM refused WHERE live OR held > 0 OR unknown_in > 0
UNION ALL
SELECT CASE WHEN held > 0 THEN 'definite' ELSE 'possible' END, NULL, intent, 'every attempt was refused, yet ' || held || ' is captured and no order exists', held
FROM charged WHERE held > 0 OR unknown_in > 0
