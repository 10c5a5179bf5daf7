-- Where SMS, e-mail and push end up. Insert-only: the commit timestamp is when the message arrived.
CREATE TABLE messages (
  id text PRIMARY KEY,
  user_id text NOT NULL,
  ref_kind text NOT NULL CHECK (ref_kind IN ('order', 'coupon', 'refund', 'compensation')),
  ref text NOT NULL,
  event_at_us bigint,
  template text NOT NULL,
  reason text NOT NULL,
  channel text NOT NULL CHECK (channel IN ('sms', 'email', 'push'))
);
