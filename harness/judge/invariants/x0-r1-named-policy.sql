-- Who cancelled this order, and under which published rule? A cancel and a hold are one decision each, however many
-- steps they take; a customer's own cancel and the end of an unpaid order are none (policy-tables.ts).
-- Where nothing is published there is no rule to name: that is X0's "no policy declared", not a violation of R1.
-- id: X0-R1
-- name: named-policy
-- class: P
-- holds: every cancel or hold the system starts names exactly one policy, published before it, whose snapshot holds the order, and is ordered by someone who may
-- subject: order
-- needs: policies(policy, version, published_seq) policy_snapshots(policy, version, order_id)
-- needs: orders(id, status) order_events(order_id, seq, from_status, to_status, actor, policy)
-- uses: jobs(id, actor)
-- least-sample: 1
-- possible-when: cancel and publication are concurrent, nobody wrote down who cancelled, or the job that did is not in the books
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (authorised IS NULL) AS unknown
FROM order_decisions WHERE who = 'system' AND (SELECT count(*) FROM policy_list) > 0
-- statement: violations
WITH judged AS (
  SELECT d.*, array_to_string(list_sort(d.policies), ', ') AS named, p.ref, p.published_seq, p.published_at_us, s.order_id IS NOT NULL AS stands
  FROM order_decisions d
  LEFT JOIN policy_list p ON p.ref = d.policies[1]
  LEFT JOIN policy_scope s ON s.ref = d.policies[1] AND s.order_id = d.order_id
  WHERE d.who = 'system' AND (SELECT count(*) FROM policy_list) > 0),
faults AS (
  SELECT *, CASE
      WHEN len(policies) = 0 THEN 'names no policy'
      WHEN len(policies) > 1 THEN 'names several policies: ' || named
      WHEN ref IS NULL THEN 'names ' || named || ', which was never published'
      WHEN NOT stands THEN 'the order is not in the snapshot of ' || named
      WHEN surely_before(first_seq, first_at_us, published_seq, published_at_us) THEN named || ' was published only afterwards'
      WHEN authorised = false THEN 'neither an operator nor a job an operator started' END AS definite,
    CASE
      WHEN published_seq >= first_seq THEN named || ' was published at the same moment'
      WHEN authorised IS NULL THEN 'who started the job is not in the books' END AS possible
  FROM judged)
SELECT CASE WHEN definite IS NULL THEN 'possible' ELSE 'definite' END AS certainty, first_seq AS seq, order_id AS subject,
  decision || ': ' || coalesce(definite, possible) AS detail
FROM faults WHERE coalesce(definite, possible) IS NOT NULL
UNION ALL
SELECT 'possible', NULL, o.id, o.status || ' without an audit event: nobody knows by whom'
FROM orders o ANTI JOIN order_decisions d ON d.order_id = o.id
WHERE o.status IN ('cancelled', 'cancelling', 'held') AND (SELECT count(*) FROM policy_list) > 0
