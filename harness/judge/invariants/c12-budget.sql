-- id: C12
-- name: budget
-- class: S
-- holds: the discounts given on live orders never exceed the campaign's budget
-- subject: campaign
-- needs: campaigns(id, budget) coupons(id, campaign_id) orders(id, coupon_id, discount, status)
-- least-sample: 1
-- Looked at once, at the end: what is committed then was committed together.
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (o.discount IS NULL) AS unknown
FROM orders o JOIN coupons k ON k.id = o.coupon_id JOIN campaigns c ON c.id = k.campaign_id WHERE c.budget IS NOT NULL
-- statement: violations
SELECT 'definite' AS certainty, NULL::BIGINT AS seq, c.id AS subject,
  'discounts of ' || sum(o.discount) || ' are committed, the budget is ' || c.budget AS detail, (sum(o.discount) - c.budget)::BIGINT AS size
FROM orders o JOIN coupons k ON k.id = o.coupon_id JOIN campaigns c ON c.id = k.campaign_id
WHERE o.status IN ('pending', 'paid', 'held', 'cancelling', 'shipped') AND c.budget IS NOT NULL
GROUP BY c.id, c.budget HAVING sum(o.discount) > c.budget
