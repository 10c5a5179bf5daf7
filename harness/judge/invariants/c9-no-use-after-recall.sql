-- id: C9
-- name: no-use-after-recall
-- class: S
-- holds: a coupon is used before its recall or expiry or not at all, and of a use and a recall that race one wins
-- subject: coupon
-- needs: coupon_events(coupon_id, seq, from_status, to_status)
-- uses: coupon_events(version, at_us) coupons(id, campaign_id) campaigns(id, valid_to_us)
-- least-sample: 1
-- possible-when: the events have no versions and are concurrent, or the use is within 1,000 µs of the campaign's end
-- A recall of a coupon long used is C10's; here it counts when the recall did not see the use, so that both won.
-- statement: sample
SELECT (SELECT count(*) FROM coupon_events WHERE to_status = 'used') AS considered,
  (SELECT count(*) FROM coupon_events WHERE to_status IN ('used', 'recalled', 'expired') AND version IS NULL AND seq IS NULL AND at_us IS NULL) AS unknown
-- statement: violations
WITH uses AS (SELECT * FROM coupon_log WHERE to_status = 'used'),
ends AS (SELECT * FROM coupon_log WHERE to_status IN ('recalled', 'expired')),
after_end AS (
  SELECT u.coupon_id, u.seq, e.to_status AS ended, CASE
    WHEN u.version <> e.version THEN CASE WHEN u.version > e.version THEN 'definite' END
    WHEN surely_before(u.seq, u.us, e.seq, e.us) THEN NULL
    WHEN surely_before(e.seq, e.us, u.seq, u.us) THEN 'definite'
    ELSE 'possible' END AS certainty
  FROM uses u JOIN ends e USING (coupon_id)),
both_won AS (
  SELECT coupon_id, seq, to_status AS ended, CASE
    WHEN from_status IS DISTINCT FROM 'used' THEN CASE WHEN prev_sure THEN 'definite' ELSE 'possible' END
    WHEN surely_before(prev_seq, prev_us, seq, us) THEN NULL ELSE 'possible' END AS certainty
  FROM ends WHERE prev_status = 'used' AND coupon_id NOT IN (SELECT coupon_id FROM after_end WHERE certainty IS NOT NULL)),
expired AS (
  SELECT u.coupon_id, u.seq, CASE WHEN u.us - c.valid_to_us >= 1000 THEN 'definite' ELSE 'possible' END AS certainty
  FROM uses u JOIN campaigns c ON c.id = u.campaign_id WHERE u.us - c.valid_to_us > -1000)
SELECT certainty, seq, coupon_id AS subject, 'used after it was ' || ended AS detail FROM after_end WHERE certainty IS NOT NULL
UNION ALL SELECT certainty, seq, coupon_id, ended || ' over a use it did not see: both won' FROM both_won WHERE certainty IS NOT NULL
UNION ALL SELECT certainty, seq, coupon_id, 'used after the campaign had ended' FROM expired
