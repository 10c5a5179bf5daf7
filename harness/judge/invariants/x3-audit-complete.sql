-- The trail must be able to answer "who did this, why, and under which rule" for every single change; and it must be
-- the whole trail: its last entry is the row's status and no version is missing. Where the creation itself is kept,
-- it has from_status NULL; a trail that starts later and not at its first version has lost something.
-- id: X3
-- name: audit-complete
-- class: S
-- holds: every change of an order or coupon is in the audit trail with actor and reason, and with its policy where the system cancels, holds, recalls or compensates
-- subject: order
-- needs: orders(id, status) order_events(order_id, seq, version, from_status, to_status, actor, reason, policy)
-- uses: coupons(id, status) coupon_events(coupon_id, seq, version, from_status, to_status, actor, reason, policy) compensations(coupon_id) jobs(id, actor)
-- least-sample: 1
-- possible-when: a change carries no version, so nobody can say which was last
-- statement: sample
SELECT (SELECT count(*) FROM order_events) + (SELECT count(*) FROM coupon_events WHERE (SELECT has_coupon_audit FROM judged_books)) AS considered,
  (SELECT count(*) FROM order_events WHERE version IS NULL) + (SELECT count(*) FROM coupon_events WHERE version IS NULL AND (SELECT has_coupon_audit FROM judged_books)) AS unknown
-- statement: violations
-- Versions first … last, each once: as many as the span is long, and no two the same. Up to 64 of them leave each its
-- own mark (version modulo 64); longer trails are held to their sum. count(DISTINCT) would cost ten times as much.
WITH order_trail AS (
  SELECT order_id AS id, count(*) AS n, count(version) AS versions, bit_count(bit_or(1::UBIGINT << ((version % 64 + 64) % 64)::UTINYINT)) AS marks, sum(version) AS total, min(version) AS first, max(version) AS last,
    arg_max(to_status, version) AS ended, bool_or(from_status IS NULL) AS created, max(seq) AS seq
  FROM order_events GROUP BY order_id),
coupon_trail AS (
  SELECT coupon_id AS id, count(*) AS n, count(version) AS versions, bit_count(bit_or(1::UBIGINT << ((version % 64 + 64) % 64)::UTINYINT)) AS marks, sum(version) AS total, min(version) AS first, max(version) AS last,
    arg_max(to_status, version) AS ended, bool_or(from_status IS NULL) AS created, max(seq) AS seq
  FROM coupon_events WHERE (SELECT has_coupon_audit FROM judged_books) GROUP BY coupon_id),
rows_and_trails AS (
  SELECT 'order' AS subject_kind, o.id AS subject, o.status, t.* FROM orders o LEFT JOIN order_trail t ON t.id = o.id
  UNION ALL
  SELECT 'coupon', c.id, c.status, t.* FROM coupons c LEFT JOIN coupon_trail t ON t.id = c.id WHERE (SELECT has_coupon_audit AND has_coupons FROM judged_books)),
broken AS (
  SELECT *, CASE
      WHEN n IS NULL THEN 'no change of it is in the trail'
      WHEN versions < n THEN CASE WHEN versions = 0 OR status IS DISTINCT FROM ended THEN 'its changes carry no version: nobody can say which was last' END
      WHEN n > last - first + 1 OR (n = last - first + 1 AND CASE WHEN n <= 64 THEN marks < n ELSE total * 2 <> (first + last) * n END) THEN 'a version stands twice in its trail'
      WHEN last - first + 1 > n THEN 'versions are missing: ' || n || ' of ' || (last - first + 1)
      WHEN first > 1 AND NOT created THEN 'its trail starts at version ' || first
      WHEN status IS DISTINCT FROM ended THEN 'it is ' || coalesce(status, 'without a status') || ', its trail ends at ' || ended END AS detail,
    coalesce(versions < n, false) AS loose
  FROM rows_and_trails),
-- One row a change that cannot answer who, why or under which rule.
silent AS (
  SELECT 'order' AS subject_kind, e.order_id AS subject, e.seq, e.to_status, e.actor, e.reason, e.policy,
    d.order_id IS NOT NULL AS needs_policy
  FROM order_events e LEFT JOIN (SELECT order_id, decision FROM order_decisions WHERE who = 'system') d ON d.order_id = e.order_id
    AND d.decision = CASE WHEN e.to_status = 'held' THEN 'hold' WHEN e.to_status IN ('cancelling', 'cancelled') THEN 'cancel' END
  UNION ALL
  SELECT 'coupon', e.coupon_id, e.seq, e.to_status, e.actor, e.reason, e.policy,
    (e.to_status = 'recalled' AND e.actor IN ('operator', 'job')) OR (e.from_status IS NULL AND m.coupon_id IS NOT NULL)
  FROM coupon_events e LEFT JOIN (SELECT DISTINCT coupon_id FROM compensations WHERE coupon_id IS NOT NULL) m ON m.coupon_id = e.coupon_id
  WHERE (SELECT has_coupon_audit FROM judged_books))
SELECT CASE WHEN loose THEN 'possible' ELSE 'definite' END AS certainty, seq, subject, subject_kind, detail FROM broken WHERE detail IS NOT NULL
UNION ALL
SELECT 'definite', seq, subject, subject_kind, 'to ' || to_status || ': ' || CASE
    WHEN coalesce(trim(actor), '') = '' THEN 'nobody says who'
    WHEN coalesce(trim(reason), '') = '' THEN 'nobody says why'
    ELSE 'under no policy@version' || CASE WHEN coalesce(policy, '') = '' THEN '' ELSE ' ("' || policy || '")' END END
FROM silent
WHERE coalesce(trim(actor), '') = '' OR coalesce(trim(reason), '') = '' OR (needs_policy AND NOT regexp_full_match(coalesce(policy, ''), '[^@\s]+@\d+'))
