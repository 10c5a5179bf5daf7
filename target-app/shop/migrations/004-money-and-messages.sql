-- Refunds, webhooks, the double-entry ledger, messages to customers, compensations.

-- One row a refund, holding its current state; the row's own commit timestamp is when it got there.
CREATE TABLE refunds (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id        bigint  NOT NULL,
  amount          bigint  NOT NULL CHECK (amount > 0),
  state           text    NOT NULL CHECK (state IN ('requested', 'awaiting_account', 'done', 'failed')),
  idempotency_key text    NOT NULL UNIQUE,         -- towards the gateway: a repeated request refunds once
  attempts        integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX refunds_of_order ON refunds (order_id);
CREATE INDEX refunds_open ON refunds (next_attempt_at) WHERE state = 'requested';

-- Every receipt, insert-only. `applied` rows are written in the transaction of their effect.
CREATE TABLE webhooks (
  receipt      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id     text,
  payment_id   text,
  signature_ok boolean NOT NULL,
  applied      boolean NOT NULL
);
-- Guarded: an event takes effect once, however often it comes.
CREATE TABLE webhooks_once (event_id text PRIMARY KEY);

CREATE TABLE accounts (
  account text PRIMARY KEY,
  kind    text NOT NULL
);
INSERT INTO accounts (account, kind) VALUES
  ('gateway_receivable', 'asset'),                 -- captured by the gateway, not paid out yet
  ('sales', 'revenue'),
  ('delivery_fees', 'revenue'),
  ('coupon_expense', 'expense'),
  ('refund_clearing', 'clearing'),                 -- owed to payers; 0 when every refund is done or parked
  ('refunds_awaiting_account', 'liability');

-- capture:  gateway_receivable D total, coupon_expense D discount  /  sales C items_total, delivery_fees C fee
-- cancel:   the same turned round, with refund_clearing in the place of gateway_receivable
-- refund:   refund_clearing D / gateway_receivable C (done) or refunds_awaiting_account C (no account yet)
CREATE TABLE ledger (
  entry_id text   NOT NULL,                        -- capture:ORDER, cancel:ORDER, refund:ORDER
  account  text   NOT NULL,
  debit    bigint NOT NULL DEFAULT 0,
  credit   bigint NOT NULL DEFAULT 0,
  ref      text   NOT NULL                         -- the order
);

-- The outbox (guarded). The message is insert-only, so its commit is its event's commit; only the pending mark goes.
CREATE TABLE outbox (
  id       text PRIMARY KEY,
  user_id  text NOT NULL,
  ref_kind text NOT NULL CHECK (ref_kind IN ('order', 'coupon', 'refund', 'compensation')),
  ref      text NOT NULL,
  template text NOT NULL,
  reason   text NOT NULL,
  channel  text NOT NULL DEFAULT 'sms'
);
CREATE TABLE outbox_pending (
  id       text PRIMARY KEY,
  attempts integer NOT NULL DEFAULT 0
);

CREATE TABLE compensations (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id   text   NOT NULL,
  order_id  bigint NOT NULL,
  coupon_id bigint,
  amount    bigint NOT NULL,
  policy    text
);
-- Once an order under a policy; a compensation that names none (naive) is not held to it.
CREATE UNIQUE INDEX compensations_once ON compensations (policy, order_id) WHERE policy IS NOT NULL;
