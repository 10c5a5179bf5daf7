-- id: C3
-- name: blast-guard
-- class: S
-- holds: an issuing job declares its audience before it starts and issues at most that many
-- subject: job
-- needs: jobs(id, kind, declared_audience, declared_seq, start_seq) coupon_events(coupon_id, seq, from_status, to_status, job_id)
-- least-sample: 1
-- possible-when: the declaration and the start are concurrent, or nobody wrote down when it was declared
-- A job refused before it started issued nothing and is not considered.
-- statement: sample
SELECT count(*) AS considered, 0 AS unknown FROM jobs j
WHERE j.kind = 'issue' AND (j.start_seq IS NOT NULL OR EXISTS (FROM coupon_events e WHERE e.job_id = j.id AND e.from_status IS NULL))
-- statement: violations
WITH issued AS (
  SELECT job_id, count(DISTINCT coupon_id) AS n, min(seq) AS first_seq FROM coupon_events WHERE from_status IS NULL AND job_id IS NOT NULL GROUP BY job_id),
issuing AS (
  SELECT j.id, j.kind, j.declared_audience, j.declared_seq, least(j.start_seq, i.first_seq) AS begin_seq, coalesce(i.n, 0) AS n
  FROM jobs j LEFT JOIN issued i ON i.job_id = j.id
  WHERE (j.kind = 'issue' OR (j.kind = 'compensate' AND j.declared_audience IS NOT NULL)) AND (j.start_seq IS NOT NULL OR i.n > 0)),
timed AS (
  SELECT i.*, CASE
    WHEN declared_audience IS NULL THEN 'definite'
    WHEN surely_before(declared_seq, kd.at_us, begin_seq, kb.at_us) THEN NULL
    WHEN surely_before(begin_seq, kb.at_us, declared_seq, kd.at_us) THEN 'definite'
    ELSE 'possible' END AS late
  FROM issuing i LEFT JOIN shop_clock kd ON kd.seq = i.declared_seq LEFT JOIN shop_clock kb ON kb.seq = i.begin_seq)
SELECT 'definite' AS certainty, begin_seq AS seq, id AS subject, 'issued ' || n || ', declared ' || declared_audience AS detail, n - declared_audience AS size
FROM timed WHERE n > declared_audience
UNION ALL
SELECT late, begin_seq, id, CASE WHEN declared_audience IS NULL THEN 'started without a declared audience and issued ' || n ELSE 'the audience was not declared before the start' END, n
FROM timed WHERE late IS NOT NULL AND kind = 'issue'
