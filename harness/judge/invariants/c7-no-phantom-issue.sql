-- id: C7
-- name: no-phantom-issue
-- class: Q
-- holds: every coupon in the books was asked for by somebody, or issued by a declared job
-- subject: coupon
-- needs: ops(kind, intent, outcome, request) coupon_events(coupon_id, seq, from_status, to_status, intent, job_id)
-- uses: jobs(id, kind, declared_audience, intent) coupons(id, campaign_id, user_id) ops(response)
-- least-sample: 1
-- possible-when: the books name neither key nor job, and the same member asked for such a coupon once
-- An attempt that surely failed is no reason for a coupon to exist: an intent refused each time, yet found, is a phantom.
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (intent IS NULL AND job_id IS NULL) AS unknown FROM coupon_events WHERE from_status IS NULL
-- statement: violations
WITH issues AS (SELECT coupon_id, campaign_id, user_id, seq, intent, job_id, actor FROM coupon_log WHERE from_status IS NULL),
asked AS (SELECT intent, bool_and(refused) AS refused FROM intents WHERE kind IN ('claim', 'issue') GROUP BY intent),
answers AS (SELECT DISTINCT coupon_id FROM attempts WHERE kind IN ('claim', 'issue') AND outcome = 'ok'),
wishes AS (SELECT DISTINCT user_id, campaign_id FROM intents WHERE kind IN ('claim', 'issue') AND NOT refused),
-- A job that cancels or compensates answers to its policy (X2, X3); an issuing one must be declared or asked for.
jobs_known AS (
  SELECT j.id, j.declared_audience IS NOT NULL OR coalesce(j.kind, 'issue') <> 'issue' OR coalesce(NOT a.refused, false) AS accounted
  FROM jobs j LEFT JOIN asked a ON a.intent = j.intent),
judged AS (
  SELECT i.*, a.refused, j.id IS NOT NULL AS job_known,
    coalesce(j.accounted, false) OR coalesce(NOT a.refused, false) OR r.coupon_id IS NOT NULL AS accounted, w.user_id IS NOT NULL AS wished
  FROM issues i LEFT JOIN jobs_known j ON j.id = i.job_id LEFT JOIN asked a ON a.intent = i.intent
    LEFT JOIN answers r ON r.coupon_id = i.coupon_id LEFT JOIN wishes w ON w.user_id = i.user_id AND w.campaign_id = i.campaign_id)
SELECT CASE WHEN intent IS NULL AND job_id IS NULL AND wished THEN 'possible' ELSE 'definite' END AS certainty, seq, coupon_id AS subject,
  CASE WHEN job_known THEN 'issued by job ' || job_id || ', which nobody declared or asked for' WHEN job_id IS NOT NULL THEN 'issued by job ' || job_id || ', which is not in the books'
    WHEN refused THEN 'every attempt of intent ' || intent || ' was refused' ELSE 'no attempt and no job stands behind it' END AS detail
FROM judged WHERE NOT accounted
