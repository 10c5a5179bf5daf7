/** The shop's connections to its database. Both variants get the same pool of ten for the crowd. */
import { Pool, types } from "pg";
import type { Database } from "../process.ts";
import type { Log } from "../log.ts";

/** Connections the crowd shares. */
export const CROWD_POOL = 10;
/** The operator's own, so that a command never queues behind the crowd. */
export const OPERATOR_POOL = 2;

const INT8 = 20;

/**
 * A pool of at most `max` sessions. bigint comes as a number: money and counts stay far below 2^53. Statements are
 * prepared and always planned once: the crowd's statements look rows up by key, so no parameter deserves its own plan.
 */
export function openPool(db: Database, max: number, name: string, log: Log): Pool {
  const pool = new Pool({
    ...db,
    max,
    application_name: name,
    options: "-c plan_cache_mode=force_generic_plan -c jit=off",
    types: {
      getTypeParser: (oid: number, format?: "text" | "binary") =>
        oid === INT8 ? Number : types.getTypeParser(oid, format === "binary" ? "binary" : "text"),
    },
  });
  pool.on("error", (error) => log.warn({ error: String(error) }, "a database connection was lost"));
  return pool;
}
