-- One notice for each cancel, hold, recall and compensation the system starts, with its reason, to the member
-- concerned, within the deadline of notices. A cancel's own coupon and refund share the cancel's notice. A notice
-- belongs to its event by event_seq; one without it belongs by its reference and its time, where the clocks agree.
-- id: X1
-- name: notice
-- class: B
-- holds: everyone hit by a cancel, hold, recall or compensation the system starts is told once, with the reason, in time
-- subject: order
-- needs: notifications(user_id, ref_kind, ref, reason) orders(id, user_id) order_events(order_id, seq, from_status, to_status, actor)
-- uses: coupons(id, user_id) coupon_events(coupon_id, seq, to_status, actor, order_id) compensations(id, user_id, order_id, coupon_id, seq) jobs(id, actor)
-- uses: notifications(event_seq, template, at_us) deadlines(entity, status, ms)
-- least-sample: 1
-- possible-when: several notices name the same thing and none says which event it is about
-- statement: sample
WITH notice AS (SELECT min(ms) AS ms FROM deadlines WHERE entity = 'notice'),
hits AS (
  SELECT last_at_us AS at_us FROM order_decisions WHERE who = 'system'
  UNION ALL
  SELECT e.at_us FROM coupon_events e LEFT JOIN order_decisions d ON d.order_id = e.order_id AND d.who = 'system'
  WHERE e.to_status = 'recalled' AND e.actor IN ('operator', 'job') AND d.order_id IS NULL
  UNION ALL
  SELECT k.at_us FROM compensations c LEFT JOIN shop_clock k ON k.seq = c.seq)
SELECT count(*) AS considered, count(*) FILTER (NOT overdue(at_us, ms, 'shop')) AS unknown FROM hits CROSS JOIN notice
-- statement: violations
WITH notice AS (SELECT min(ms) AS ms FROM deadlines WHERE entity = 'notice'),
owed AS (
  SELECT 'order' AS ref_kind, d.order_id AS ref, any_value(o.user_id) AS user_id, count(*) AS due, min(first_seq) AS first_seq, max(last_seq) AS last_seq,
    max(last_at_us) AS at_us, min(first_at_us) AS since_us, string_agg(decision, ' and ' ORDER BY decision DESC) AS what, 'order' AS subject_kind, d.order_id AS subject
  FROM order_decisions d LEFT JOIN orders o ON o.id = d.order_id WHERE d.who = 'system' GROUP BY d.order_id
  UNION ALL
  SELECT 'coupon', e.coupon_id, any_value(c.user_id), 1, min(e.seq), max(e.seq), max(e.at_us), min(e.at_us), 'recall', 'coupon', e.coupon_id
  FROM coupon_events e LEFT JOIN coupons c ON c.id = e.coupon_id LEFT JOIN order_decisions d ON d.order_id = e.order_id AND d.who = 'system'
  WHERE e.to_status = 'recalled' AND e.actor IN ('operator', 'job') AND d.order_id IS NULL GROUP BY e.coupon_id
  UNION ALL
  SELECT 'compensation', c.id, c.user_id, 1, c.seq, c.seq, k.at_us, k.at_us, 'compensation', CASE WHEN c.order_id IS NULL THEN 'user' ELSE 'order' END, coalesce(c.order_id, c.user_id)
  FROM compensations c LEFT JOIN shop_clock k ON k.seq = c.seq),
sent AS (
  SELECT n.ref_kind, n.ref, n.user_id, n.reason, n.template, n.event_seq, n.at_us FROM notifications n WHERE n.ref_kind IN ('order', 'coupon', 'compensation')
  UNION ALL -- a compensation may be told by naming the coupon it is
  SELECT 'compensation', c.id, n.user_id, n.reason, n.template, n.event_seq, n.at_us FROM notifications n JOIN compensations c ON c.coupon_id = n.ref WHERE n.ref_kind = 'coupon'),
about AS (
  SELECT w.subject_kind, w.subject, w.ref_kind, w.ref, s.user_id IS NOT DISTINCT FROM w.user_id AS right_member, coalesce(trim(s.reason), '') <> '' AS reasoned, s.template, s.event_seq, s.at_us,
    s.event_seq BETWEEN w.first_seq AND w.last_seq AS exact
  FROM owed w JOIN sent s USING (ref_kind, ref)
  WHERE s.event_seq >= w.first_seq OR (s.event_seq IS NULL AND (NOT same_clock('shop', 'sink') OR coalesce(s.at_us > w.since_us - 1000, true)))),
-- Messages of one text about one thing: more than are due is telling twice, whatever else was sent.
texts AS (
  SELECT ref_kind, ref, template, count(*) AS told, count(*) FILTER (exact) AS exact, count(*) FILTER (event_seq IS NULL) AS loose,
    count(*) FILTER (right_member) AS rightly, count(*) FILTER (right_member AND reasoned) AS reasoned, min(at_us) FILTER (right_member) AS first_us
  FROM about GROUP BY ref_kind, ref, template),
told AS (
  SELECT ref_kind, ref, sum(told) AS told, sum(exact) AS exact, sum(loose) AS loose, max(exact + loose) AS same_text, sum(rightly) AS rightly, sum(reasoned) AS reasoned, min(first_us) AS first_us
  FROM texts GROUP BY ref_kind, ref),
judged AS (
  SELECT w.*, n.ms, overdue(w.at_us, n.ms, 'shop') AS over, coalesce(t.told, 0) AS told, coalesce(t.exact, 0) AS exact, coalesce(t.loose, 0) AS loose, coalesce(t.same_text, 0) AS same_text,
    coalesce(t.rightly, 0) AS rightly, coalesce(t.reasoned, 0) AS reasoned, CASE WHEN same_clock('shop', 'sink') THEN t.first_us - w.at_us END AS took_us
  FROM owed w CROSS JOIN notice n LEFT JOIN told t USING (ref_kind, ref)),
faults AS (
  SELECT *, CASE
      WHEN told = 0 AND over THEN 'nobody was told'
      WHEN rightly = 0 AND told > 0 THEN 'somebody else was told'
      WHEN rightly < due AND over THEN 'told ' || rightly || ' of ' || due || ' times'
      WHEN reasoned < least(due, rightly) THEN 'told without a reason'
      WHEN took_us >= ms * 1000 + 1000 THEN 'told after ' || took_us // 1000 || ' ms, ' || ms || ' ms are allowed'
      WHEN exact > due OR same_text > due THEN 'told ' || greatest(exact, same_text) || ' times'
      WHEN told > rightly THEN 'somebody else was told as well' END AS definite,
    CASE WHEN exact + loose > due THEN 'perhaps told ' || (exact + loose) || ' times' END AS possible
  FROM judged)
SELECT CASE WHEN definite IS NULL THEN 'possible' ELSE 'definite' END AS certainty, first_seq AS seq, subject, subject_kind, what || ': ' || coalesce(definite, possible) AS detail, took_us AS size
FROM faults WHERE coalesce(definite, possible) IS NOT NULL
