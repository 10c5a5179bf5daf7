-- The outcome is worked out again from the snapshot alone: in scope and not carved out ⇔ the policy's action. (That
-- batch order and workers change nothing is shown by running the same seed several times, not by one set of books.)
-- id: X0-R5
-- name: recomputable
-- class: P
-- holds: what became of each order of the snapshot follows from the snapshot and the published policy alone
-- subject: order
-- needs: policies(policy, version, published_seq, published_at_us, scope, carve_outs, action, deadline_ms) policy_snapshots(policy, version, order_id, attributes)
-- needs: orders(id, status) order_events(order_id, seq, from_status, to_status, actor, policy)
-- uses: jobs(id, actor, kind, end_seq) job_items(job_id, order_id, done_seq)
-- least-sample: 1
-- possible-when: the books were read before the deadline or before the work had come to rest
-- statement: sample
SELECT count(*) FILTER (due IS NOT NULL) AS considered, count(*) FILTER (due IS NULL) AS unknown
FROM policy_orders WHERE set_aside IS NULL
-- statement: violations
SELECT CASE WHEN due AND ((undecided AND NOT drained()) OR NOT overdue(p.published_at_us, p.deadline_us // 1000, 'shop')) THEN 'possible' ELSE 'definite' END AS certainty,
  o.first_seq AS seq, o.order_id AS subject,
  'by ' || o.ref || ' it should be ' || CASE WHEN due THEN coalesce(o.target, 'kept') ELSE 'kept' END
    || CASE WHEN carved THEN ' (carved out)' ELSE '' END || '; it is ' || o.status AS detail
FROM policy_orders o JOIN policy_list p USING (ref)
WHERE o.set_aside IS NULL AND o.due IS NOT NULL AND o.state <> (CASE WHEN o.due THEN coalesce(o.target, 'kept') ELSE 'kept' END)
