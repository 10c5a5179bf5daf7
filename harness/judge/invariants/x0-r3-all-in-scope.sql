-- The other half of R2: a rule that hits only some of those it names is a lottery too. Orders their own customers
-- cancelled, unpaid ones that failed, and those another policy took are set aside.
-- id: X0-R3
-- name: all-in-scope
-- class: P
-- holds: every order in scope and not carved out was cancelled (or held, as the policy's action says) by the deadline
-- subject: order
-- needs: policies(policy, version, published_seq, published_at_us, scope, action, deadline_ms) policy_snapshots(policy, version, order_id, attributes)
-- needs: orders(id, status) order_events(order_id, seq, at_us, from_status, to_status, actor, policy)
-- uses: jobs(id, actor, kind, end_seq) job_items(job_id, order_id, done_seq)
-- least-sample: 1
-- possible-when: the books were read before the deadline or before the work had come to rest, or the scope cannot be decided
-- statement: sample
SELECT count(*) FILTER (due) AS considered, count(*) FILTER (due IS NULL) AS unknown
FROM policy_orders WHERE set_aside IS NULL AND target IS NOT NULL
-- statement: violations
WITH due_orders AS (
  SELECT o.*, p.deadline_us, p.published_at_us, o.state = o.target AS reached, o.last_at_us - (p.published_at_us + p.deadline_us) AS late_us
  FROM policy_orders o JOIN policy_list p USING (ref) WHERE o.set_aside IS NULL AND o.target IS NOT NULL AND o.due IS NOT FALSE)
SELECT CASE
    WHEN due IS NULL THEN 'possible'
    WHEN reached THEN CASE WHEN late_us >= 1000 THEN 'definite' ELSE 'possible' END
    WHEN undecided AND NOT drained() THEN 'possible'
    WHEN NOT overdue(published_at_us, deadline_us // 1000, 'shop') THEN 'possible'
    ELSE 'definite' END AS certainty,
  first_seq AS seq, order_id AS subject,
  CASE WHEN reached THEN state || ' under ' || ref || ', ' || late_us // 1000 || ' ms after its deadline'
       WHEN due IS NULL THEN 'nobody can say whether it was in scope of ' || ref || '; it is ' || status
       ELSE 'in scope of ' || ref || ', yet ' || status END AS detail,
  CASE WHEN reached THEN late_us END AS size
FROM due_orders WHERE NOT reached OR late_us > 0
