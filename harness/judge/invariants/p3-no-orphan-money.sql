-- id: P3
-- name: no-orphan-money
-- class: B
-- holds: money captured for no live order is given back in time, or its refund waits for an account
-- subject: order
-- needs: payments(id, order_id, kind, amount, result, at_us) orders(id, status) deadlines(entity, ms)
-- words: deadlines.entity = payment
-- uses: payments(parent_id, merchant_ref, idempotency_key) orders(intent) order_events(order_id, at_us, to_status) refunds(order_id, amount, state) books(book, clock, read_at_us)
-- least-sample: 1
-- possible-when: the gateway does not know the result of a payment, or the money came back within 1,000 µs of the deadline
-- The deadline runs from the capture or the order's end, the later; they stand in two books, so their times are compared
-- only where both books tell the same clock. Money whose deadline had
-- not come when the books were read has broken nothing.
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (unknown_in + unknown_out > 0) AS unknown FROM order_money WHERE captured + unknown_in > 0
-- statement: violations
WITH ends AS (SELECT order_id, max(us) AS end_us FROM order_log WHERE to_status IN ('cancelled', 'failed') GROUP BY order_id),
waiting AS (SELECT order_id, sum(amount) AS amount FROM refunds WHERE state = 'awaiting_account' GROUP BY order_id),
orphans AS (
  SELECT m.order_ref, m.nameless, m.seq, m.has_order, m.status, m.captured, m.captured - m.refunded - m.voided AS remains, m.unknown_in, m.unknown_out,
    coalesce(w.amount, 0) AS waits, m.captured_us, e.end_us, m.capture_id, d.ms, d.one_clock,
    m.returned_us - greatest(m.captured_us, CASE WHEN d.one_clock THEN e.end_us END) AS took_us
  FROM order_money m CROSS JOIN (SELECT min(ms) AS ms, same_clock('shop', 'gateway') AS one_clock FROM deadlines WHERE entity = 'payment') d LEFT JOIN ends e ON e.order_id = m.order_ref LEFT JOIN waiting w ON w.order_id = m.order_ref
  WHERE m.captured + m.unknown_in > 0 AND NOT m.live),
judged AS (
  SELECT *, remains - waits AS owed, CASE
    WHEN remains - waits > unknown_out THEN
      CASE WHEN (captured_us IS NULL OR overdue(captured_us, ms, 'gateway')) AND (end_us IS NULL OR overdue(end_us, ms, 'shop')) THEN 'definite' END
    WHEN remains - waits > 0 OR unknown_in > 0 THEN 'possible'
    WHEN remains > 0 OR (end_us IS NOT NULL AND NOT one_clock) THEN NULL
    WHEN took_us >= ms * 1000 + 1000 THEN 'definite'
    WHEN took_us > ms * 1000 THEN 'possible' END AS certainty
  FROM orphans)
SELECT certainty, seq, CASE WHEN has_order THEN order_ref ELSE capture_id END AS subject, CASE WHEN has_order THEN 'order' ELSE 'payment' END AS subject_kind,
  CASE WHEN has_order THEN 'the order is ' || status ELSE 'no order stands behind it' END
    || CASE WHEN owed > 0 THEN '; ' || owed || ' of ' || captured || ' was never given back'
      WHEN unknown_in > 0 THEN '; a capture of ' || unknown_in || ' has no known result'
      ELSE '; given back after ' || (took_us // 1000) || ' ms, the deadline is ' || ms || ' ms' END AS detail,
  greatest(owed, 0)::BIGINT AS size
FROM judged WHERE certainty IS NOT NULL
