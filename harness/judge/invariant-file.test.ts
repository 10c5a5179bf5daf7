/** An invariant file is read as written, and every mistake in one is named with its line. */
import { describe, expect, it } from "vitest";
import { StampedeError } from "../errors.ts";
import { BUILT_IN_INVARIANTS, loadInvariants, parseInvariant } from "./invariant-file.ts";

const file = `-- id: Z1
-- name: own
-- class: B
-- holds: one sentence,
-- holds: in two lines
-- subject: order
-- needs: orders(id, status) stores(anything)
-- words: deadlines.entity = order
-- uses: ops(kind)
-- least-sample: 3
-- Free text is free.
-- statement: sample
SELECT 1 AS considered, 0 AS unknown
-- statement: violations
-- A comment inside belongs to the SQL.
SELECT 1;
`;

describe("an invariant file", () => {
  it("gives header and statements", () => {
    expect(parseInvariant("z.sql", file)).toEqual({
      path: "z.sql",
      id: "Z1",
      name: "own",
      class: "B",
      holds: "one sentence, in two lines",
      subject: "order",
      leastSample: 3,
      possibleWhen: "",
      needs: [
        { table: "orders", columns: ["id", "status"] },
        { table: "stores", columns: ["anything"] },
      ],
      uses: [{ table: "ops", columns: ["kind"] }],
      words: [{ table: "deadlines", column: "entity", word: "order" }],
      sample: "SELECT 1 AS considered, 0 AS unknown",
      violations: "-- A comment inside belongs to the SQL.\nSELECT 1",
    });
  });

  const wrong: { readonly what: string; readonly text: string; readonly says: string }[] = [
    {
      what: "an unknown key",
      text: file.replace("-- name: own", "-- nmae: own"),
      says: "z.sql:2: expected one of",
    },
    {
      what: "a missing key",
      text: file.replace("-- name: own\n", ""),
      says: 'the header "-- name: …" is missing',
    },
    {
      what: "a class that is none",
      text: file.replace("class: B", "class: X"),
      says: "z.sql:3: class must be S, Q, B or P",
    },
    {
      what: "a subject that is none",
      text: file.replace("subject: order", "subject: shoe"),
      says: "z.sql:6: subject must be one of",
    },
    {
      what: "a column that no such table has",
      text: file.replace("orders(id, status)", "orders(id, colour)"),
      says: "z.sql:7: table orders has no column colour",
    },
    {
      what: "needs that do not parse",
      text: file.replace("orders(id, status)", "orders"),
      says: "z.sql:7: expected table(column, …)",
    },
    {
      what: "a sample that is no number",
      text: file.replace("least-sample: 3", "least-sample: few"),
      says: "z.sql:10: least-sample must be a whole number",
    },
    {
      what: "a statement missing",
      text: file.slice(0, file.indexOf("-- statement: violations")),
      says: '"-- statement: violations" with its SQL is missing',
    },
    {
      what: "a statement of another name",
      text: file.replace("statement: sample", "statement: simple"),
      says: 'z.sql:12: expected "-- statement: sample"',
    },
  ];
  it.each(wrong)("with $what is refused, with its line", ({ text, says }) => {
    expect(() => parseInvariant("z.sql", text)).toThrow(StampedeError);
    expect(() => parseInvariant("z.sql", text)).toThrow(says);
  });

  it("names all its problems at once", () => {
    expect(() =>
      parseInvariant(
        "z.sql",
        file.replace("class: B", "class: X").replace("subject: order", "subject: shoe"),
      ),
    ).toThrow(/class must be[^]*subject must be/);
  });

  it("every built-in one parses, and the ids stand in their natural order", () => {
    const ids = loadInvariants([BUILT_IN_INVARIANTS]).map((invariant) => invariant.id);
    expect(ids.indexOf("C2")).toBeLessThan(ids.indexOf("C10"));
    expect(ids).toEqual(
      expect.arrayContaining([
        "C1",
        "C2",
        "C3",
        "C4",
        "C6",
        "C7",
        "C9",
        "C10",
        "C11",
        "O1",
        "O2",
        "O3",
        "O4",
        "O5",
        "O8",
        "O9",
        "P1",
        "P2",
        "P3",
        "P4",
        "P5",
        "P8",
      ]),
    );
  });

  it("may not take an id that is taken", () => {
    expect(() => loadInvariants([BUILT_IN_INVARIANTS, BUILT_IN_INVARIANTS])).toThrow(
      /stands in two files/,
    );
  });
});
