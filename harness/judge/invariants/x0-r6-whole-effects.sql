-- A cancel is more than a word in a column. What O4, O8, P4, P5, X1 and X2 demand of everybody, asked of each order
-- the system cancelled. Tables that are not there ask nothing.
-- id: X0-R6
-- name: whole-effects
-- class: P
-- holds: every cancel is whole: nothing shipped, all money back once or parked, the coupon freed, the customer told and compensated
-- subject: order
-- needs: policies(policy, version, published_seq, coupon_action, compensation) policy_snapshots(policy, version, order_id)
-- needs: orders(id, user_id, coupon_id, captured, status) order_events(order_id, seq, from_status, to_status, actor, policy)
-- uses: payments(order_id, kind, amount, result) refunds(order_id, amount, state) notifications(user_id, ref_kind, ref) compensations(order_id, amount)
-- uses: coupon_events(coupon_id, to_status, seq) jobs(id, actor) deadlines(entity, status, ms)
-- least-sample: 1
-- possible-when: an answer of the gateway is unknown, a deadline was still running or the work had not come to rest when the books were read
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (refund_unknown + capture_unknown > 0) AS unknown
FROM cancel_effects e JOIN order_decisions d ON d.order_id = e.order_id AND d.decision = 'cancel'
WHERE d.completed AND (SELECT count(*) FROM policy_list) > 0
-- statement: violations
WITH limits AS (
  SELECT min(ms) FILTER (entity = 'refund') AS refund_ms, min(ms) FILTER (entity = 'notice') AS notice_ms FROM deadlines),
under AS (
  SELECT order_id, min(ref) AS ref FROM policy_orders WHERE set_aside IS NULL AND state = 'cancelled' GROUP BY order_id),
cancels AS (
  SELECT e.*, p.coupon_action, coalesce(p.flat, e.captured * p.rate_ppm // 1000000) AS promised, p.flat IS NULL AND e.capture_unknown > 0 AS promise_open,
    overdue(e.last_at_us, refund_ms, 'shop') AS refund_due, overdue(e.last_at_us, notice_ms, 'shop') AS notice_due,
    e.refunded + e.awaiting + CASE WHEN overdue(e.last_at_us, refund_ms, 'shop') THEN 0 ELSE e.requested END AS returned, b.*
  FROM cancel_effects e JOIN order_decisions d ON d.order_id = e.order_id AND d.decision = 'cancel'
    CROSS JOIN limits CROSS JOIN judged_books b LEFT JOIN under u ON u.order_id = e.order_id LEFT JOIN policy_list p ON p.ref = u.ref
  WHERE d.completed AND (SELECT count(*) FROM policy_list) > 0),
faults AS (
  SELECT order_id, first_seq, true AS sure, 'shipped before it was cancelled' AS what FROM cancels WHERE shipped_step < first_step
  UNION ALL
  SELECT order_id, first_seq, drained() AND refund_due AND captured - returned > refund_unknown AND (has_refunds OR NOT has_payments),
    captured - returned || ' of ' || captured || ' not refunded' || CASE WHEN requested > 0 THEN ', only requested' ELSE '' END
  FROM cancels WHERE (has_payments OR has_refunds) AND captured > returned
  UNION ALL
  SELECT order_id, first_seq, returned > captured + capture_unknown, returned || ' given back of ' || captured FROM cancels WHERE (has_payments OR has_refunds) AND returned > captured
  UNION ALL
  SELECT order_id, first_seq, drained() AND notice_due, 'its customer was not told' FROM cancels WHERE has_notifications AND told = 0
  UNION ALL
  SELECT order_id, first_seq, drained() AND NOT promise_open, 'not compensated: ' || promised || ' was promised' FROM cancels WHERE has_compensations AND promised > 0 AND compensations = 0
  UNION ALL
  SELECT order_id, first_seq, NOT promise_open OR compensations > 1, 'compensated with ' || compensated || ' in ' || compensations || ' parts: ' || promised || ' was promised once'
  FROM cancels WHERE has_compensations AND compensations > 0 AND (compensations > 1 OR compensated <> promised)
  UNION ALL
  SELECT order_id, first_seq, drained(), 'its coupon was not ' || CASE coupon_action WHEN 'void' THEN 'voided' WHEN 'release' THEN 'released' ELSE 'freed' END
  FROM cancels WHERE has_coupon_events AND coupon_id IS NOT NULL
    AND NOT CASE coupon_action WHEN 'void' THEN coupon_voided WHEN 'release' THEN coupon_released ELSE coupon_voided OR coupon_released END)
SELECT CASE WHEN bool_or(sure) THEN 'definite' ELSE 'possible' END AS certainty, any_value(first_seq) AS seq, order_id AS subject,
  string_agg(what, '; ' ORDER BY what) AS detail, count(*) AS size
FROM faults GROUP BY order_id
