-- Class: the truth of each comparison in scope and carve-outs, and every categorical attribute (JSON text or boolean)
-- of the snapshot. Outcome: cancelled, held or kept; the share of the money given back or parked for want of an
-- account; told; compensated. Within a class the commonest outcome is the rule, everyone else is an exception.
-- An order still cancelling, or listed in an open job, has another outcome than its equals once the books are at rest;
-- before that it is unknown.
-- id: X0-R4
-- name: like-alike
-- class: P
-- holds: orders alike in everything the policy may look at were treated alike
-- subject: order
-- needs: policies(policy, version, published_seq, scope, carve_outs) policy_snapshots(policy, version, order_id, attributes)
-- needs: orders(id, status) order_events(order_id, seq, from_status, to_status, actor, policy)
-- uses: payments(order_id, kind, amount, result) refunds(order_id, amount, state) notifications(user_id, ref_kind, ref) compensations(order_id) jobs(id, actor, kind, end_seq) job_items(job_id, order_id, done_seq)
-- least-sample: 2
-- possible-when: the books were read before the work had come to rest, or a refund is still under way
-- statement: sample
SELECT coalesce(sum(orders), 0) AS considered, coalesce(sum(undecided), 0) AS unknown FROM (
  SELECT count(*) AS orders, count(*) FILTER (undecided) AS undecided FROM policy_orders WHERE set_aside IS NULL GROUP BY ref, class HAVING count(*) >= 2)
-- statement: violations
WITH outcomes AS (
  SELECT ref, class, order_id, first_seq, state,
    CASE WHEN NOT undecided OR drained() THEN outcome END AS outcome,
    share_open OR (NOT drained() AND state <> 'kept') AS open_effects
  FROM policy_orders WHERE set_aside IS NULL),
mixed AS (
  SELECT ref, class FROM outcomes GROUP BY ref, class HAVING count(DISTINCT outcome) > 1),
sizes AS (
  SELECT ref, class, outcome, state, count(*) AS orders FROM outcomes SEMI JOIN mixed USING (ref, class) WHERE outcome IS NOT NULL GROUP BY ref, class, outcome, state),
rules AS (
  SELECT ref, class, outcome AS usual, state AS usual_state, sum(orders) OVER (PARTITION BY ref, class) AS class_orders
  FROM sizes QUALIFY row_number() OVER (PARTITION BY ref, class ORDER BY orders DESC, outcome) = 1)
SELECT CASE WHEN o.state = r.usual_state AND o.open_effects THEN 'possible' ELSE 'definite' END AS certainty, o.first_seq AS seq, o.order_id AS subject,
  'unlike its ' || (r.class_orders - 1) || ' equals under ' || o.ref || ': ' || o.outcome || '; most are: ' || r.usual AS detail, r.class_orders AS size
FROM outcomes o JOIN rules r USING (ref, class) WHERE o.outcome <> r.usual
