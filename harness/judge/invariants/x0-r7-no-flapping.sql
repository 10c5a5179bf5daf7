-- Cancelled, then not, then again: a customer cannot live by that. A hold that is lifted once is no flapping, a second
-- hold is; a cancel that has begun never goes back.
-- id: X0-R7
-- name: no-flapping
-- class: P
-- holds: no order the system cancelled or held went back and forth
-- subject: order
-- needs: policies(policy, version) policy_snapshots(policy, version, order_id) order_events(order_id, seq, from_status, to_status, actor)
-- uses: order_events(version) jobs(id, actor)
-- least-sample: 1
-- possible-when: two changes of one order are concurrent and carry no version
-- statement: sample
SELECT count(DISTINCT order_id) AS considered, 0 AS unknown FROM order_decisions WHERE who = 'system' AND (SELECT count(*) FROM policy_list) > 0
-- statement: violations
WITH touched AS (
  SELECT DISTINCT order_id FROM order_decisions WHERE who = 'system' AND (SELECT count(*) FROM policy_list) > 0),
changes AS (
  SELECT order_id, seq, at_us, version, to_status, lag(to_status) OVER w AS before, lag(seq) OVER w AS before_seq, lag(at_us) OVER w AS before_us, lag(version) OVER w AS before_version
  FROM order_events SEMI JOIN touched USING (order_id) WINDOW w AS (PARTITION BY order_id ORDER BY coalesce(version, seq), seq)),
turns AS (
  SELECT *, sum(CASE WHEN to_status = 'held' AND before IS DISTINCT FROM 'held' THEN 1 ELSE 0 END) OVER (PARTITION BY order_id ORDER BY coalesce(version, seq), seq ROWS UNBOUNDED PRECEDING) AS holds
  FROM changes)
SELECT CASE WHEN coalesce(before_version < version, false) OR surely_before(before_seq, before_us, seq, at_us) THEN 'definite' ELSE 'possible' END AS certainty,
  seq, order_id AS subject, 'from ' || before || ' back to ' || to_status AS detail
FROM turns
WHERE (before IN ('cancelling', 'cancelled') AND to_status IN ('pending', 'paid', 'held', 'shipped'))
   OR (to_status = 'held' AND before IS DISTINCT FROM 'held' AND holds > 1)
