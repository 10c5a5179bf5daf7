-- A job's row is insert-only: its commit is the declaration; start and end are marks of their own.
SELECT jobs.id, jobs.intent, jobs.kind, jobs.campaign_id, jobs.policy, jobs.declared_audience,
  (extract(epoch FROM pg_xact_commit_timestamp(jobs.xmin)) * 1000000)::bigint AS declared_seq,
  (extract(epoch FROM pg_xact_commit_timestamp(started.xmin)) * 1000000)::bigint AS start_seq,
  (extract(epoch FROM pg_xact_commit_timestamp(ended.xmin)) * 1000000)::bigint AS end_seq,
  jobs.actor
FROM jobs
LEFT JOIN job_marks AS started ON started.job_id = jobs.id AND started.mark = 'started'
LEFT JOIN job_marks AS ended ON ended.job_id = jobs.id AND ended.mark = 'ended'
