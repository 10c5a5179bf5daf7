/**
 * A witness: the fewest rows of all books that name a violation's subject, so that a person can check the verdict by
 * eye. All witnesses of a judging are collected in one pass over each table.
 */
import { literal, type Database, type Row } from "../history/duckdb.ts";
import type { SubjectKind } from "./invariant-file.ts";

/** At most so many rows of one table. */
const ROWS_A_TABLE = 5;

export interface Subject {
  readonly invariant: string;
  readonly kind: SubjectKind;
  readonly subject: string;
}

/** kind → the columns that name such a subject; a second word narrows rows whose `ref` may name several things. */
const NAMED_IN: Readonly<
  Record<SubjectKind, readonly (readonly [table: string, column: string, only?: string])[]>
> = {
  order: [
    ["orders", "id"],
    ["order_items", "order_id"],
    ["order_events", "order_id"],
    ["coupon_events", "order_id"],
    ["payments", "order_id"],
    ["refunds", "order_id"],
    ["compensations", "order_id"],
    ["policy_snapshots", "order_id"],
    ["job_items", "order_id"],
    ["notifications", "ref", "ref_kind IN ('order', 'refund')"],
    ["ops", "response->>'$.order_id'"],
  ],
  coupon: [
    ["coupons", "id"],
    ["coupon_events", "coupon_id"],
    ["orders", "coupon_id"],
    ["job_items", "coupon_id"],
    ["compensations", "coupon_id"],
    ["notifications", "ref", "ref_kind = 'coupon'"],
  ],
  intent: [
    ["ops", "intent"],
    ["orders", "intent"],
    ["order_events", "intent"],
    ["coupon_events", "intent"],
    ["jobs", "intent"],
    ["payments", "merchant_ref"],
  ],
  user: [
    ["members", "id"],
    ["coupons", "user_id"],
    ["orders", "user_id"],
    ["notifications", "user_id"],
    ["compensations", "user_id"],
    ["eligible", "user_id"],
  ],
  campaign: [
    ["campaigns", "id"],
    ["jobs", "campaign_id"],
    ["coupons", "campaign_id"],
  ],
  job: [
    ["jobs", "id"],
    ["job_items", "job_id"],
    ["coupon_events", "job_id"],
    ["order_events", "job_id"],
  ],
  payment: [
    ["payments", "id"],
    ["payments", "parent_id"],
    ["webhooks", "payment_id"],
  ],
  entry: [["ledger", "entry_id"]],
  account: [
    ["accounts", "account"],
    ["ledger", "account"],
  ],
  policy: [
    ["policies", "policy"],
    ["jobs", "policy"],
  ],
};

/** invariant → table → rows. The subjects are put into a table, so each canonical table is read once a kind. */
export async function collectWitnesses(
  db: Database,
  subjects: readonly Subject[],
): Promise<Map<string, Record<string, Row[]>>> {
  const witnesses = new Map<string, Record<string, Row[]>>();
  const kinds = new Set(subjects.map((subject) => subject.kind));
  for (const kind of kinds) {
    const list = subjects
      .filter((subject) => subject.kind === kind)
      .map((subject) => `(${literal(subject.invariant)}, ${literal(subject.subject)})`);
    await db.run(
      `CREATE OR REPLACE TEMP TABLE wanted AS SELECT * FROM (VALUES ${list.join(", ")}) AS v(witness_of, witness_subject)`,
    );
    for (const [table, column, only] of NAMED_IN[kind]) {
      const rows = await db.all(`
        SELECT w.witness_of, t.* FROM ${table} t JOIN wanted w ON w.witness_subject = (t.${column})
        ${only === undefined ? "" : `WHERE t.${only}`}
        QUALIFY row_number() OVER (PARTITION BY w.witness_of ORDER BY hash(t)) <= ${ROWS_A_TABLE}
        ORDER BY ALL`);
      for (const { witness_of: of, ...row } of rows) {
        const witness = witnesses.get(String(of)) ?? {};
        const kept = (witness[table] ??= []);
        if (kept.length < ROWS_A_TABLE)
          kept.push(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)));
        witnesses.set(String(of), witness);
      }
    }
  }
  return witnesses;
}
