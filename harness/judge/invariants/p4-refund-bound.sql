-- id: P4
-- name: refund-bound
-- class: S
-- holds: refunds never exceed what was captured, none is made twice, and a cancelled order's refunds sum to its capture
-- subject: order
-- needs: orders(id, status, captured, refunded) refunds(order_id, amount, state)
-- uses: payments(id, parent_id, order_id, merchant_ref, kind, amount, result, idempotency_key)
-- least-sample: 1
-- possible-when: the gateway does not know the result of a capture or of a refund
-- A refund counts when done or on its way (requested, awaiting_account); P5 judges whether it arrives. A voided capture
-- needs no refund.
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (unknown_in + unknown_out > 0) AS unknown FROM order_money WHERE coalesce(shop_captured, 0) > 0 OR captured > 0 OR refunded > 0
-- statement: violations
WITH asked AS (SELECT order_id, sum(amount) FILTER (state <> 'failed') AS amount, min(amount) AS least, count(*) AS n FROM refunds GROUP BY order_id),
twice AS (
  SELECT order_ref, sum(extra) AS extra FROM (
    SELECT order_ref, (count(*) - 1) * max(amount) AS extra FROM payment_log WHERE kind = 'refund' AND result = 'ok' AND idempotency_key IS NOT NULL
    GROUP BY order_ref, idempotency_key HAVING count(*) > 1) GROUP BY order_ref),
negative AS (SELECT DISTINCT order_ref FROM payment_log WHERE kind = 'refund' AND result <> 'declined' AND amount < 0),
money AS (
  SELECT coalesce(m.order_ref, a.order_id) AS id, m.seq, m.status, m.shop_captured, m.shop_refunded, coalesce(a.amount, 0) AS asked, a.least,
    coalesce(m.in_gateway, false) AS in_gateway, coalesce(m.captured - m.voided, 0) AS captured, coalesce(m.refunded, 0) AS refunded, coalesce(m.voided, 0) AS voided,
    coalesce(m.unknown_in, 0) AS unknown_in, coalesce(m.unknown_out, 0) AS unknown_out, coalesce(t.extra, 0) AS extra, n.order_ref IS NOT NULL AS negative
  FROM (FROM order_money WHERE NOT nameless) m FULL JOIN asked a ON a.order_id = m.order_ref
    LEFT JOIN twice t ON t.order_ref = m.order_ref LEFT JOIN negative n ON n.order_ref = m.order_ref),
-- What a cancel has given back or promised: its refunds, or what the gateway has already sent; a void beside it.
judged AS (
  SELECT *, greatest(asked, refunded, CASE WHEN in_gateway THEN 0 ELSE coalesce(shop_refunded, 0) END) + voided AS promised FROM money),
told AS (
  SELECT *, CASE
    WHEN negative OR least < 0 OR shop_refunded < 0 THEN 'definite: a refund is negative'
    WHEN refunded > captured + unknown_in THEN 'definite: ' || refunded || ' refunded of ' || captured || ' captured'
    WHEN shop_refunded > shop_captured THEN 'definite: the shop says ' || shop_refunded || ' refunded of ' || shop_captured
    WHEN asked > shop_captured THEN 'definite: refunds of ' || asked || ' stand against ' || shop_captured || ' captured'
    WHEN extra > 0 THEN 'definite: one refund was made more than once'
    WHEN status = 'cancelled' AND promised < shop_captured THEN 'definite: cancelled, ' || shop_captured || ' captured, refunds of ' || promised
    WHEN refunded + unknown_out > captured + unknown_in OR (refunded > captured AND unknown_in > 0) THEN 'possible: ' || refunded || ' refunded of ' || captured || ' captured, more is not known' END AS found
  FROM judged)
SELECT split_part(found, ': ', 1) AS certainty, seq, id AS subject, found[length(split_part(found, ': ', 1)) + 3:] AS detail,
  greatest(refunded - captured, asked - shop_captured, extra, CASE WHEN status = 'cancelled' THEN shop_captured - promised END, 0)::BIGINT AS size
FROM told WHERE found IS NOT NULL
