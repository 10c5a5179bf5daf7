-- id: P5
-- name: refund-reaches-payer
-- class: B
-- holds: a refund is done within its deadline, or waits for the member's account and the member was told
-- subject: order
-- needs: refunds(order_id, amount, state, at_us) orders(id, user_id, status, captured, refunded) order_events(order_id, seq, at_us, to_status) deadlines(entity, ms)
-- words: deadlines.entity = refund
-- uses: deadlines(status) notifications(user_id, ref_kind, ref) payments(id, order_id, kind, amount, result) books(book, read_at_us)
-- least-sample: 1
-- possible-when: done within 1,000 µs of the deadline, the gateway does not know the refund's result, or no messages are in the books
-- A refund is due from its order's cancel. awaiting_account is the only state in which it may wait, and the cancel's own
-- message is notice enough. `unknown` counts refunds whose deadline had not come when the books were read.
-- statement: sample
SELECT (SELECT count(*) FROM refunds) + (SELECT count(*) FROM orders o ANTI JOIN refunds r ON r.order_id = o.id WHERE o.status = 'cancelled' AND o.captured > o.refunded) AS considered,
  (SELECT count(*) FROM refunds WHERE state NOT IN ('done', 'awaiting_account')) AS unknown
-- statement: violations
WITH limits AS (SELECT coalesce(min(ms) FILTER (status = 'requested'), min(ms) FILTER (status IS NULL), min(ms)) AS ms FROM deadlines WHERE entity = 'refund'),
cancels AS (SELECT order_id, min(us) AS us, min(seq) AS seq FROM order_log WHERE to_status = 'cancelled' GROUP BY order_id),
due AS (
  SELECT r.order_id, r.amount, r.state, r.at_us AS state_us, sum(r.amount) FILTER (r.state = 'done') OVER (PARTITION BY r.order_id) AS done FROM refunds r
  UNION ALL
  -- Cancelled and paid, and nobody even asked for the money back.
  SELECT o.id, o.captured - coalesce(o.refunded, 0), 'never asked for', NULL, NULL FROM orders o ANTI JOIN (FROM refunds WHERE state <> 'failed') r ON r.order_id = o.id
    LEFT JOIN order_money m ON m.order_ref = o.id
  WHERE o.status = 'cancelled' AND o.captured > coalesce(o.refunded, 0) AND (NOT m.in_gateway OR m.captured - m.refunded - m.voided > 0)),
told AS (
  SELECT DISTINCT n.ref AS order_id FROM notifications n LEFT JOIN orders o ON o.id = n.ref
  WHERE n.ref_kind IN ('order', 'refund') AND coalesce(n.user_id = o.user_id, true)),
judged AS (
  SELECT d.*, c.seq, l.ms, d.state_us - c.us AS took_us, CASE
    WHEN d.state = 'awaiting_account' THEN
      CASE WHEN t.order_id IS NOT NULL THEN NULL WHEN (SELECT count(*) FROM books_present WHERE name = 'notifications') = 0 THEN 'possible: waits for an account, and the books do not say whether the member was told'
        ELSE 'definite: waits for an account, and the member was not told' END
    WHEN d.state = 'done' AND d.state_us - c.us >= l.ms * 1000 + 1000 THEN 'definite: done after ' || ((d.state_us - c.us) // 1000) || ' ms, the deadline is ' || l.ms || ' ms'
    WHEN d.state = 'done' AND (SELECT count(*) FROM books_present WHERE name = 'payments') > 0 AND coalesce(m.refunded, 0) + coalesce(m.voided, 0) < d.done THEN
      CASE WHEN coalesce(m.refunded, 0) + coalesce(m.voided, 0) + coalesce(m.unknown_out, 0) < d.done THEN 'definite' ELSE 'possible' END || ': said to be done; the gateway has sent ' || coalesce(m.refunded, 0)
    WHEN d.state = 'done' AND d.state_us - c.us > l.ms * 1000 THEN 'possible: done within 1,000 µs of its deadline'
    WHEN d.state = 'done' THEN NULL
    -- Without a cancel in the books its own entry is all that is known of when it was due.
    WHEN coalesce(c.us, d.state_us) IS NULL THEN 'possible: ' || d.state || ', and the books do not say since when'
    WHEN overdue(coalesce(c.us, d.state_us), l.ms, 'shop') THEN 'definite: still ' || d.state || ', the deadline is ' || l.ms || ' ms after the cancel' END AS found
  FROM due d CROSS JOIN limits l LEFT JOIN cancels c ON c.order_id = d.order_id
    LEFT JOIN told t ON t.order_id = d.order_id LEFT JOIN order_money m ON m.order_ref = d.order_id)
SELECT split_part(found, ': ', 1) AS certainty, seq, order_id AS subject, amount || ' ' || found[length(split_part(found, ': ', 1)) + 3:] AS detail, amount AS size
FROM judged WHERE found IS NOT NULL
