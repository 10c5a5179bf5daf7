-- id: O9
-- name: every-order-ends
-- class: B
-- holds: no order stays pending, held or cancelling past its deadline
-- subject: order
-- needs: order_events(order_id, seq, at_us, to_status) deadlines(entity, status, ms)
-- words: deadlines.entity = order
-- uses: order_events(version) books(book, read_at_us) orders(id, status)
-- least-sample: 1
-- possible-when: the status was left within 1,000 µs of its deadline, or nobody wrote down when it was entered
-- `unknown` counts orders whose deadline had not yet come when the books were read: they have broken nothing.
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (l.next_status IS NULL AND NOT overdue(l.us, d.ms, 'shop')) AS unknown
FROM order_log l JOIN deadlines d ON d.entity = 'order' AND coalesce(d.status = l.to_status, l.to_status IN ('pending', 'held', 'cancelling'))
WHERE l.to_status IN ('pending', 'held', 'cancelling')
-- statement: violations
-- Most orders leave at once and in time; only the others' stays are put together from their changes.
WITH doubtful AS (
  SELECT DISTINCT l.order_id FROM order_log l JOIN deadlines d ON d.entity = 'order'
  WHERE l.to_status IN ('pending', 'held', 'cancelling') AND coalesce(d.status = l.to_status, true)
    AND NOT coalesce(l.prev_status IS DISTINCT FROM l.to_status AND l.next_status <> l.to_status AND l.next_us - l.us <= d.ms * 1000, false)),
changes AS (SELECT * FROM order_log SEMI JOIN doubtful USING (order_id) WHERE prev_status IS DISTINCT FROM to_status),
stays AS (
  SELECT order_id, seq, us AS entered_us, to_status, lead(us) OVER w AS left_us, lead(to_status) OVER w AS left_to
  FROM changes WINDOW w AS (PARTITION BY order_id ORDER BY step)),
limits AS (SELECT status, min(ms) AS ms FROM deadlines WHERE entity = 'order' GROUP BY status),
timed AS (
  SELECT s.*, coalesce(d.ms, a.ms) AS ms FROM stays s LEFT JOIN limits d ON d.status = s.to_status LEFT JOIN limits a ON a.status IS NULL
  WHERE s.to_status IN ('pending', 'held', 'cancelling') AND coalesce(d.ms, a.ms) IS NOT NULL),
judged AS (
  SELECT *, CASE
    WHEN entered_us IS NULL THEN CASE WHEN left_to IS NULL THEN 'possible' END
    WHEN left_to IS NULL THEN CASE WHEN overdue(entered_us, ms, 'shop') THEN 'definite' END
    WHEN left_us - entered_us >= ms * 1000 + 1000 THEN 'definite'
    WHEN left_us - entered_us > ms * 1000 THEN 'possible' END AS certainty
  FROM timed)
SELECT certainty, seq, order_id AS subject, 'order' AS subject_kind, to_status || CASE WHEN left_to IS NULL THEN ' and never left' ELSE ' for ' || ((left_us - entered_us) // 1000) || ' ms' END || '; the deadline is ' || ms || ' ms' AS detail,
  (coalesce(left_us, read_at('shop')) - entered_us) // 1000 AS size
FROM judged WHERE certainty IS NOT NULL
UNION ALL
SELECT 'possible', NULL, o.id, 'order', o.status || ', and the books do not say since when', NULL
FROM orders o SEMI JOIN limits d ON coalesce(d.status = o.status, true) ANTI JOIN order_events e ON e.order_id = o.id
WHERE o.status IN ('pending', 'held', 'cancelling')
