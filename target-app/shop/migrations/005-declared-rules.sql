-- The state machines and the deadlines, as data: the judge reads them, and so may an operator.

CREATE TABLE transitions (
  entity      text NOT NULL CHECK (entity IN ('order', 'coupon')),
  from_status text,                                -- NULL: creation
  to_status   text NOT NULL,
  terminal    boolean NOT NULL,                    -- of to_status
  UNIQUE NULLS NOT DISTINCT (entity, from_status, to_status)
);
INSERT INTO transitions (entity, from_status, to_status, terminal) VALUES
  ('order', NULL, 'pending', false),
  ('order', 'pending', 'paid', false),
  ('order', 'pending', 'failed', true),
  ('order', 'pending', 'cancelling', false),
  ('order', 'paid', 'held', false),
  ('order', 'held', 'paid', false),
  ('order', 'paid', 'cancelling', false),
  ('order', 'held', 'cancelling', false),
  ('order', 'paid', 'cancelled', true),
  ('order', 'held', 'cancelled', true),
  ('order', 'cancelling', 'cancelled', true),
  ('order', 'paid', 'shipped', true),
  ('coupon', NULL, 'issued', false),
  ('coupon', 'issued', 'reserved', false),
  ('coupon', 'released', 'reserved', false),
  ('coupon', 'reserved', 'used', false),
  ('coupon', 'reserved', 'released', false),
  ('coupon', 'reserved', 'void', true),
  ('coupon', 'issued', 'used', false),
  ('coupon', 'released', 'used', false),
  ('coupon', 'used', 'released', false),
  ('coupon', 'used', 'void', true),
  ('coupon', 'issued', 'void', true),
  ('coupon', 'released', 'void', true),
  ('coupon', 'issued', 'recalled', true),
  ('coupon', 'released', 'recalled', true),
  ('coupon', 'issued', 'expired', true),
  ('coupon', 'released', 'expired', true);

-- `ms` counts from the status's entry. NULL status: the whole entity.
CREATE TABLE deadlines (
  entity text   NOT NULL CHECK (entity IN ('order', 'refund', 'notice', 'payment')),
  status text,
  ms     bigint NOT NULL CHECK (ms > 0),
  UNIQUE NULLS NOT DISTINCT (entity, status)
);
INSERT INTO deadlines (entity, status, ms) VALUES
  ('order', 'pending', 10000),
  ('order', 'held', 10000),
  ('order', 'cancelling', 10000),
  ('refund', 'requested', 10000),
  ('notice', NULL, 10000),
  ('payment', NULL, 10000);
