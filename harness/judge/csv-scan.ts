/**
 * How the judge reads a CSV file: UTF-8, comma, double quotes, one header line, empty = NULL. Nothing is guessed from
 * the data, so a wrong line is an error with its number and never a silently different table.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { StampedeError } from "../errors.ts";
import { literal } from "../history/duckdb.ts";

/** A header line is shorter than this. */
const HEADER_BYTES_MAX = 65_536;

/** The cells of one CSV line, quotes undone. */
export function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((found) =>
    found[1] === undefined ? (found[2] ?? "") : found[1].replaceAll('""', '"'),
  );
}

function beginning(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(HEADER_BYTES_MAX);
    return bytes
      .toString("utf8", 0, readSync(file, bytes, 0, HEADER_BYTES_MAX, 0))
      .replace(/^\uFEFF/, "");
  } finally {
    closeSync(file);
  }
}

/** DuckDB's table function over the file, all columns as text. @throws StampedeError when a column stands twice */
export function csvScan(path: string): string {
  const text = beginning(path);
  const end = text.indexOf("\n");
  const line = end === -1 ? text : text.slice(0, end);
  const columns = cellsOf(line.replace(/\r$/, ""));
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined)
    throw new StampedeError(
      "configuration",
      `${path}:1: every column must have a name of its own; "${twice}" stands there twice`,
    );
  const types = columns.map((name) => `${literal(name)}: 'VARCHAR'`).join(", ");
  const newLine = line.endsWith("\r") ? "\\r\\n" : "\\n";
  return `read_csv(${literal(path)}, auto_detect = false, header = true, columns = {${types}}, delim = ',', quote = '"', escape = '"', nullstr = '', new_line = '${newLine}')`;
}

/** DuckDB's complaint about a file, in one line: what is wrong, and where it says so. */
export function complaint(message: string): string {
  const line = /Error on Line: (\d+)/.exec(message)?.[1];
  const what = /^(Expected Number of Columns.*|Invalid unicode.*|Value with unterminated.*)$/m.exec(
    message,
  )?.[1];
  return line === undefined
    ? (message.split("\n")[0] ?? "")
    : `line ${line}: ${what ?? message.split("\n")[0] ?? ""}`;
}
