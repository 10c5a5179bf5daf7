-- id: P2
-- name: paid-is-captured
-- class: Q
-- holds: what the shop says it took and kept of an order is what the gateway took and kept
-- subject: order
-- needs: orders(id, captured, refunded) payments(id, order_id, kind, amount, result)
-- uses: payments(parent_id, merchant_ref, idempotency_key) orders(intent)
-- least-sample: 1
-- possible-when: the gateway does not know the result of a payment of the order
-- A void of an authorization moves no money. Captures without any order are P3's.
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (m.unknown_in + m.unknown_out > 0) AS unknown
FROM order_money m WHERE has_order AND (in_gateway OR coalesce(shop_captured, 0) <> 0 OR coalesce(shop_refunded, 0) <> 0)
-- statement: violations
WITH compared AS (
  SELECT order_ref AS id, seq, coalesce(shop_captured, 0) - coalesce(shop_refunded, 0) AS shop, captured - refunded - voided AS gateway, unknown_in, unknown_out
  FROM order_money WHERE has_order)
SELECT CASE WHEN shop < gateway - unknown_out OR shop > gateway + unknown_in THEN 'definite' ELSE 'possible' END AS certainty, seq, id AS subject,
  'the shop says ' || shop || ', the gateway ' || gateway || CASE WHEN unknown_in + unknown_out > 0 THEN ' and does not know of ' || (unknown_in + unknown_out) ELSE '' END AS detail, abs(shop - gateway) AS size
FROM compared WHERE shop <> gateway OR unknown_in + unknown_out > 0
