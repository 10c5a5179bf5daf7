-- id: C4
-- name: one-per-user
-- class: S
-- holds: nobody has more live or used coupons of a campaign than it grants, and a repeated key gives the same code
-- subject: coupon
-- needs: campaigns(id, per_user) coupons(id, campaign_id, user_id) coupon_events(coupon_id, seq, from_status, to_status)
-- uses: members(id, identity_hash) ops(kind, intent, outcome, response) coupon_events(intent, job_id)
-- least-sample: 1
-- possible-when: one coupon's end and the next one's issue are concurrent
-- Who somebody is says identity_hash, so that one person with two accounts is one; without members the account counts.
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (e.user_id IS NULL) AS unknown
FROM coupon_log e JOIN campaigns c ON c.id = e.campaign_id WHERE e.from_status IS NULL AND c.per_user IS NOT NULL
-- statement: violations
WITH owned AS (
  SELECT e.*, c.per_user, coalesce(m.identity_hash, e.user_id) AS who
  FROM coupon_log e JOIN campaigns c ON c.id = e.campaign_id LEFT JOIN members m ON m.id = e.user_id
  WHERE c.per_user IS NOT NULL AND e.user_id IS NOT NULL),
-- Only people who ever had more than their share are followed through time.
crowded AS (SELECT campaign_id, who FROM owned WHERE from_status IS NULL GROUP BY campaign_id, who, per_user HAVING count(*) > per_user),
moves AS (
  SELECT campaign_id, who, per_user, coupon_id, seq,
    to_status IN ('issued', 'reserved', 'used', 'released') AS live, coalesce(prev_status IN ('issued', 'reserved', 'used', 'released'), false) AS was_live,
    CASE WHEN bool_and(us IS NOT NULL) OVER () THEN us ELSE seq * 1000 END AS t
  FROM owned SEMI JOIN crowded USING (campaign_id, who)),
steps AS (
  SELECT *, CASE WHEN live THEN 1 ELSE -1 END AS step, CASE WHEN live THEN t WHEN exact_order() THEN t - 999 ELSE -9e15::BIGINT END AS early,
    CASE WHEN live THEN t WHEN exact_order() THEN t + 1000 ELSE 9e15::BIGINT END AS late
  FROM moves WHERE live <> was_live),
counted AS (
  SELECT *, sum(step) OVER (PARTITION BY campaign_id, who ORDER BY early, live, seq, coupon_id ROWS UNBOUNDED PRECEDING) AS least,
    sum(step) OVER (PARTITION BY campaign_id, who ORDER BY late, live, seq, coupon_id ROWS UNBOUNDED PRECEDING) AS most
  FROM steps),
codes AS (
  SELECT intent, count(DISTINCT coalesce(code, coupon_id)) AS n FROM attempts
  WHERE kind = 'claim' AND outcome = 'ok' AND intent IS NOT NULL GROUP BY intent HAVING n > 1),
-- One key, two coupons in the books: an attempt nobody heard of took effect, and so did its retry.
doubled AS (
  SELECT e.intent, e.campaign_id, count(DISTINCT e.coupon_id) AS n, max(e.seq) AS seq FROM coupon_log e
  WHERE e.from_status IS NULL AND e.job_id IS NULL AND e.intent IS NOT NULL AND e.intent NOT IN (SELECT intent FROM jobs WHERE intent IS NOT NULL)
    AND e.coupon_id NOT IN (SELECT coupon_id FROM coupon_events WHERE to_status = 'void' AND coupon_id IS NOT NULL)
  GROUP BY e.intent, e.campaign_id HAVING n > 1)
SELECT CASE WHEN least > per_user THEN 'definite' ELSE 'possible' END AS certainty, seq, coupon_id AS subject, 'coupon' AS subject_kind,
  'coupon ' || CASE WHEN least > per_user THEN least ELSE most END || ' of campaign ' || campaign_id || ' for one person, who may have ' || per_user AS detail,
  CASE WHEN least > per_user THEN least ELSE most END AS size
FROM counted WHERE live AND (least > per_user OR most > per_user)
UNION ALL
SELECT 'definite', NULL, intent, 'intent', n || ' different codes were given for one key', n FROM codes
UNION ALL
SELECT 'definite', seq, intent, 'intent', n || ' coupons of campaign ' || coalesce(campaign_id, '?') || ' were issued under one key', n FROM doubled ANTI JOIN codes USING (intent)
