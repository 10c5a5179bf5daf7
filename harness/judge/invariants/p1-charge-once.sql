-- id: P1
-- name: charge-once
-- class: S
-- holds: an order is charged once: at most one capture of it is not returned
-- subject: order
-- needs: payments(id, order_id, kind, amount, result)
-- uses: payments(parent_id, merchant_ref, idempotency_key) orders(id, intent)
-- least-sample: 1
-- possible-when: the gateway does not know the result of a capture or of a refund
-- A capture counts as net until a void or its refunds have returned all of it. A refund that names no capture is taken to
-- have returned as much as it could.
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (unknown_in > 0) AS unknown FROM order_money WHERE captures > 0
-- statement: violations
-- One capture alone is never one too many.
WITH several AS (FROM payment_log SEMI JOIN (FROM order_money WHERE captures > 1) USING (order_ref)),
returned AS (
  SELECT parent_id, sum(amount) AS amount FROM several WHERE kind IN ('refund', 'void') AND result = 'ok' AND parent_kind = 'capture' GROUP BY parent_id),
captures AS (
  SELECT p.order_ref, p.id, p.seq, p.result, p.amount - coalesce(r.amount, 0) AS remains
  FROM several p LEFT JOIN returned r ON r.parent_id = p.id WHERE p.kind = 'capture' AND p.result IN ('ok', 'unknown') AND p.order_ref IS NOT NULL),
loose AS (
  SELECT order_ref, coalesce(sum(amount) FILTER (result = 'ok' AND kind = 'refund' AND parent_kind IS DISTINCT FROM 'capture'), 0) AS returned,
    coalesce(sum(amount) FILTER (result = 'unknown' OR (kind = 'void' AND parent_kind IS NULL)), 0) AS maybe
  FROM several WHERE kind IN ('refund', 'void') AND result IN ('ok', 'unknown') GROUP BY order_ref),
charged AS (
  SELECT c.order_ref, max(c.seq) AS seq, count(*) FILTER (c.result = 'ok' AND c.remains > 0) AS n, count(*) FILTER (c.remains > 0) AS n_maybe,
    coalesce(sum(c.remains) FILTER (c.result = 'ok' AND c.remains > 0), 0) AS held, coalesce(max(c.remains) FILTER (c.result = 'ok' AND c.remains > 0), 0) AS largest,
    coalesce(sum(c.remains) FILTER (c.remains > 0), 0) AS held_maybe, coalesce(max(c.remains), 0) AS largest_maybe,
    any_value(coalesce(l.returned, 0)) AS returned, any_value(coalesce(l.maybe, 0)) AS maybe
  FROM captures c LEFT JOIN loose l USING (order_ref) GROUP BY c.order_ref)
SELECT CASE WHEN n > 1 AND held - returned - maybe > largest THEN 'definite' ELSE 'possible' END AS certainty, seq, order_ref AS subject,
  n_maybe || ' captures stand; ' || held || ' is held, one charge is ' || largest AS detail, (held - largest)::BIGINT AS size
FROM charged WHERE (n > 1 AND held - returned > largest) OR (n_maybe > 1 AND n_maybe > n AND held_maybe - returned > largest_maybe)
