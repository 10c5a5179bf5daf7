-- The gateway's own ledger. Insert-only: a row's commit timestamp is when it took effect, so nothing is ever updated.
CREATE TABLE payments (
  id text PRIMARY KEY,
  parent_id text REFERENCES payments (id),
  order_id text NOT NULL,
  merchant_ref text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('authorize', 'capture', 'void', 'refund')),
  amount bigint NOT NULL CHECK (amount >= 0),
  result text NOT NULL CHECK (result IN ('ok', 'declined', 'unknown')),
  idempotency_key text,
  -- Which of the two acquiring banks carries the payment, and hence its refund.
  rail text NOT NULL CHECK (rail IN ('a', 'b')),
  notify_url text
);
-- A capture and a void carry no key of their own: they hang on their parent.
CREATE UNIQUE INDEX payments_key ON payments (kind, idempotency_key) WHERE kind IN ('authorize', 'refund');
CREATE UNIQUE INDEX payments_one_void ON payments (parent_id) WHERE kind = 'void';
CREATE INDEX payments_merchant_ref ON payments (merchant_ref);
CREATE INDEX payments_order ON payments (order_id) WHERE kind = 'capture';
CREATE INDEX payments_children ON payments (parent_id);

-- What the merchant is still to be told. Updated as it is delivered, hence apart from the ledger.
CREATE TABLE webhook_events (
  event_id text PRIMARY KEY,
  type text NOT NULL CHECK (type IN ('refund.done', 'payment.captured')),
  payment_id text NOT NULL REFERENCES payments (id),
  notify_url text NOT NULL,
  attempts int NOT NULL DEFAULT 0,
  delivered_at timestamptz
);
CREATE INDEX webhook_events_open ON webhook_events (notify_url, event_id) WHERE delivered_at IS NULL;
