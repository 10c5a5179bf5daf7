-- id: C11
-- name: bystander-coupons
-- class: S
-- holds: a recall changes no other coupon of the members it concerns
-- subject: coupon
-- needs: jobs(id, kind, campaign_id) coupons(id, campaign_id, user_id) coupon_events(coupon_id, seq, from_status, to_status, job_id)
-- uses: coupon_events(actor)
-- least-sample: 1
-- possible-when: another coupon of the member changed in the recall's own commit, under no job
-- statement: sample
SELECT count(*) AS considered, count(*) FILTER (l.user_id IS NULL) AS unknown FROM coupon_log l JOIN jobs j ON j.id = l.job_id WHERE j.kind = 'recall'
-- statement: violations
WITH recalled AS (SELECT l.*, j.campaign_id AS scope FROM coupon_log l JOIN jobs j ON j.id = l.job_id WHERE j.kind = 'recall')
SELECT 'definite' AS certainty, seq, coupon_id AS subject,
  CASE WHEN campaign_id <> scope THEN 'a coupon of campaign ' || campaign_id || ' became ' || to_status || ' in the recall of ' || scope
    ELSE 'the recall turned it from ' || coalesce(from_status, 'nothing') || ' to ' || to_status END AS detail
FROM recalled WHERE campaign_id <> scope OR to_status <> 'recalled'
UNION ALL
SELECT 'possible', b.seq, b.coupon_id, 'became ' || b.to_status || ' in the commit that recalled another coupon of member ' || b.user_id
FROM coupon_log b WHERE b.job_id IS NULL AND b.actor IN ('job', 'operator') AND b.to_status IN ('recalled', 'void', 'expired')
  AND EXISTS (FROM recalled r WHERE r.seq = b.seq AND r.user_id = b.user_id AND r.coupon_id <> b.coupon_id)
