-- Members, sellers, products and campaigns: what exists before the first customer comes. Money is integer KRW.
-- prepare.ts fills these tables once, in the template database; a run only reads them (stock and counters excepted).

CREATE TABLE members (
  id                 text PRIMARY KEY,            -- u000001 …
  name               text    NOT NULL,
  identity_hash      text    NOT NULL UNIQUE,     -- SHA-256 of the e-mail address: the identity a campaign counts by
  payment_method     text    NOT NULL CHECK (payment_method IN ('card', 'transfer')),
  has_refund_account boolean NOT NULL
);

CREATE TABLE sellers (
  id   text PRIMARY KEY,
  name text NOT NULL,
  fee  bigint NOT NULL CHECK (fee >= 0)           -- delivery, once an order
);

CREATE TABLE products (
  sku    text PRIMARY KEY,
  name   text   NOT NULL,
  price  bigint NOT NULL CHECK (price > 0),
  seller text   NOT NULL REFERENCES sellers
);

-- `taken` = reserved + sold. There is no CHECK against overselling on purpose: the guarded variant refuses in its own
-- statement, under the row lock, where it can answer "sold_out" instead of failing.
CREATE TABLE stock (
  sku     text PRIMARY KEY REFERENCES products,
  initial bigint NOT NULL CHECK (initial >= 0),
  taken   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);                         -- forty hot rows: room for in-page (HOT) updates

CREATE TABLE campaigns (
  id         text PRIMARY KEY,
  kind       text   NOT NULL,                     -- grant (operator's issue) | compensation
  cap        bigint,
  amount     bigint,                              -- NULL: decided per coupon (compensation)
  per_user   integer,
  budget     bigint,
  valid_from timestamptz NOT NULL,
  valid_to   timestamptz NOT NULL
);

-- The eligibility snapshot, taken before any job. A campaign without rows here is open to all.
CREATE TABLE eligible (
  campaign_id text NOT NULL REFERENCES campaigns,
  user_id     text NOT NULL REFERENCES members,
  PRIMARY KEY (campaign_id, user_id)
);

-- The cap as a database constraint (guarded): one row a campaign, raised in the transaction that issues.
CREATE TABLE campaign_counters (
  campaign_id text PRIMARY KEY REFERENCES campaigns,
  cap         bigint,
  issued      bigint NOT NULL DEFAULT 0,
  CONSTRAINT issued_within_cap CHECK (cap IS NULL OR issued <= cap)
);

-- One grant a person and campaign (guarded); the person is the identity, not the account.
CREATE TABLE campaign_grants (
  campaign_id   text NOT NULL,
  identity_hash text NOT NULL,
  PRIMARY KEY (campaign_id, identity_hash)
);
