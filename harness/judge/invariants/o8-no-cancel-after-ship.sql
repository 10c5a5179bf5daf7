-- id: O8
-- name: no-cancel-after-ship
-- class: S
-- holds: no cancel commits after shipping; of a cancel and a shipping that race one wins, and the loser is told
-- subject: order
-- needs: order_events(order_id, seq, to_status)
-- uses: order_events(version, at_us) ops(kind, outcome, request, response) notifications(ref_kind, ref)
-- least-sample: 1
-- possible-when: cancel and shipping have no versions and are concurrent
-- statement: sample
SELECT count(DISTINCT order_id) AS considered, 0 AS unknown FROM order_events WHERE to_status IN ('cancelling', 'cancelled', 'shipped')
-- statement: violations
WITH shipped AS (SELECT order_id, arg_min({'version': version, 'seq': seq, 'us': us}, step) AS s FROM order_log WHERE to_status = 'shipped' GROUP BY order_id),
cancels AS (SELECT order_id, to_status, version, seq, us FROM order_log WHERE to_status IN ('cancelling', 'cancelled')),
pairs AS (
  SELECT c.order_id, c.to_status, c.seq, CASE
    WHEN c.version <> s.version THEN CASE WHEN c.version > s.version THEN 'after' ELSE 'before' END
    WHEN surely_before(s.seq, s.us, c.seq, c.us) THEN 'after'
    WHEN surely_before(c.seq, c.us, s.seq, s.us) THEN 'before'
    ELSE 'concurrent' END AS place
  FROM cancels c JOIN shipped USING (order_id)),
-- Both won: shipped, and cancelled before or after it. A cancel that only began and then gave way to the parcel did not.
both_won AS (
  SELECT order_id, max(seq) AS seq, CASE WHEN bool_or(place = 'after') OR bool_or(place = 'before' AND to_status = 'cancelled') THEN 'definite' ELSE 'possible' END AS certainty, bool_or(place = 'after') AS later
  FROM pairs WHERE place <> 'before' OR to_status = 'cancelled' GROUP BY order_id),
ended AS (SELECT order_id, bool_or(to_status = 'shipped') AS shipped, bool_or(to_status = 'cancelled') AS cancelled FROM order_events WHERE to_status IN ('shipped', 'cancelled') GROUP BY order_id),
told AS (
  SELECT DISTINCT kind, coalesce(for_order, order_id) AS order_id, coalesce(status, CASE kind WHEN 'cancel' THEN 'cancelled' ELSE 'shipped' END) AS status
  FROM attempts WHERE kind IN ('cancel', 'ship') AND outcome = 'ok'),
-- "cancelling" is a promise to look; a later message may take it back.
misled AS (
  SELECT t.order_id, t.kind, t.status FROM told t JOIN ended e USING (order_id)
  WHERE (t.kind = 'ship' AND t.status = 'shipped' AND e.cancelled AND NOT e.shipped)
    OR (t.kind = 'cancel' AND e.shipped AND NOT e.cancelled AND (t.status = 'cancelled'
      OR (t.status = 'cancelling' AND NOT EXISTS (FROM notifications n WHERE n.ref_kind = 'order' AND n.ref = t.order_id)))))
SELECT certainty, seq, order_id AS subject, CASE WHEN certainty = 'possible' THEN 'cancel and shipping are concurrent' WHEN later THEN 'the cancel committed after the shipping' ELSE 'shipped although it had been cancelled' END AS detail
FROM both_won
UNION ALL
SELECT 'definite', NULL, order_id, 'the ' || kind || ' was answered "' || status || '", but the other had won' FROM misled
