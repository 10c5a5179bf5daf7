-- id: C1
-- name: cap
-- class: S
-- holds: never more coupons of a campaign than its cap, and never more acknowledged
-- subject: coupon
-- needs: campaigns(id, cap) coupons(id, campaign_id) coupon_events(coupon_id, seq, from_status, to_status)
-- uses: ops(kind, intent, outcome, process, request, response)
-- least-sample: 1
-- possible-when: an issue and the void that made room for it are concurrent
-- A void from issued or released gives its unit back; a void of a used coupon and a recall free nothing.
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (e.seq IS NULL) AS unknown
FROM coupon_log e JOIN campaigns c ON c.id = e.campaign_id WHERE e.from_status IS NULL AND c.cap IS NOT NULL
-- statement: violations
-- Lower bound: every void up to 1,000 µs after an issue counts as before it. Upper bound: only voids surely before it.
WITH moves AS (
  SELECT e.campaign_id, c.cap, e.coupon_id, e.seq, e.from_status IS NULL AS issue,
    CASE WHEN bool_and(e.us IS NOT NULL) OVER () THEN e.us ELSE e.seq * 1000 END AS t
  FROM coupon_log e JOIN campaigns c ON c.id = e.campaign_id
  WHERE c.cap IS NOT NULL AND (e.from_status IS NULL OR (e.to_status = 'void' AND e.from_status IN ('issued', 'released')))),
lower_bound AS (
  SELECT *, sum(CASE WHEN issue THEN 1 ELSE -1 END) OVER (
    PARTITION BY campaign_id ORDER BY CASE WHEN issue THEN t WHEN exact_order() THEN t - 999 ELSE -9e15::BIGINT END, issue, seq, coupon_id
    ROWS UNBOUNDED PRECEDING) AS least
  FROM moves),
upper_bound AS (
  SELECT *, sum(CASE WHEN issue THEN 1 ELSE -1 END) OVER (
    PARTITION BY campaign_id ORDER BY CASE WHEN issue THEN t WHEN exact_order() THEN t + 1000 ELSE 9e15::BIGINT END, issue, seq, coupon_id
    ROWS UNBOUNDED PRECEDING) AS most
  FROM lower_bound),
in_the_books AS (
  SELECT CASE WHEN least > cap THEN 'definite' ELSE 'possible' END AS certainty, seq, coupon_id AS subject, 'coupon' AS subject_kind,
    'coupon ' || CASE WHEN least > cap THEN least ELSE most END || ' of campaign ' || campaign_id || ', whose cap is ' || cap AS detail,
    CASE WHEN least > cap THEN least ELSE most END - cap AS size, campaign_id
  FROM upper_bound WHERE issue AND (least > cap OR most > cap)),
-- What customers were told they own. An operator's issue is one operation for a whole job and does not count.
told AS (
  SELECT DISTINCT campaign_id, coalesce(coupon_id, code, intent) AS coupon
  FROM attempts WHERE kind IN ('issue', 'claim') AND outcome = 'ok' AND operator IS NOT TRUE),
freed AS (SELECT DISTINCT coupon_id FROM coupon_log WHERE to_status = 'void' AND from_status IN ('issued', 'released')),
acknowledged AS (
  SELECT c.id, c.cap, count(*) AS n FROM told t JOIN campaigns c ON c.id = t.campaign_id ANTI JOIN freed f ON f.coupon_id = t.coupon
  WHERE c.cap IS NOT NULL GROUP BY ALL HAVING count(*) > c.cap)
SELECT certainty, seq, subject, subject_kind, detail, size FROM in_the_books
UNION ALL
SELECT 'definite', NULL, a.id, 'campaign', a.n || ' acknowledged to customers of campaign ' || a.id || ', whose cap is ' || a.cap, a.n - a.cap
FROM acknowledged a
WHERE a.n - a.cap > (SELECT count(*) FROM in_the_books b WHERE b.campaign_id = a.id AND b.certainty = 'definite')
