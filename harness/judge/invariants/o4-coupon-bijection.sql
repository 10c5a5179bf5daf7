-- id: O4
-- name: coupon-bijection
-- class: Q
-- holds: a used coupon has exactly one live order, and a cancel releases or voids it as the policy says
-- subject: coupon
-- needs: coupons(id, status) orders(id, coupon_id, status)
-- uses: coupon_events(coupon_id, to_status, order_id) order_events(order_id, to_status, policy) policies(policy, version, coupon_action)
-- least-sample: 1
-- possible-when: the coupon's own history is not in the books, so what followed its release is not known
-- Live: pending, paid, held, cancelling, shipped. A pending order may hold its coupon as reserved.
-- statement: sample
SELECT (SELECT count(*) FROM coupons WHERE status = 'used') + (SELECT count(*) FROM orders WHERE coupon_id IS NOT NULL) AS considered, 0 AS unknown
-- statement: violations
WITH live AS (SELECT id, coupon_id, status FROM orders WHERE coupon_id IS NOT NULL AND status IN ('pending', 'paid', 'held', 'cancelling', 'shipped')),
holders AS (SELECT coupon_id, count(*) AS n, min(id) AS one, max(id) AS other FROM live GROUP BY coupon_id),
used AS (
  SELECT k.id AS coupon_id, coalesce(h.n, 0) AS n, h.one, h.other FROM coupons k LEFT JOIN holders h ON h.coupon_id = k.id WHERE k.status = 'used' AND coalesce(h.n, 0) <> 1),
-- Two live orders on one coupon are one violation, told of the coupon.
unpaid AS (
  SELECT l.coupon_id, l.id, l.status, k.status AS coupon_status FROM live l LEFT JOIN coupons k ON k.id = l.coupon_id
  WHERE k.status IS DISTINCT FROM 'used' AND NOT (l.status = 'pending' AND k.status IS NOT DISTINCT FROM 'reserved')),
cancelled AS (
  SELECT o.id, o.coupon_id, CASE p.coupon_action WHEN 'release' THEN 'released' WHEN 'void' THEN 'void' END AS due, k.status AS coupon_status
  FROM orders o JOIN (SELECT DISTINCT order_id, policy FROM order_events WHERE to_status = 'cancelled' AND policy IS NOT NULL) e ON e.order_id = o.id
    JOIN policies p ON p.policy || '@' || p.version = e.policy LEFT JOIN coupons k ON k.id = o.coupon_id
  WHERE o.coupon_id IS NOT NULL AND o.status = 'cancelled'),
-- What the coupon became right after this order had used or reserved it.
became AS (
  SELECT coupon_id, order_id, arg_max(coalesce(next_status, 'kept'), step) AS next_status FROM coupon_log WHERE to_status IN ('used', 'reserved') AND order_id IS NOT NULL GROUP BY coupon_id, order_id),
returned AS (
  SELECT c.id, c.coupon_id, c.due, coalesce(b.next_status, c.coupon_status) AS became, CASE
    WHEN b.next_status = 'kept' THEN NULL -- still used: the first rule tells it, or another order does
    WHEN b.next_status IS NOT NULL THEN CASE WHEN b.next_status <> c.due THEN 'definite' END
    WHEN c.due = 'void' THEN CASE WHEN c.coupon_status NOT IN ('void', 'used') THEN 'definite' END
    WHEN c.coupon_status = 'void' THEN 'possible' END AS certainty
  FROM cancelled c LEFT JOIN became b ON b.coupon_id = c.coupon_id AND b.order_id = c.id WHERE c.due IS NOT NULL)
SELECT 'definite' AS certainty, NULL::BIGINT AS seq, coupon_id AS subject, 'coupon' AS subject_kind,
  CASE WHEN n = 0 THEN 'used, and no live order has it' ELSE 'used by ' || n || ' live orders: ' || one || ', ' || other END AS detail, n AS size
FROM used
UNION ALL
SELECT 'definite', NULL, id, 'order', 'order is ' || status || ', its coupon ' || coupon_id || ' is ' || coalesce(coupon_status, 'not in the books'), 1 FROM unpaid
UNION ALL
SELECT certainty, NULL, id, 'order', 'cancelled: its coupon ' || coupon_id || ' had to become ' || due || ' and became ' || became, 1 FROM returned WHERE certainty IS NOT NULL
