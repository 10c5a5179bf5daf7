/**
 * The fixed words of design.md §7. A book that says `redeemed` where the vocabulary says `used` would pass every
 * invariant that looks for `used`; so a foreign word takes the pass away and is named, like a missing column.
 */
import { literal, type Database } from "../history/duckdb.ts";
import type { LoadedBooks } from "./load-books.ts";

const COUPON = ["issued", "reserved", "used", "released", "recalled", "void", "expired"];
const ORDER = ["pending", "paid", "held", "cancelling", "cancelled", "shipped", "failed"];

const WORDS: readonly (readonly [table: string, column: string, words: readonly string[]])[] = [
  ["coupons", "status", COUPON],
  ["coupon_events", "to_status", COUPON],
  ["orders", "status", ORDER],
  ["order_events", "to_status", ORDER],
  ["payments", "kind", ["authorize", "capture", "void", "refund"]],
  ["payments", "result", ["ok", "declined", "unknown"]],
  ["refunds", "state", ["requested", "awaiting_account", "done", "failed"]],
];

/** `table.column` → a word in it that the vocabulary does not know. */
export async function foreignWords(db: Database, books: LoadedBooks): Promise<Map<string, string>> {
  const foreign = new Map<string, string>();
  for (const [table, column, words] of WORDS) {
    if (books.present.get(table)?.has(column) !== true) continue;
    const [row] = await db.all(
      `SELECT min(${column}) AS word FROM ${table} WHERE ${column} NOT IN (${words.map(literal).join(", ")})`,
    );
    if (typeof row?.["word"] === "string") foreign.set(`${table}.${column}`, row["word"]);
  }
  return foreign;
}
