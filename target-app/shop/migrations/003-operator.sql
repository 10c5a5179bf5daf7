-- Policies, their snapshots, and mass jobs. Whatever happens to a job later goes into tables of its own, so that the
-- commit timestamp of the job's row stays the moment it was declared.

CREATE TABLE policies (
  policy        text    NOT NULL,                  -- withdraw
  version       integer NOT NULL,                  -- 1
  campaign_id   text    NOT NULL,
  scope         text    NOT NULL,                  -- predicate over snapshot attributes: policy-scope.ts
  action        text    NOT NULL,                  -- cancel
  carve_outs    text,                              -- predicate; NULL carves nothing out
  coupon_action text    NOT NULL CHECK (coupon_action IN ('release', 'void')),
  deadline_ms   integer NOT NULL CHECK (deadline_ms > 0),
  compensation  text,                              -- flat:N | rate:P%
  PRIMARY KEY (policy, version)
);

CREATE TABLE policy_snapshots (
  policy     text    NOT NULL,
  version    integer NOT NULL,
  order_id   bigint  NOT NULL,
  attributes jsonb   NOT NULL,
  PRIMARY KEY (policy, version, order_id)
);

CREATE TABLE jobs (
  id                text PRIMARY KEY,
  intent            text UNIQUE,                   -- the operator's idempotency key
  kind              text NOT NULL CHECK (kind IN ('issue', 'recall', 'cancel', 'compensate')),
  campaign_id       text NOT NULL,
  policy            text,                          -- name@version; NULL when the job does not act under one
  audience          text,                          -- issue: all-members | eligible
  declared_audience bigint,
  actor             text NOT NULL,
  parameters        jsonb NOT NULL DEFAULT '{}'
);

-- Insert-only: start_seq and end_seq are the commit timestamps of these rows.
CREATE TABLE job_marks (
  job_id text NOT NULL,
  mark   text NOT NULL CHECK (mark IN ('started', 'ended')),
  note   text,
  PRIMARY KEY (job_id, mark)
);

-- Mutable; for the operator's screen only, never evidence.
CREATE TABLE job_progress (
  job_id text PRIMARY KEY,
  state  text   NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
  done   bigint NOT NULL DEFAULT 0,
  total  bigint NOT NULL DEFAULT 0
);

-- Guarded: a job in chunks; a chunk is done when its row in job_chunk_marks is committed together with its work.
CREATE TABLE job_chunks (
  job_id   text    NOT NULL,
  chunk    integer NOT NULL,
  from_key text    NOT NULL,
  to_key   text    NOT NULL,
  PRIMARY KEY (job_id, chunk)
);
CREATE TABLE job_chunk_marks (
  job_id text    NOT NULL,
  chunk  integer NOT NULL,
  items  bigint  NOT NULL,
  PRIMARY KEY (job_id, chunk)
);

-- What a job undertakes to do, and (insert-only, in the transaction that does it) what it did.
CREATE TABLE job_items (
  job_id    text NOT NULL,
  order_id  bigint,
  coupon_id bigint,
  UNIQUE NULLS NOT DISTINCT (job_id, order_id, coupon_id)
);
CREATE TABLE job_items_done (
  job_id    text NOT NULL,
  order_id  bigint,
  coupon_id bigint,
  UNIQUE NULLS NOT DISTINCT (job_id, order_id, coupon_id)
);
