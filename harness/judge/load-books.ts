/**
 * Brings a folder of canonical tables (Parquet or CSV) into the judge's database. Afterwards every canonical table
 * exists with every canonical column, typed: what the folder lacks stands in as an empty table or a NULL column, and
 * `present` says what was really there, so that nothing absent is ever judged as if it held.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, parse, resolve } from "node:path";
import { StampedeError, messageOf } from "../errors.ts";
import { EVIDENCE_TABLES, OPS_COLUMNS, type EvidenceType } from "../history/evidence-tables.ts";
import { complaint, csvScan } from "./csv-scan.ts";
import { literal, type Database } from "../history/duckdb.ts";

export interface LoadedBooks {
  /** table → the canonical columns its file had (for tables of the user's own: all columns). */
  readonly present: ReadonlyMap<string, ReadonlySet<string>>;
  /** Files that are no canonical table: loaded under their own name for the user's own invariants. */
  readonly extra: readonly string[];
}

type Columns = Readonly<Record<string, EvidenceType>>;
const CANONICAL: ReadonlyMap<string, Columns> = new Map<string, Columns>([
  ...Object.entries(EVIDENCE_TABLES),
  ["ops", OPS_COLUMNS],
]);
const FILE = /\.(parquet|csv)$/;
/** A run folder's own files beside the books; not evidence, and no reason to stumble. */
const BESIDE = new Set(["arrivals", "faults", "vitals", "series"]);

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** DuckDB's function that reads the file. CSV is read as text: the canonical types are applied afterwards. */
const scanOf = (path: string): string =>
  path.endsWith(".parquet") ? `read_parquet(${literal(path)})` : csvScan(path);

/** What a folder offers: table name → file. @throws StampedeError naming what is wrong with the folder */
function filesOf(evidenceDir: string, opsPath: string | null): Map<string, string> {
  const dir = resolve(evidenceDir);
  const wanted = "expected a folder with the canonical tables as *.parquet or *.csv";
  const hint = `name the files after the tables: ${Object.keys(EVIDENCE_TABLES).slice(0, 6).join(", ")} … and ops`;
  if (!existsSync(dir) || !statSync(dir).isDirectory())
    throw new StampedeError("configuration", `${wanted} at ${dir}; there is no such folder`, {
      hint,
    });
  const files = new Map<string, string>();
  for (const name of readdirSync(dir)
    .filter((file) => FILE.test(file))
    .toSorted()) {
    const table = parse(name).name;
    const before = files.get(table);
    if (before !== undefined)
      throw new StampedeError(
        "configuration",
        `expected one file a table in ${dir}; ${table} stands there twice: ${parse(before).base} and ${name}`,
      );
    if (!BESIDE.has(table)) files.set(table, join(dir, name));
  }
  if (opsPath !== null) {
    if (!existsSync(opsPath))
      throw new StampedeError(
        "configuration",
        `expected the client's history at ${opsPath}; there is no such file`,
      );
    files.set("ops", resolve(opsPath));
  }
  if (![...files.keys()].some((table) => CANONICAL.has(table))) {
    const found = readdirSync(dir).toSorted();
    const what =
      found.length === 0
        ? "it is empty"
        : `it holds ${found.slice(0, 8).join(", ")}${found.length > 8 ? " …" : ""}`;
    throw new StampedeError("configuration", `${wanted} at ${dir}; ${what}`, { hint });
  }
  return files;
}

interface FileColumn {
  readonly name: string;
  readonly type: string;
}

async function describe(db: Database, path: string): Promise<FileColumn[]> {
  if (statSync(path).size === 0)
    throw new StampedeError("configuration", `${path} must hold a table; it is an empty file`, {
      hint: "a table without rows still has its header line",
    });
  try {
    const rows = await db.all(`DESCRIBE SELECT * FROM ${scanOf(path)}`);
    return rows.map((row) => ({
      name: String(row["column_name"]),
      type: String(row["column_type"]),
    }));
  } catch (cause) {
    throw new StampedeError(
      "configuration",
      `${path} cannot be read as a table: ${complaint(messageOf(cause))}`,
      { cause },
    );
  }
}

const SMALL_INTEGERS = new Set([
  "BIGINT",
  "INTEGER",
  "SMALLINT",
  "TINYINT",
  "UINTEGER",
  "USMALLINT",
  "UTINYINT",
]);
/** Types that become the canonical one without a value that could be refused. */
const agrees = (type: string, canonical: EvidenceType): boolean =>
  type === canonical || (canonical === "BIGINT" && SMALL_INTEGERS.has(type));

/** Which value of which column does not fit, for the message: CAST alone names neither row nor column. */
async function misfit(
  db: Database,
  path: string,
  pairs: readonly { own: FileColumn; type: EvidenceType; name: string }[],
): Promise<string> {
  for (const { own, type, name } of pairs) {
    const column = quoted(own.name);
    const [row] = await db.all(
      `SELECT CAST(${column} AS VARCHAR) AS value FROM ${scanOf(path)} WHERE ${column} IS NOT NULL AND TRY_CAST(${column} AS ${type}) IS NULL LIMIT 1`,
    );
    if (row !== undefined)
      return `column ${name} must be ${type}; "${String(row["value"]).slice(0, 60)}" is not`;
  }
  return "a value does not fit its column";
}

async function loadTable(
  db: Database,
  table: string,
  path: string,
  columns: Columns,
  readable: string[],
): Promise<Set<string>> {
  const own = await describe(db, path);
  const byName = new Map(own.map((column) => [column.name.trim().toLowerCase(), column]));
  const pairs = Object.entries(columns).flatMap(([name, type]) => {
    const found = byName.get(name);
    return found === undefined ? [] : [{ name, type, own: found }];
  });
  if (pairs.length === 0) {
    throw new StampedeError(
      "configuration",
      `${path} must have columns of the table ${table}; it has ${own.map((column) => column.name).join(", ")}`,
      { hint: `columns of ${table}: ${Object.keys(columns).join(", ")}` },
    );
  }
  const select = Object.entries(columns).map(([name, type]) => {
    const found = byName.get(name);
    return `CAST(${found === undefined ? "NULL" : quoted(found.name)} AS ${type}) AS ${quoted(name)}`;
  });
  const csv = !path.endsWith(".parquet");
  // A view over Parquet reads only the columns a query names and keeps 10 M rows out of memory; a table is for what must be checked once.
  const asView = !csv && pairs.every((pair) => agrees(pair.own.type, pair.type));
  const blank = csv
    ? ` WHERE NOT (${own.map((column) => `${quoted(column.name)} IS NULL`).join(" AND ")})`
    : "";
  try {
    await db.run(
      `CREATE ${asView ? "VIEW" : "TABLE"} ${table} AS SELECT ${select.join(", ")} FROM ${scanOf(path)}${blank}`,
    );
  } catch (cause) {
    const what = await misfit(db, path, pairs).catch(() => complaint(messageOf(cause)));
    throw new StampedeError("configuration", `${path}: ${what}`, {
      cause,
      hint: "money is integer KRW, booleans true or false, empty is NULL, JSON is text",
    });
  }
  if (asView) readable.push(path);
  return new Set(pairs.map((pair) => pair.name));
}

/**
 * Loads what is there, then makes empty stand-ins for the rest and closes every door but the Parquet files loaded.
 * @param opsPath the client's history when it lies elsewhere; null: `ops.parquet` or `ops.csv` in the folder, if any
 * @throws StampedeError("configuration") when the folder holds no canonical table or a file does not fit its table
 */
export async function loadBooks(
  db: Database,
  evidenceDir: string,
  opsPath: string | null,
): Promise<LoadedBooks> {
  const present = new Map<string, ReadonlySet<string>>();
  const extra: string[] = [];
  const readable: string[] = [];
  for (const [table, path] of filesOf(evidenceDir, opsPath)) {
    const columns = CANONICAL.get(table);
    if (columns !== undefined)
      present.set(table, await loadTable(db, table, path, columns, readable));
    else {
      const own = await describe(db, path);
      await db.run(`CREATE TABLE ${quoted(table)} AS SELECT * FROM ${scanOf(path)}`);
      present.set(table, new Set(own.map((column) => column.name)));
      extra.push(parse(path).base);
    }
  }
  for (const [table, columns] of CANONICAL) {
    if (present.has(table)) continue;
    await db.run(
      `CREATE TABLE ${table} (${Object.entries(columns)
        .map(([name, type]) => `${quoted(name)} ${type}`)
        .join(", ")})`,
    );
  }
  if (readable.length > 0)
    await db.run(`SET allowed_paths = [${readable.map(literal).join(", ")}]`);
  return { present, extra };
}
