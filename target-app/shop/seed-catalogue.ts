/** Fills the template shop, set-based: members by hash of (id, seed), so the same seed makes the same people. */
import type { ClientBase } from "pg";

export interface CatalogueOptions {
  readonly seed: number;
  /** At least MEMBER_DAY_MEMBERS. */
  readonly members: number;
}

/** The drawn winners of campaign seoulcon. */
export const SEOULCON_WINNERS = 20;
export const MEMBER_DAY_MEMBERS = 20_000;
/** Share of members with a refund account on file, per cent. */
const REFUND_ACCOUNT_PERCENT = 70;
const CARD_PERCENT = 60;

/** hashtext of the id under the seed and a purpose, as 0 … 99. */
const percent = (purpose: string): string =>
  `((hashtext(id || ':${purpose}:' || $1::text) & 2147483647) % 100)`;

const MEMBERS = `
  INSERT INTO members (id, name, identity_hash, payment_method, has_refund_account)
  SELECT id,
    (ARRAY['김','이','박','최','정','강','조','윤','장','임'])[1 + ${percent("family")} % 10] ||
    (ARRAY['서','민','지','하','도','예','주','현','수','유'])[1 + ${percent("given-1")} % 10] ||
    (ARRAY['준','연','우','아','윤','은','원','호','진','린'])[1 + ${percent("given-2")} % 10],
    encode(sha256(convert_to(id || '@example.invalid', 'UTF8')), 'hex'),
    CASE WHEN ${percent("method")} < ${CARD_PERCENT} THEN 'card' ELSE 'transfer' END,
    ${percent("account")} < ${REFUND_ACCOUNT_PERCENT}
  FROM (SELECT 'u' || lpad(n::text, 6, '0') AS id FROM generate_series(1, $2::int) AS n) AS ids`;

/** Every price is above the largest coupon, so a discount is always the coupon's whole amount. */
const SHELVES = `
  INSERT INTO sellers (id, name, fee) VALUES
    ('seller-shoes', 'Hangang Footwear', 0), ('seller-outer', 'Bukchon Outerwear', 0), ('seller-bags', 'Jeju Bags', 3000);
  INSERT INTO products (sku, name, price, seller)
    SELECT 'shoes-' || lpad(n::text, 2, '0'), 'Running shoes ' || n, 119000 + n * 2000, 'seller-shoes' FROM generate_series(1, 14) n
    UNION ALL
    SELECT 'outer-' || lpad(n::text, 2, '0'), 'Down jacket ' || n, 189000 + n * 5000, 'seller-outer' FROM generate_series(1, 13) n
    UNION ALL
    SELECT 'bags-' || lpad(n::text, 2, '0'), 'Day pack ' || n, 129000 + n * 3000, 'seller-bags' FROM generate_series(1, 13) n;
  INSERT INTO stock (sku, initial) SELECT sku, 1000000 FROM products;
  INSERT INTO campaigns (id, kind, cap, amount, per_user, budget, valid_from, valid_to) VALUES
    ('seoulcon', 'grant', ${SEOULCON_WINNERS}, 100000, 1, 2000000, now() - interval '1 day', now() + interval '30 days'),
    ('member-day', 'grant', ${MEMBER_DAY_MEMBERS}, 10000, 1, 200000000, now() - interval '1 day', now() + interval '30 days'),
    ('compensation', 'compensation', NULL, NULL, NULL, NULL, now() - interval '1 day', now() + interval '365 days');
  INSERT INTO campaign_counters (campaign_id, cap) SELECT id, cap FROM campaigns`;

const WINNERS = `
  INSERT INTO eligible (campaign_id, user_id)
  SELECT 'seoulcon', id FROM members ORDER BY hashtext(id || ':draw:' || $1::text), id LIMIT ${SEOULCON_WINNERS}`;

const MEMBER_DAY = `
  INSERT INTO eligible (campaign_id, user_id)
  SELECT 'member-day', id FROM members ORDER BY id LIMIT ${MEMBER_DAY_MEMBERS}`;

/** One transaction: whoever sees a member sees the whole catalogue. */
export async function seedCatalogue(client: ClientBase, options: CatalogueOptions): Promise<void> {
  await client.query("BEGIN");
  await client.query(MEMBERS, [String(options.seed), options.members]);
  await client.query(SHELVES);
  await client.query(WINNERS, [String(options.seed)]);
  await client.query(MEMBER_DAY);
  await client.query("COMMIT");
  await client.query("ANALYZE members, eligible, products");
}
