-- id: C10
-- name: recall-scope
-- class: Q
-- holds: a recall takes back every unused coupon of its campaign, and no other
-- subject: coupon
-- needs: jobs(id, kind, campaign_id, start_seq, end_seq) coupons(id, campaign_id) coupon_events(coupon_id, seq, from_status, to_status, job_id)
-- uses: coupon_events(version, at_us)
-- least-sample: 1
-- possible-when: a coupon changed within 1,000 µs of the recall's start or end, or was recalled under no job
-- A recall's scope is its job's campaign; whoever was issued or released from before its start until after its end must be
-- recalled. What changed in between may have been out of its reach. A recall that never ended reaches to the books' end.
-- statement: sample
SELECT count(*) AS considered, (SELECT count(*) FROM jobs WHERE kind = 'recall' AND (campaign_id IS NULL OR start_seq IS NULL)) AS unknown
FROM coupon_log l WHERE (l.from_status IS NULL AND l.campaign_id IN (SELECT campaign_id FROM jobs WHERE kind = 'recall')) OR l.to_status = 'recalled'
-- statement: violations
WITH recalls AS (
  SELECT j.id, j.campaign_id, j.start_seq, s.at_us AS start_us, j.end_seq, e.at_us AS end_us
  FROM jobs j LEFT JOIN shop_clock s ON s.seq = j.start_seq LEFT JOIN shop_clock e ON e.seq = j.end_seq
  WHERE j.kind = 'recall'),
missed AS (
  SELECT l.coupon_id, l.seq, r.id AS job_id, l.to_status, CASE
    WHEN surely_before(r.start_seq, r.start_us, l.seq, l.us) THEN NULL
    WHEN l.next_status IS NOT NULL AND (r.end_seq IS NULL OR surely_before(l.next_seq, l.next_us, r.end_seq, r.end_us)) THEN NULL
    WHEN l.next_status = 'recalled' AND NOT surely_before(r.end_seq, r.end_us, l.next_seq, l.next_us) THEN NULL
    WHEN surely_before(l.seq, l.us, r.start_seq, r.start_us) AND (l.next_status IS NULL OR surely_before(r.end_seq, r.end_us, l.next_seq, l.next_us)) THEN 'definite'
    ELSE 'possible' END AS certainty
  FROM coupon_log l JOIN recalls r USING (campaign_id)
  WHERE r.start_seq IS NOT NULL AND l.to_status IN ('issued', 'released')),
taken AS (
  SELECT l.*, r.id AS recall_id, r.campaign_id AS scope, r.start_seq, r.start_us, r.end_seq, r.end_us,
    EXISTS (FROM recalls o WHERE o.campaign_id = l.campaign_id AND NOT surely_before(l.seq, l.us, o.start_seq, o.start_us) AND NOT surely_before(o.end_seq, o.end_us, l.seq, l.us)) AS during_some
  FROM coupon_log l LEFT JOIN recalls r ON r.id = l.job_id WHERE l.to_status = 'recalled'),
outside AS (
  SELECT coupon_id, seq, CASE
    WHEN recall_id IS NOT NULL AND scope IS NOT NULL AND campaign_id <> scope THEN 'definite: campaign ' || campaign_id || ' is not the one recalled, ' || scope
    WHEN prev_status NOT IN ('issued', 'released') THEN CASE WHEN prev_sure THEN 'definite' ELSE 'possible' END || ': it was ' || prev_status
    WHEN prev_status IS NULL AND from_status NOT IN ('issued', 'released') THEN 'definite: it was ' || from_status
    WHEN recall_id IS NOT NULL AND surely_before(seq, us, start_seq, start_us) THEN 'definite: recalled before the recall began'
    WHEN recall_id IS NOT NULL AND surely_before(end_seq, end_us, seq, us) THEN 'definite: recalled after the recall had ended'
    WHEN recall_id IS NULL AND NOT during_some THEN CASE WHEN job_id IS NULL THEN 'possible' ELSE 'definite' END || ': recalled under no recall' END AS found
  FROM taken)
SELECT certainty, seq, coupon_id AS subject, to_status || ' before, during and after recall ' || job_id || ', and not recalled' AS detail FROM missed WHERE certainty IS NOT NULL
UNION ALL
SELECT split_part(found, ': ', 1), seq, coupon_id, found[length(split_part(found, ': ', 1)) + 3:] FROM outside WHERE found IS NOT NULL
