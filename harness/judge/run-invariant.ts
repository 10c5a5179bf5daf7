/**
 * Judges one invariant: is everything there that it needs, what did it look at, what did it find. The decision itself
 * is a pure function of what was found.
 */
import { monotonicNs, sleepMs } from "../determinism/clock.ts";
import { messageOf } from "../errors.ts";
import { literal, type Database, type Row } from "../history/duckdb.ts";
import type { InvariantVerdict } from "../history/run-folder.ts";
import type { InvariantClass, InvariantFile, TableNeed } from "./invariant-file.ts";
import type { LoadedBooks } from "./load-books.ts";

/** At most so many violations are kept as rows; the count is of all. */
export const KEPT_ROWS = 1_000;

export interface JudgedInvariant {
  readonly verdict: InvariantVerdict;
  readonly file: InvariantFile;
  /** What is missing, in words like `jobs` or `coupon_events(job_id)`. */
  readonly missing: readonly string[];
  /** At most KEPT_ROWS violations, definite ones first. */
  readonly rows: readonly Row[];
}

export interface JudgingContext {
  readonly db: Database;
  readonly books: LoadedBooks;
  readonly drained: boolean;
  readonly judges: ReadonlySet<string>;
  readonly queryTimeoutMs: number;
  /** Canonical columns that hold words outside their vocabulary: `coupons.status` → `redeemed`. */
  readonly foreign: ReadonlyMap<string, string>;
}

/** Everything the verdict depends on. */
export interface Findings {
  readonly class: InvariantClass;
  readonly missing: readonly string[];
  /** Words outside the vocabulary in columns it needs. */
  readonly foreign: readonly string[];
  /** Optional tables that were not there. */
  readonly without: readonly string[];
  readonly crash: string | null;
  readonly drained: boolean;
  readonly definite: number;
  readonly possible: number;
  readonly considered: number;
  readonly leastSample: number;
  /** Whether the scenario says it must be exercised. */
  readonly judged: boolean;
  readonly possibleWhen: string;
}

/** design.md §8: pass < inconclusive < fail; what could not be judged says why. */
export function decide(found: Findings): Pick<InvariantVerdict, "verdict" | "because"> {
  const without = found.without.length === 0 ? null : `judged without ${found.without.join(", ")}`;
  const because = (text: string): string => (without === null ? text : `${text}; ${without}`);
  if (found.missing.length > 0)
    return { verdict: "not-applicable", because: `missing: ${found.missing.join(", ")}` };
  if (found.crash !== null)
    return { verdict: "inconclusive", because: `the query did not finish: ${found.crash}` };
  if (!found.drained && (found.class === "Q" || found.class === "B"))
    return {
      verdict: "inconclusive",
      because: "the service had not drained when its books were read",
    };
  if (found.definite > 0) return { verdict: "fail", because: without };
  if (found.foreign.length > 0)
    return {
      verdict: "not-applicable",
      because: because(`words outside the vocabulary: ${found.foreign.join(", ")}`),
    };
  if (found.possible > 0)
    return {
      verdict: "inconclusive",
      because: because(
        `${found.possible} possible: ${found.possibleWhen || "they depend on what is unknown"}`,
      ),
    };
  if (found.considered < found.leastSample) {
    const sample = `not exercised: ${found.considered} of at least ${found.leastSample}`;
    return { verdict: found.judged ? "inconclusive" : "not-applicable", because: because(sample) };
  }
  return { verdict: "pass", because: without };
}

/** Tables and columns of `needs` that the books do not have. */
export function missingOf(needs: readonly TableNeed[], books: LoadedBooks): string[] {
  return needs.flatMap(({ table, columns }) => {
    const there = books.present.get(table);
    if (there === undefined) return [table];
    const gone = columns.filter((column) => !there.has(column));
    return gone.length === 0 ? [] : [`${table}(${gone.join(", ")})`];
  });
}

async function missingWords(file: InvariantFile, db: Database): Promise<string[]> {
  const missing: string[] = [];
  for (const { table, column, word } of file.words) {
    const [row] = await db.all(
      `SELECT count(*) AS n FROM ${table} WHERE ${column} = ${literal(word)}`,
    );
    if (row?.["n"] === 0) missing.push(`${table}.${column} = ${word}`);
  }
  return missing;
}

/** Runs `work` and interrupts the database when it takes longer than the limit. */
async function within<T>(context: JudgingContext, work: () => Promise<T>): Promise<T> {
  const done = new AbortController();
  let late = false;
  const watch = sleepMs(context.queryTimeoutMs, done.signal).then(
    () => {
      late = true;
      context.db.connection.interrupt();
    },
    () => undefined,
  );
  try {
    return await work();
  } catch (error) {
    throw late ? new Error(`longer than ${context.queryTimeoutMs} ms`, { cause: error }) : error;
  } finally {
    done.abort();
    await watch;
  }
}

interface Queried {
  readonly considered: number;
  readonly unknown: number;
  readonly definite: number;
  readonly possible: number;
  readonly rows: Row[];
  readonly first: Row | null;
  readonly worst: Row | null;
  readonly last: Row | null;
}

const figure = (value: unknown): number => (typeof value === "number" ? value : Number(value ?? 0));

/** Leaves the violations in the table `found`, with subject_kind and size filled in. */
async function query(file: InvariantFile, db: Database): Promise<Queried> {
  const [sample] = await db.all(file.sample);
  await db.run(`CREATE OR REPLACE TEMP TABLE raw_found AS ${file.violations}`);
  const columns = (await db.all("DESCRIBE raw_found")).map((row) => String(row["column_name"]));
  for (const name of ["certainty", "seq", "subject", "detail"])
    if (!columns.includes(name)) throw new Error(`its violations have no column ${name}`);
  const filled = [
    columns.includes("subject_kind") ? "" : `, ${literal(file.subject)} AS subject_kind`,
    columns.includes("size") ? "" : ", NULL::BIGINT AS size",
  ].join("");
  await db.run(
    `CREATE OR REPLACE TEMP TABLE found AS SELECT *${filled} FROM raw_found; DROP TABLE raw_found;`,
  );
  const [counts] = await db.all(
    "SELECT count(*) FILTER (certainty = 'definite') AS definite, count(*) FILTER (certainty = 'possible') AS possible, count(*) AS n FROM found",
  );
  const definite = figure(counts?.["definite"]);
  const possible = figure(counts?.["possible"]);
  if (definite + possible !== figure(counts?.["n"]))
    throw new Error("certainty must be 'definite' or 'possible'");
  const shown = definite > 0 ? "definite" : "possible";
  const one = async (order: string, more = ""): Promise<Row | null> =>
    (
      await db.all(
        `SELECT * FROM found WHERE certainty = '${shown}'${more} ORDER BY ${order}, subject, detail LIMIT 1`,
      )
    )[0] ?? null;
  return {
    considered: figure(sample?.["considered"]),
    unknown: figure(sample?.["unknown"]),
    definite,
    possible,
    rows: await db.all(
      `SELECT * FROM found ORDER BY certainty, seq NULLS LAST, subject, detail LIMIT ${KEPT_ROWS}`,
    ),
    first: await one("seq ASC NULLS LAST"),
    last: await one("seq DESC NULLS LAST"),
    worst: await one("size DESC", " AND size IS NOT NULL"),
  };
}

/** Judges one file. A crash of its query is a verdict (inconclusive), not an exception. The table `found` is left behind. */
export async function runInvariant(
  file: InvariantFile,
  context: JudgingContext,
): Promise<JudgedInvariant> {
  const began = monotonicNs();
  const missing = missingOf(file.needs, context.books);
  if (missing.length === 0) missing.push(...(await missingWords(file, context.db)));
  let found: Queried | null = null;
  let crash: string | null = null;
  if (missing.length === 0) {
    try {
      found = await within(context, () => query(file, context.db));
    } catch (error) {
      crash = messageOf(error).split("\n").slice(0, 2).join(" ");
    }
  }
  if (found === null)
    await context.db.run(
      "CREATE OR REPLACE TEMP TABLE found (certainty VARCHAR, seq BIGINT, subject VARCHAR, detail VARCHAR, subject_kind VARCHAR, size BIGINT)",
    );
  const foreign = file.needs.flatMap(({ table, columns }) =>
    columns.flatMap((column) => {
      const word = context.foreign.get(`${table}.${column}`);
      return word === undefined ? [] : [`${table}.${column} "${word}"`];
    }),
  );
  const decided = decide({
    class: file.class,
    missing,
    foreign,
    without: missingOf(file.uses, context.books),
    crash,
    drained: context.drained,
    definite: found?.definite ?? 0,
    possible: found?.possible ?? 0,
    considered: found?.considered ?? 0,
    leastSample: file.leastSample,
    judged: context.judges.has(file.id) || (file.id.startsWith("X0-") && context.judges.has("X0")),
    possibleWhen: file.possibleWhen,
  });
  return {
    file,
    missing,
    rows: found?.rows ?? [],
    verdict: {
      id: file.id,
      name: file.name,
      class: file.class,
      holds: file.holds,
      ...decided,
      count: found?.definite ?? 0,
      possible: found?.possible ?? 0,
      considered: found?.considered ?? 0,
      unknown: found?.unknown ?? 0,
      first: found?.first ?? null,
      worst: found?.worst ?? null,
      last: found?.last ?? null,
      witness: null,
      took_ms: Math.round((monotonicNs() - began) / 1e6),
    },
  };
}
