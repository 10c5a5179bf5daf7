/**
 * Reads the books at rest: one canonical query a table (target-app/evidence/<book>/<table>.sql), copied out of
 * PostgreSQL as CSV, ordered by commit within each book, and stored as Parquet. The order is the dense rank of the
 * commit timestamps that PostgreSQL itself kept (design.md §7): a serial number would be allocation order.
 */
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { to as copyTo } from "pg-copy-streams";
import { EVIDENCE_TABLES, bookOf, type EvidenceTable } from "../history/evidence-tables.ts";
import { Database, literal } from "../history/duckdb.ts";
import { StampedeError, messageOf } from "../errors.ts";
import type { DatabaseEntry } from "./postgres.ts";

const QUERIES = fileURLToPath(new URL("../../target-app/evidence/", import.meta.url));

export interface ReadBooksOptions {
  readonly databases: Readonly<Record<string, DatabaseEntry>>;
  readonly evidenceDir: string;
  readonly scratchDir: string;
  readonly drained: boolean;
}

interface Copied {
  readonly book: string;
  readonly table: string;
  readonly csv: string;
}

/** Reads every book; afterwards `evidenceDir` holds one Parquet file a canonical table, books and commits included. */
export async function readBooks(options: ReadBooksOptions): Promise<void> {
  mkdirSync(options.scratchDir, { recursive: true });
  mkdirSync(options.evidenceDir, { recursive: true });
  const copied: Copied[] = [];
  const readAt: Record<string, number> = {};
  for (const [book, entry] of Object.entries(options.databases)) {
    readAt[book] = await copyBook(book, entry, options.scratchDir, copied);
  }
  await using db = await Database.open();
  for (const { table, csv } of copied) await load(db, table, csv);
  await rankCommits(db, copied);
  await writeBooks(db, options, readAt);
  for (const { table } of copied) {
    if (table in EVIDENCE_TABLES) await store(db, table as EvidenceTable, options.evidenceDir);
  }
  for (const table of ["books", "commits"] as const) await store(db, table, options.evidenceDir);
  rmSync(options.scratchDir, { recursive: true, force: true });
}

/** One repeatable-read snapshot of a whole book; returns when it was taken, µs since the epoch by the book's clock. */
async function copyBook(
  book: string,
  entry: DatabaseEntry,
  scratch: string,
  copied: Copied[],
): Promise<number> {
  const folder = join(QUERIES, book);
  if (!existsSync(folder)) return 0;
  const client = new Client(entry);
  try {
    await client.connect();
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const at = await client.query<{ us: string }>(
      "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us",
    );
    for (const file of readdirSync(folder)
      .filter((name) => name.endsWith(".sql"))
      .toSorted()) {
      const table = file.slice(0, -4);
      const csv = join(scratch, `${book}-${table}.csv`);
      const sql = readFileSync(join(folder, file), "utf8").trim().replace(/;$/, "");
      await pipeline(
        client.query(copyTo(`COPY (${sql}) TO STDOUT WITH (FORMAT csv, HEADER true)`)),
        createWriteStream(csv),
      );
      copied.push({ book, table, csv });
    }
    await client.query("COMMIT");
    return Number(at.rows[0]?.us ?? 0);
  } catch (cause) {
    throw new StampedeError(
      "environment",
      `expected to read the ${book}'s books; PostgreSQL answered: ${messageOf(cause)}`,
      { cause },
    );
  } finally {
    await client.end();
  }
}

/** Columns of the raw table: canonical types where the table is canonical, text ids and µs else. */
function columnsOf(table: string): Readonly<Record<string, string>> {
  return table in EVIDENCE_TABLES
    ? EVIDENCE_TABLES[table as EvidenceTable]
    : { id: "VARCHAR", event_seq: "BIGINT" };
}

async function load(db: Database, table: string, csv: string): Promise<void> {
  const columns = Object.entries(columnsOf(table))
    .map(([name, type]) => `${literal(name)}: ${literal(type)}`)
    .join(", ");
  // A quoted empty field is an empty string, an unquoted one NULL: PostgreSQL's own distinction.
  await db.run(
    `CREATE TABLE ${table} AS SELECT * FROM read_csv(${literal(csv)}, header = true, delim = ',', quote = '"', escape = '"', allow_quoted_nulls = false, columns = {${columns}}, auto_detect = false, max_line_size = 16777216)`,
  );
}

const seqColumns = (table: string): string[] =>
  Object.keys(columnsOf(table)).filter((name) => name === "seq" || name.endsWith("_seq"));

/** Makes `commits`, and turns every *seq column from microseconds into the dense rank within its book. */
async function rankCommits(db: Database, copied: readonly Copied[]): Promise<void> {
  if (
    copied.some((c) => c.table === "notification_events") &&
    copied.some((c) => c.table === "notifications")
  ) {
    await db.run(
      "UPDATE notifications SET event_seq = e.event_seq FROM notification_events e WHERE e.id = notifications.id",
    );
  }
  const seen: string[] = [];
  for (const { table } of copied) {
    for (const column of seqColumns(table))
      seen.push(
        `SELECT DISTINCT ${literal(bookOfColumn(table, column))} AS book, ${column} AS at_us FROM ${table} WHERE ${column} IS NOT NULL`,
      );
  }
  await db.run(
    `CREATE TABLE commits AS SELECT book, dense_rank() OVER (PARTITION BY book ORDER BY at_us)::BIGINT AS seq, at_us FROM (${seen.length === 0 ? "SELECT '' AS book, 0::BIGINT AS at_us WHERE false" : seen.join(" UNION ")})`,
  );
  for (const { table } of copied) {
    if (!(table in EVIDENCE_TABLES)) continue;
    for (const column of seqColumns(table)) {
      await db.run(
        `UPDATE ${table} SET ${column} = c.seq FROM commits c WHERE c.book = ${literal(bookOfColumn(table, column))} AND c.at_us = ${table}.${column}`,
      );
    }
  }
}

/** notifications' own commits are the sink's, the event they tell of is the shop's (design.md §7, fine print). */
function bookOfColumn(table: string, column: string): string {
  if (column === "event_seq") return "shop";
  return bookOf(table as EvidenceTable);
}

async function writeBooks(
  db: Database,
  options: ReadBooksOptions,
  readAt: Readonly<Record<string, number>>,
): Promise<void> {
  await db.run(
    "CREATE TABLE books(book VARCHAR, clock VARCHAR, seq_quality VARCHAR, drained BOOLEAN, read_seq BIGINT, read_at_us BIGINT)",
  );
  for (const [book, us] of Object.entries(readAt)) {
    // All three books are kept by one PostgreSQL: one clock.
    await db.run(
      `INSERT INTO books SELECT ${literal(book)}, 'postgres', 'exact', ${options.drained}, coalesce(max(seq), 0), ${us} FROM commits WHERE book = ${literal(book)}`,
    );
  }
}

async function store(db: Database, table: EvidenceTable, dir: string): Promise<void> {
  const columns = Object.keys(EVIDENCE_TABLES[table])
    .map((name) => `"${name}"`)
    .join(", ");
  await db.run(
    `COPY (SELECT ${columns} FROM ${table}) TO ${literal(join(dir, `${table}.parquet`))} (FORMAT parquet)`,
  );
}
