-- id: C2
-- name: entitlement
-- class: S
-- holds: every coupon went to a member of the eligibility snapshot taken before its job
-- subject: coupon
-- needs: eligible(campaign_id, user_id, snapshot_seq) coupons(id, campaign_id, user_id) coupon_events(coupon_id, seq, from_status, to_status)
-- uses: jobs(id, start_seq) coupon_events(job_id)
-- least-sample: 1
-- possible-when: the snapshot and the job's start (or the claim) are concurrent, or nobody wrote down when the snapshot was taken
-- A campaign without a snapshot is open to all: its coupons are not considered. A snapshot may be written in chunks, so
-- a member counts as entitled from the first of their rows on.
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (user_id IS NULL) AS unknown
FROM coupon_log SEMI JOIN eligible USING (campaign_id) WHERE from_status IS NULL
-- statement: violations
WITH issues AS (
  SELECT e.coupon_id, e.campaign_id, e.user_id, e.seq, least(j.start_seq, e.seq) AS begin_seq
  FROM coupon_log e SEMI JOIN eligible USING (campaign_id) LEFT JOIN jobs j ON j.id = e.job_id
  WHERE e.from_status IS NULL AND e.user_id IS NOT NULL),
entitled AS (
  SELECT campaign_id, user_id, CASE WHEN bool_and(snapshot_seq IS NOT NULL) THEN min(snapshot_seq) END AS snapshot_seq
  FROM eligible GROUP BY campaign_id, user_id),
judged AS (
  SELECT i.*, s.snapshot_seq, CASE
    WHEN s.user_id IS NULL THEN 'definite'
    WHEN surely_before(s.snapshot_seq, ks.at_us, i.begin_seq, kb.at_us) THEN NULL
    WHEN surely_before(i.begin_seq, kb.at_us, s.snapshot_seq, ks.at_us) THEN 'definite'
    ELSE 'possible' END AS certainty, s.user_id IS NULL AS outside
  FROM issues i LEFT JOIN entitled s USING (campaign_id, user_id)
    LEFT JOIN shop_clock ks ON ks.seq = s.snapshot_seq LEFT JOIN shop_clock kb ON kb.seq = i.begin_seq)
SELECT certainty, seq, coupon_id AS subject,
  'member ' || user_id || CASE WHEN outside THEN ' is not in the snapshot of campaign ' ELSE ' came into the snapshot after the issue had begun: campaign ' END || campaign_id AS detail
FROM judged WHERE certainty IS NOT NULL
