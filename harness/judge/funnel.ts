/** How many wishes survive each step on the way to a kept promise, and which of them the books contradict. */
import { literal, type Database } from "../history/duckdb.ts";

export interface Funnel {
  /** Logical wishes. */
  readonly intents: number;
  /** Requests sent for them. */
  readonly attempts: number;
  /** Wishes with an attempt answered ok. */
  readonly acknowledged: number;
  /** Acknowledged and found in the books. */
  readonly in_books: number;
  /** … and contradicted by no definite O, P or X0 violation. */
  readonly kept: number;
}

/** Intents → attempts → acknowledged → in the books → kept, of the given kinds. Null when no history was given. */
export async function loadFunnel(db: Database, kinds: readonly string[]): Promise<Funnel | null> {
  const [row] = await db.all(`
    SELECT count(*) AS intents, coalesce(sum(attempts), 0)::BIGINT AS attempts, count(*) FILTER (acknowledged) AS acknowledged,
      count(*) FILTER (acknowledged AND in_books) AS in_books,
      count(*) FILTER (acknowledged AND in_books AND c.intent IS NULL) AS kept
    FROM intents i LEFT JOIN contradicted c USING (intent)
    WHERE NOT i.operator AND i.kind IN (${kinds.map(literal).join(", ")})`);
  const [ops] = await db.all("SELECT count(*) AS n FROM ops");
  if (row === undefined || ops?.["n"] === 0) return null;
  const n = (name: string): number => Number(row[name] ?? 0);
  return {
    intents: n("intents"),
    attempts: n("attempts"),
    acknowledged: n("acknowledged"),
    in_books: n("in_books"),
    kept: n("kept"),
  };
}

/** Whose violations contradict an acknowledgement: orders, payments, and cancels at random. */
export function contradicts(id: string): boolean {
  return /^(O|P)\d+$/.test(id) || id.startsWith("X0");
}

/** Before the first invariant runs: where the subjects of such violations are gathered. */
export async function startContradictions(db: Database): Promise<void> {
  await db.run("CREATE TABLE contradictions (kind VARCHAR, subject VARCHAR)");
}

/** Adds the definite violations that the last invariant left in `found`. */
export async function gatherContradictions(db: Database): Promise<void> {
  await db.run(
    "INSERT INTO contradictions SELECT DISTINCT subject_kind, subject FROM found WHERE certainty = 'definite' AND subject IS NOT NULL",
  );
}

/** Resolves orders and payments to the intents behind them; makes the table `contradicted(intent)` and returns it. */
export async function finishContradictions(db: Database): Promise<string[]> {
  await db.run(`
    CREATE TABLE contradicted AS
    WITH named AS (
      SELECT subject AS order_id FROM contradictions WHERE kind = 'order'
      UNION SELECT coalesce(p.order_id, p.merchant_ref) FROM contradictions c JOIN payments p ON c.kind = 'payment' AND p.id = c.subject
      UNION SELECT o.id FROM contradictions c JOIN orders o ON c.kind = 'coupon' AND o.coupon_id = c.subject)
    SELECT DISTINCT intent FROM (
      SELECT subject AS intent FROM contradictions WHERE kind = 'intent'
      UNION ALL SELECT o.intent FROM orders o SEMI JOIN named n ON n.order_id = o.id
      UNION ALL SELECT i.intent FROM intents i SEMI JOIN named n ON i.kind = 'order' AND n.order_id = i.order_id)
    WHERE intent IS NOT NULL`);
  return (await db.all("SELECT intent FROM contradicted ORDER BY intent")).map((row) =>
    String(row["intent"]),
  );
}

/** How the operations ended, and how many unknowns the books resolved. */
export async function loadOutcomes(
  db: Database,
): Promise<{ ok: number; fail: number; info: number; info_resolved: number }> {
  const [row] = await db.all(`
    SELECT count(*) FILTER (outcome = 'ok') AS ok, count(*) FILTER (outcome = 'fail') AS fail, count(*) FILTER (outcome = 'info') AS info,
      (SELECT coalesce(sum(infos), 0)::BIGINT FROM intents WHERE resolution <> 'unknown') AS info_resolved FROM ops`);
  const n = (name: string): number => Number(row?.[name] ?? 0);
  return { ok: n("ok"), fail: n("fail"), info: n("info"), info_resolved: n("info_resolved") };
}
