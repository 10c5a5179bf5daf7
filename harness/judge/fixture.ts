/**
 * Tiny literal histories for tests: rows with only the columns that matter become a folder of CSV books, exactly as a
 * user would hand them in. A table given has all its canonical columns unless `columns` names fewer; a table not given
 * is missing.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVIDENCE_TABLES, OPS_COLUMNS, type EvidenceTable } from "../history/evidence-tables.ts";
import { judge, type JudgeOptions, type JudgeResult } from "./judge.ts";
import type { InvariantVerdict } from "../history/run-folder.ts";

export type Cell =
  | string
  | number
  | boolean
  | null
  | readonly unknown[]
  | Readonly<Record<string, unknown>>;
export type LiteralRow = Readonly<Record<string, Cell | undefined>>;
export type Tables = Partial<Record<EvidenceTable | "ops", readonly LiteralRow[]>>;

const columnsOf = (table: string): string[] => {
  const canonical: Readonly<Record<string, object>> = { ...EVIDENCE_TABLES, ops: OPS_COLUMNS };
  const columns = canonical[table];
  if (columns === undefined) throw new Error(`no canonical table is named ${table}`);
  return Object.keys(columns);
};

const cell = (value: Cell | undefined): string => {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** CSV text of one table; a row naming an unknown column is a mistake in the test. */
export function csvOf(
  table: string,
  rows: readonly LiteralRow[],
  without: readonly string[] = [],
): string {
  const columns = columnsOf(table).filter((name) => !without.includes(name));
  for (const row of rows)
    for (const name of Object.keys(row))
      if (!columnsOf(table).includes(name)) throw new Error(`${table} has no column ${name}`);
  return (
    [
      columns.join(","),
      ...rows.map((row) => columns.map((name) => cell(row[name])).join(",")),
    ].join("\n") + "\n"
  );
}

export interface Fixture extends Disposable {
  readonly dir: string;
}

/** Writes the tables into a new folder, removed when disposed. `without` drops columns: "orders.intent". */
export function fixture(tables: Tables, without: readonly string[] = []): Fixture {
  const dir = mkdtempSync(join(tmpdir(), "stampede-books-"));
  mkdirSync(dir, { recursive: true });
  for (const [table, rows] of Object.entries(tables)) {
    const dropped = without
      .filter((name) => name.startsWith(`${table}.`))
      .map((name) => name.slice(table.length + 1));
    writeFileSync(join(dir, `${table}.csv`), csvOf(table, rows, dropped));
  }
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Judges literal tables; `judges` and `drained` as in a run. */
export async function judged(
  tables: Tables,
  options: Partial<JudgeOptions> & { without?: readonly string[] } = {},
): Promise<JudgeResult> {
  using books = fixture(tables, options.without);
  return await judge({
    opsPath: null,
    judges: [],
    drained: null,
    ...options,
    evidenceDir: books.dir,
  });
}

/** The verdict of one invariant over literal tables. */
export async function verdictOf(
  id: string,
  tables: Tables,
  options: Partial<JudgeOptions> & { without?: readonly string[] } = {},
): Promise<InvariantVerdict> {
  const result = await judged(tables, { only: [id], ...options });
  const found = result.invariants.find((verdict) => verdict.id === id);
  if (found === undefined) throw new Error(`no invariant has the id ${id}`);
  return found;
}
