-- Coupons, orders and their audit trail. An audit table is insert-only and its row is written in the transaction of the
-- change it tells of, so pg_xact_commit_timestamp(xmin) is when the change became true. `version` is the entity's own
-- counter, raised under its row lock. Hot insert-only tables carry no foreign keys: each would cost a look-up an order.

CREATE TABLE coupons (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code        text    NOT NULL UNIQUE,
  campaign_id text    NOT NULL,
  user_id     text    NOT NULL,
  amount      bigint  NOT NULL CHECK (amount > 0),
  status      text    NOT NULL DEFAULT 'issued'
              CHECK (status IN ('issued', 'reserved', 'used', 'released', 'recalled', 'void', 'expired')),
  version     integer NOT NULL DEFAULT 1,
  claim_key   text                                 -- guarded: the idempotency key of the claim that made it
);
CREATE INDEX coupons_of_user ON coupons (user_id, campaign_id);
CREATE UNIQUE INDEX coupons_claim_once ON coupons (claim_key) WHERE claim_key IS NOT NULL;

CREATE TABLE coupon_events (
  coupon_id   bigint  NOT NULL,
  version     integer NOT NULL,
  from_status text,                                -- NULL: created
  to_status   text    NOT NULL,
  actor       text    NOT NULL,                    -- customer | operator | job | gateway
  reason      text,
  policy      text,                                -- name@version
  job_id      text,
  order_id    bigint,
  intent      text,
  PRIMARY KEY (coupon_id, version)
);

CREATE TABLE orders (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  intent          text,                            -- the idempotency key as sent: both variants store it
  idempotency_key text,                            -- the same key, enforced: guarded only
  body_hash       text,                            -- guarded: a repeated key must repeat the body
  user_id         text    NOT NULL,
  seller          text    NOT NULL,
  coupon_id       bigint,
  items_total     bigint  NOT NULL,
  discount        bigint  NOT NULL DEFAULT 0,
  fee             bigint  NOT NULL DEFAULT 0,
  total           bigint  NOT NULL CHECK (total >= 0),
  captured        bigint  NOT NULL DEFAULT 0,
  refunded        bigint  NOT NULL DEFAULT 0,      -- money really back at the payer
  refund_state    text    CHECK (refund_state IN ('requested', 'awaiting_account', 'done', 'failed')),
  status          text    NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'paid', 'held', 'cancelling', 'cancelled', 'shipped', 'failed')),
  version         integer NOT NULL DEFAULT 1,
  payment_id      text,                            -- the gateway's
  shipping_hold   boolean NOT NULL DEFAULT false,  -- a flag, not a status: shipping leaves the order alone
  attributes      jsonb   NOT NULL,                -- declared when ordering: coupon_campaign, seller, payment_method
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  status_since    timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX orders_once ON orders (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX orders_of_user ON orders (user_id);
-- What the worker looks for: unknown payments, orders to ship, cancellations to finish.
CREATE INDEX orders_in_motion ON orders (status, id) WHERE status IN ('pending', 'paid', 'held', 'cancelling');

CREATE TABLE order_items (
  order_id bigint  NOT NULL,
  sku      text    NOT NULL,
  qty      integer NOT NULL CHECK (qty > 0),
  price    bigint  NOT NULL,
  PRIMARY KEY (order_id, sku)
);

CREATE TABLE order_events (
  order_id    bigint  NOT NULL,
  version     integer NOT NULL,
  from_status text,
  to_status   text    NOT NULL,
  actor       text    NOT NULL,
  reason      text,
  policy      text,
  job_id      text,
  intent      text,
  PRIMARY KEY (order_id, version)
);

-- qty signed: a reservation or sale takes (−), a release or receipt gives (+). available = initial + Σ qty.
CREATE TABLE stock_events (
  sku      text    NOT NULL,
  qty      integer NOT NULL,
  reason   text    NOT NULL CHECK (reason IN ('reserve', 'release', 'sell', 'receive')),
  order_id bigint
);
