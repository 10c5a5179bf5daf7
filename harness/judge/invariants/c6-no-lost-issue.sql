-- id: C6
-- name: no-lost-issue
-- class: Q
-- holds: every acknowledged issue or claim is in the books, and a read finds it
-- subject: intent
-- needs: ops(kind, intent, outcome, response) coupons(id, user_id)
-- uses: ops(request, process, status) coupons(code) coupon_events(coupon_id, intent, from_status, job_id) jobs(id, intent)
-- least-sample: 1
-- possible-when: the answer named no coupon and the books keep no keys, or only a look-up during the run missed it
-- statement: sample
SELECT count(*) FILTER (acknowledged) AS considered, count(*) FILTER (resolution = 'unknown') AS unknown FROM intents WHERE kind IN ('claim', 'issue')
-- statement: violations
WITH acknowledged AS (
  SELECT intent, user_id, coupon_id, code, job_id, try_cast(issued AS BIGINT) AS issued, max(time_complete_ns) AS told_ns, bool_or(operator) AS operator
  FROM attempts WHERE kind IN ('claim', 'issue') AND outcome = 'ok' GROUP BY ALL),
of_customers AS (SELECT * FROM acknowledged WHERE job_id IS NULL AND operator IS NOT TRUE),
keys AS (SELECT intent, min(coupon_id) AS coupon_id FROM coupon_events WHERE intent IS NOT NULL AND from_status IS NULL GROUP BY intent),
placed AS (
  SELECT a.*, coalesce(c.id, d.id, CASE WHEN a.coupon_id IS NULL AND a.code IS NULL THEN k.coupon_id END) AS found, coalesce(c.user_id, d.user_id) AS owner
  FROM of_customers a LEFT JOIN coupons c ON c.id = a.coupon_id
    LEFT JOIN coupons d ON d.code = CASE WHEN a.coupon_id IS NULL THEN a.code END LEFT JOIN keys k ON k.intent = a.intent),
-- The last thing a read said of the coupon after its owner had been told of it.
reads AS (
  SELECT p.intent, p.found, r.kind, r.time_invoke_ns,
    CASE WHEN r.outcome = 'ok' AND json_type(r.response, '$.coupons') = 'ARRAY'
      THEN NOT list_contains(r.response->>'$.coupons[*].id', p.found) AND NOT list_contains(r.response->>'$.coupons[*].coupon_id', p.found)
      ELSE r.outcome = 'fail' AND (r.status IN (404, 410) OR r.error = 'not_found') END AS missed
  FROM placed p JOIN ops r ON r.kind IN ('final-read', 'lookup') AND (r.request->>'$.entity') = 'coupon' AND (r.request->>'$.id') = p.found
  WHERE coalesce(r.time_invoke_ns >= p.told_ns, r.kind = 'final-read') AND (r.outcome = 'ok' OR r.status IN (404, 410) OR r.error = 'not_found')
  UNION ALL
  SELECT p.intent, p.found, r.kind, r.time_invoke_ns, NOT list_contains(r.response->>'$.coupons[*].id', p.found) AND NOT list_contains(r.response->>'$.coupons[*].coupon_id', p.found)
  FROM placed p JOIN ops r ON r.kind = 'final-read' AND r.outcome = 'ok' AND json_type(r.response, '$.coupons') = 'ARRAY' AND (r.request->>'$.user_id') = p.user_id
  WHERE p.found IS NOT NULL AND coalesce(r.time_invoke_ns >= p.told_ns, true)),
last_read AS (SELECT intent, found, arg_max(missed, coalesce(time_invoke_ns, 0)) AS missed, arg_max(kind, coalesce(time_invoke_ns, 0)) AS kind FROM reads GROUP BY intent, found),
of_jobs AS (
  SELECT a.* EXCLUDE (job_id), coalesce(a.job_id, j.id, 'of ' || a.intent) AS job_id, j.id AS job, coalesce(e.n, 0) AS n
  FROM (FROM acknowledged WHERE job_id IS NOT NULL OR operator) a LEFT JOIN jobs j ON coalesce(j.id = a.job_id, j.intent = a.intent)
    LEFT JOIN (SELECT job_id, count(*) AS n FROM coupon_events WHERE from_status IS NULL GROUP BY job_id) e ON e.job_id = coalesce(a.job_id, j.id))
SELECT CASE WHEN coupon_id IS NULL AND code IS NULL AND (SELECT count(*) FROM keys) = 0 THEN 'possible' ELSE 'definite' END AS certainty, NULL::BIGINT AS seq,
  intent AS subject, coalesce('coupon ' || coupon_id, 'code ' || code, 'a coupon') || ' was acknowledged and is not in the books' AS detail, 1 AS size
FROM placed WHERE found IS NULL
UNION ALL
SELECT 'definite', NULL, intent, 'coupon ' || found || ' was acknowledged to ' || user_id || ' and belongs to ' || owner, 1 FROM placed WHERE owner <> user_id
UNION ALL
SELECT CASE WHEN kind = 'final-read' THEN 'definite' ELSE 'possible' END, NULL, intent, 'coupon ' || found || ' is in the books and a ' || kind || ' did not find it', 1
FROM last_read WHERE missed
UNION ALL
SELECT 'definite', NULL, intent, 'job ' || job_id || ' was acknowledged and is not in the books', issued
FROM of_jobs WHERE job IS NULL AND n = 0 AND (SELECT count(*) FROM jobs) + (SELECT count(*) FROM coupon_events) > 0
UNION ALL
SELECT 'definite', NULL, intent, 'job ' || job_id || ' was acknowledged as having issued ' || issued || ', the books hold ' || n, issued - n
FROM of_jobs WHERE issued > n AND NOT (job IS NULL AND n = 0)
