-- id: C5
-- name: unique-code
-- class: S
-- holds: no two coupons have the same code
-- subject: coupon
-- needs: coupons(id, code)
-- least-sample: 2
-- statement: sample
SELECT count(code) AS considered, count(*) FILTER (code IS NULL) AS unknown FROM coupons
-- statement: violations
SELECT 'definite' AS certainty, NULL::BIGINT AS seq, min(id) AS subject, 'one code on ' || count(*) || ' coupons: ' || min(id) || ', ' || max(id) AS detail, count(*) AS size
FROM coupons WHERE code IS NOT NULL GROUP BY code HAVING count(DISTINCT id) > 1
