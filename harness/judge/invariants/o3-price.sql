-- id: O3
-- name: price
-- class: S
-- holds: an order's total is its items less the coupon's discount plus the fee, and never negative
-- subject: order
-- needs: orders(id, items_total, discount, fee, total, coupon_id)
-- uses: order_items(order_id, qty, price) orders(status) coupons(id, amount)
-- least-sample: 1
-- A discount is the coupon's amount, or less where the order is worth less.
-- statement: sample
SELECT count(total) AS considered, count(*) FILTER (total IS NULL OR items_total IS NULL) AS unknown FROM orders
-- statement: violations
WITH items AS (SELECT order_id, sum(qty * price)::BIGINT AS worth FROM order_items GROUP BY order_id),
priced AS (
  SELECT o.id, o.items_total, coalesce(o.discount, 0) AS discount, coalesce(o.fee, 0) AS fee, o.total, o.coupon_id, c.id AS coupon, c.amount,
    CASE WHEN (SELECT count(*) FROM items) > 0 THEN coalesce(i.worth, 0) END AS worth, o.status IN ('pending', 'paid', 'held', 'cancelling', 'shipped') AS live
  FROM orders o LEFT JOIN items i ON i.order_id = o.id LEFT JOIN (SELECT id, any_value(amount) AS amount FROM coupons GROUP BY id) c ON c.id = o.coupon_id
  WHERE o.total IS NOT NULL),
judged AS (
  SELECT *, CASE
    WHEN total < 0 THEN 'the total is ' || total
    WHEN total <> items_total - discount + fee THEN 'total ' || total || ', but items ' || items_total || ' − discount ' || discount || ' + fee ' || fee || ' = ' || (items_total - discount + fee)
    WHEN worth <> coalesce(items_total, total + discount - fee) THEN 'the items are worth ' || worth || ', the order says ' || coalesce(items_total, total + discount - fee)
    WHEN discount < 0 THEN 'the discount is ' || discount
    WHEN coupon IS NOT NULL AND discount <> amount AND NOT (discount < amount AND discount IN (items_total, items_total + fee)) THEN 'discount ' || discount || ', but coupon ' || coupon_id || ' gives ' || amount
    WHEN coupon_id IS NULL AND live AND discount > 0 AND (SELECT count(*) FROM coupons) > 0 THEN 'discount ' || discount || ' without a coupon' END AS wrong,
    abs(total - (coalesce(worth, items_total) - least(discount, coalesce(amount, discount)) + fee)) AS size
  FROM priced)
SELECT 'definite' AS certainty, NULL::BIGINT AS seq, id AS subject, wrong AS detail, size FROM judged WHERE wrong IS NOT NULL
