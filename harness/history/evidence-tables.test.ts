/** docs/books.md names every canonical table and column as the code has them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EVIDENCE_TABLES, OPS_COLUMNS } from "./evidence-tables.ts";

const doc = readFileSync(join(import.meta.dirname, "../../docs/books.md"), "utf8");
const documented = new Map(
  [...doc.matchAll(/^\| (\w+) \| [^|]+ \| (.+) \|$/gm)].map(([, table = "", columns = ""]) => [
    table,
    [...columns.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  ]),
);

test.each(Object.entries({ ...EVIDENCE_TABLES, ops: OPS_COLUMNS }))(
  "the table %s is documented column by column",
  (table, columns) => {
    expect(documented.get(table)).toEqual(Object.keys(columns));
  },
);
