-- What a job undertook and what it did; done_seq is NULL for what it left undone.
SELECT job_id, order_id::text AS order_id, coupon_id::text AS coupon_id, max(done) AS done_seq
FROM (
  SELECT job_id, order_id, coupon_id, NULL::bigint AS done FROM job_items
  UNION ALL
  SELECT job_id, order_id, coupon_id, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint FROM job_items_done
) AS item
GROUP BY job_id, order_id, coupon_id
