-- The order's attributes as the snapshot has them decide, never those of the row today. An order the policy says
-- nothing certain about (an attribute is missing, a scope cannot be read) is possible at most.
-- id: X0-R2
-- name: in-scope
-- class: P
-- holds: every order the system cancelled or held was in its policy's scope at the snapshot
-- subject: order
-- needs: policies(policy, version, published_seq, scope) policy_snapshots(policy, version, order_id, attributes)
-- needs: orders(id, status) order_events(order_id, seq, from_status, to_status, actor, policy)
-- uses: jobs(id, actor)
-- least-sample: 1
-- possible-when: the scope cannot be decided from the snapshot
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (in_scope IS NULL) AS unknown
FROM policy_orders WHERE set_aside IS NULL AND state <> 'kept'
-- statement: violations
SELECT CASE WHEN in_scope IS NULL THEN 'possible' ELSE 'definite' END AS certainty, first_seq AS seq, order_id AS subject,
  state || ', yet ' || CASE WHEN in_scope IS NULL THEN 'nobody can say whether it was in scope of ' ELSE 'out of scope of ' END || ref AS detail
FROM policy_orders WHERE set_aside IS NULL AND state <> 'kept' AND in_scope IS NOT TRUE
