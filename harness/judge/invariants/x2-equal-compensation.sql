-- A policy's `compensation` is flat:N or rate:P% of what was captured, rounded down. Whom the policy hit gets exactly
-- that, once, and not his neighbour. A policy that promises nothing asks nothing here; that equals were treated
-- equally is X0's R4.
-- id: X2
-- name: equal-compensation
-- class: P
-- holds: every customer a policy cancelled gets exactly what it promises, once
-- subject: order
-- needs: policies(policy, version, published_seq, compensation) policy_snapshots(policy, version, order_id) compensations(order_id, user_id, amount)
-- needs: orders(id, user_id, captured, status) order_events(order_id, seq, from_status, to_status, actor, policy)
-- uses: payments(order_id, kind, amount, result) jobs(id, actor)
-- least-sample: 1
-- possible-when: a capture is unknown, the promise cannot be read, or the work had not come to rest
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (p.flat IS NULL AND (p.rate_ppm IS NULL OR e.captured IS NULL OR e.capture_unknown > 0)) AS unknown
FROM policy_orders o JOIN policy_list p USING (ref) JOIN cancel_effects e USING (order_id)
WHERE o.set_aside IS NULL AND o.state = 'cancelled' AND p.compensation IS NOT NULL
-- statement: violations
WITH hit AS (
  SELECT o.order_id, o.ref, o.first_seq, e.user_id, p.compensation, coalesce(p.flat, e.captured * p.rate_ppm // 1000000) AS promised,
    coalesce(p.flat, (e.captured + e.capture_unknown) * p.rate_ppm // 1000000) AS promised_at_most
  FROM policy_orders o JOIN policy_list p USING (ref) JOIN cancel_effects e USING (order_id)
  WHERE o.set_aside IS NULL AND o.state = 'cancelled' AND p.compensation IS NOT NULL),
given AS (
  SELECT h.*, g.parts, g.amount, g.others FROM hit h LEFT JOIN (
    SELECT c.order_id, count(*) AS parts, sum(c.amount) AS amount, count(*) FILTER (c.user_id IS DISTINCT FROM h.user_id) AS others
    FROM compensations c JOIN hit h USING (order_id) GROUP BY c.order_id) g USING (order_id)),
faults AS (
  SELECT *, CASE
      WHEN promised IS NULL THEN 'nobody can say what ' || ref || ' promises (' || compensation || ')'
      WHEN parts IS NULL THEN 'got nothing; ' || ref || ' promises ' || promised
      WHEN others > 0 THEN 'its compensation went to another customer'
      WHEN parts > 1 THEN 'got ' || amount || ' in ' || parts || ' parts; ' || ref || ' promises ' || promised || ' once'
      ELSE 'got ' || amount || '; ' || ref || ' promises ' || promised END AS detail,
    CASE WHEN promised IS NULL THEN false WHEN parts IS NULL THEN drained() WHEN others > 0 OR parts > 1 THEN true
      ELSE amount NOT BETWEEN promised AND promised_at_most END AS sure
  FROM given WHERE promised IS NULL OR (parts IS NULL AND promised > 0) OR parts > 1 OR others > 0 OR amount <> promised)
SELECT CASE WHEN sure THEN 'definite' ELSE 'possible' END AS certainty, first_seq AS seq, order_id AS subject, detail, abs(coalesce(amount, 0) - promised) AS size FROM faults
