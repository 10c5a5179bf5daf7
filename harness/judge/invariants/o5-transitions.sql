-- id: O5
-- name: transitions
-- class: S
-- holds: every change of status is in the declared table, follows the one before it, and none leaves a terminal status
-- subject: order
-- needs: transitions(entity, from_status, to_status, terminal) order_events(order_id, seq, from_status, to_status)
-- uses: order_events(version, at_us) coupon_events(coupon_id, seq, version, at_us, from_status, to_status)
-- least-sample: 1
-- possible-when: two events of one order have no versions and are concurrent
-- An event that leaves the status as it was (a flag set, a note) is no change. Creation is from NULL and declared.
-- statement: sample
SELECT (SELECT count(*) FROM order_events WHERE EXISTS (FROM transitions WHERE entity = 'order'))
  + (SELECT count(*) FROM coupon_events WHERE EXISTS (FROM transitions WHERE entity = 'coupon')) AS considered, 0 AS unknown
-- statement: violations
WITH events AS (
  SELECT 'order' AS entity, order_id AS id, seq, version, prev_version, from_status, to_status, prev_status, prev_sure FROM order_log
  UNION ALL SELECT 'coupon', coupon_id, seq, version, prev_version, from_status, to_status, prev_status, prev_sure FROM coupon_log),
declared AS (SELECT DISTINCT entity, coalesce(from_status, '') AS from_status, to_status FROM transitions),
ends AS (SELECT DISTINCT entity, to_status FROM transitions WHERE terminal),
judged AS (
  SELECT e.*, t.entity IS NULL AND e.from_status IS DISTINCT FROM e.to_status AS undeclared, x.entity IS NOT NULL AND e.from_status <> e.to_status AS after_end,
    -- A step missing in between is X3's gap; here the chain must hold from one version to the next.
    e.prev_status <> coalesce(e.from_status, '') AND coalesce(e.version = e.prev_version + 1, true) AS broken
  FROM events e SEMI JOIN declared d USING (entity)
    LEFT JOIN declared t ON t.entity = e.entity AND t.from_status = coalesce(e.from_status, '') AND t.to_status = e.to_status
    LEFT JOIN ends x ON x.entity = e.entity AND x.to_status = e.from_status)
SELECT CASE WHEN undeclared OR after_end OR prev_sure THEN 'definite' ELSE 'possible' END AS certainty, seq, id AS subject, entity AS subject_kind,
  CASE WHEN after_end THEN coalesce(from_status, 'nothing') || ' is terminal, yet it became ' || to_status
    WHEN undeclared THEN coalesce(from_status, 'nothing') || ' → ' || coalesce(to_status, 'nothing') || ' is not declared'
    ELSE 'the change says it came from ' || coalesce(from_status, 'nothing') || ', but the ' || entity || ' was ' || prev_status END AS detail
FROM judged WHERE undeclared OR after_end OR broken
