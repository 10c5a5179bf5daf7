/**
 * The canonical evidence tables of design.md §7: names, columns and types, fixed. The evidence reader writes them, the
 * judge reads them, and people map their own services onto them. Types are DuckDB's; JSON columns are JSON text.
 */

export type EvidenceType = "VARCHAR" | "BIGINT" | "DOUBLE" | "BOOLEAN" | "JSON";

const columns = (spec: string): Readonly<Record<string, EvidenceType>> => {
  const types: Record<string, EvidenceType> = {
    t: "VARCHAR",
    i: "BIGINT",
    d: "DOUBLE",
    b: "BOOLEAN",
    j: "JSON",
  };
  return Object.fromEntries(
    spec
      .split(/\s+/)
      .filter(Boolean)
      .map((word) => {
        const [name = "", type = "t"] = word.split(":");
        return [name, types[type] ?? "VARCHAR"];
      }),
  );
};

/** `name:type`, type t VARCHAR (default) · i BIGINT · d DOUBLE · b BOOLEAN · j JSON. */
export const EVIDENCE_TABLES = {
  books: columns("book clock seq_quality drained:b read_seq:i read_at_us:i"),
  commits: columns("book seq:i at_us:i"),
  members: columns("id name identity_hash has_refund_account:b"),
  campaigns: columns("id kind cap:i amount:i per_user:i budget:i valid_from_us:i valid_to_us:i"),
  eligible: columns("campaign_id user_id snapshot_seq:i"),
  jobs: columns(
    "id intent kind campaign_id policy declared_audience:i declared_seq:i start_seq:i end_seq:i actor",
  ),
  job_items: columns("job_id order_id coupon_id done_seq:i"),
  coupons: columns("id code campaign_id user_id amount:i status"),
  coupon_events: columns(
    "coupon_id seq:i version:i at_us:i from_status to_status actor reason policy job_id order_id intent",
  ),
  orders: columns(
    "id intent user_id seller coupon_id items_total:i discount:i fee:i total:i captured:i refunded:i refund_state status attributes:j",
  ),
  order_items: columns("order_id sku qty:i price:i"),
  order_events: columns(
    "order_id seq:i version:i at_us:i from_status to_status actor reason policy job_id intent",
  ),
  policies: columns(
    "policy version:i published_seq:i published_at_us:i snapshot_seq:i scope action carve_outs coupon_action deadline_ms:i compensation",
  ),
  policy_snapshots: columns("policy version:i order_id attributes:j snapshot_seq:i"),
  payments: columns(
    "id parent_id order_id merchant_ref kind amount:i result idempotency_key seq:i at_us:i",
  ),
  refunds: columns("order_id amount:i state seq:i at_us:i"),
  webhooks: columns("event_id payment_id seq:i signature_ok:b applied_seq:i"),
  ledger: columns("entry_id account debit:i credit:i ref seq:i"),
  accounts: columns("account kind"),
  stock: columns("sku initial:i"),
  stock_events: columns("sku seq:i qty:i reason order_id"),
  notifications: columns("id user_id ref_kind ref event_seq:i template reason seq:i at_us:i"),
  compensations: columns("id user_id order_id coupon_id amount:i seq:i"),
  transitions: columns("entity from_status to_status terminal:b"),
  deadlines: columns("entity status ms:i"),
  views: columns("party ref state seq:i"),
} as const satisfies Readonly<Record<string, Readonly<Record<string, EvidenceType>>>>;

export type EvidenceTable = keyof typeof EVIDENCE_TABLES;

/** Columns of ops.parquet (and ops.csv), in order. */
export const OPS_COLUMNS: Readonly<Record<string, EvidenceType>> = columns(
  "index:i time_intended_ns:i time_invoke_ns:i time_complete_ns:i process intent attempt:i kind outcome status:i error phase scenario iteration:i final:b request:j response:j",
);

/** Which book a table belongs to; `seq` orders commits within one book only. */
export const BOOK_OF: Readonly<Partial<Record<EvidenceTable, string>>> = {
  payments: "gateway",
  notifications: "sink",
};

/** The book a table's `seq` and `at_us` belong to. */
export function bookOf(table: EvidenceTable): string {
  return BOOK_OF[table] ?? "shop";
}
