/** Which customers' wishes nobody ever answered for good, read out of the client's history. */
import { existsSync } from "node:fs";
import { literal, type Database } from "../harness/history/duckdb.ts";

export interface Unserved {
  /** Wishes of the goodput kinds of which no attempt, however late, got a final correct answer. */
  readonly intents: number;
  /** Those among them whose last attempt was told openly to come back (429 or 503, sure to have had no effect). */
  readonly told: number;
}

/** Null when there is no ops.parquet. */
export async function readUnserved(
  db: Database,
  opsPath: string,
  goodputKinds: readonly string[],
): Promise<Unserved | null> {
  if (!existsSync(opsPath) || goodputKinds.length === 0) return null;
  const [row] = await db.all(`
    WITH wishes AS (
      SELECT intent, bool_or(final) AS served, arg_max(outcome = 'fail' AND status IN (429, 503), attempt) AS told
      FROM read_parquet(${literal(opsPath)})
      WHERE kind IN (${goodputKinds.map(literal).join(", ")}) AND process NOT IN ('operator', 'harness') GROUP BY intent)
    SELECT count(*) FILTER (NOT served) AS intents, count(*) FILTER (NOT served AND told) AS told FROM wishes`);
  return { intents: Number(row?.["intents"] ?? 0), told: Number(row?.["told"] ?? 0) };
}
