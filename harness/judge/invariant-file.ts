/**
 * An invariant is one SQL file: header comments that say what it claims and needs, then two statements, `sample` and
 * `violations`. This reads and checks such files; every problem is named with file and line.
 *
 *     -- id: C1                                   unique; X0-R1 … X0-R7 are merged into X0
 *     -- name: cap                                one word for people
 *     -- class: S                                 S at every moment · Q once drained · B within a deadline · P over pairs
 *     -- holds: one plain sentence                what is true when nothing is wrong
 *     -- subject: coupon                          what a violation's `subject` names (a column subject_kind overrides it)
 *     -- needs: coupons(id, campaign_id) …        without these tables and columns it is not-applicable
 *     -- words: deadlines.entity = order          without a row holding that word it is not-applicable
 *     -- uses: ops(intent, outcome) …             looked at when there; what is missing is said
 *     -- least-sample: 1                          fewer considered are no pass
 *     -- possible-when: words                     what makes a violation only possible
 *     -- statement: sample                        SELECT … AS considered, … AS unknown   (one row)
 *     -- statement: violations                    SELECT certainty, seq, subject, detail [, size] [, subject_kind]
 *
 * A key may be repeated: its values are joined. Comments without a key before the first statement are free text.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { StampedeError, messageOf } from "../errors.ts";
import { EVIDENCE_TABLES, OPS_COLUMNS } from "../history/evidence-tables.ts";

export const SUBJECT_KINDS = [
  "order",
  "coupon",
  "intent",
  "user",
  "campaign",
  "job",
  "payment",
  "entry",
  "account",
  "policy",
] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export type InvariantClass = "S" | "Q" | "B" | "P";

/** One table and the columns of it that an invariant reads. */
export interface TableNeed {
  readonly table: string;
  readonly columns: readonly string[];
}

/** A word that must stand in a configuration table: `deadlines.entity = order`. */
export interface WordNeed {
  readonly table: string;
  readonly column: string;
  readonly word: string;
}

export interface InvariantFile {
  readonly path: string;
  readonly id: string;
  readonly name: string;
  readonly class: InvariantClass;
  readonly holds: string;
  readonly subject: SubjectKind;
  readonly needs: readonly TableNeed[];
  readonly words: readonly WordNeed[];
  readonly uses: readonly TableNeed[];
  readonly leastSample: number;
  readonly possibleWhen: string;
  /** SQL giving one row (considered, unknown). */
  readonly sample: string;
  /** SQL giving one row a violation. */
  readonly violations: string;
}

const REQUIRED = ["id", "name", "class", "holds", "subject", "needs"] as const;
const OPTIONAL = ["words", "uses", "least-sample", "possible-when"] as const;
const KEYS: ReadonlySet<string> = new Set([...REQUIRED, ...OPTIONAL, "statement"]);
/** The files beside this module. */
export const BUILT_IN_INVARIANTS: string = join(import.meta.dirname, "invariants");

interface Parts {
  readonly header: ReadonlyMap<string, { readonly text: string; readonly line: number }>;
  readonly statements: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
}

function split(path: string, text: string): Parts {
  const header = new Map<string, { text: string; line: number }>();
  const statements = new Map<string, string[]>();
  const problems: string[] = [];
  let current: string[] | null = null;
  for (const [index, line] of text.split("\n").entries()) {
    const found = /^-- ([a-z][a-z-]*): *(.*)$/.exec(line);
    const key = found?.[1] ?? "";
    const value = (found?.[2] ?? "").trim();
    if (key === "statement") {
      if (value !== "sample" && value !== "violations")
        problems.push(
          `${path}:${index + 1}: expected "-- statement: sample" or "-- statement: violations", got "${value}"`,
        );
      current = [];
      statements.set(value, current);
    } else if (current !== null) current.push(line);
    else if (KEYS.has(key)) {
      const before = header.get(key);
      header.set(key, {
        text: before === undefined ? value : `${before.text} ${value}`,
        line: before?.line ?? index + 1,
      });
    } else if (found !== null)
      problems.push(`${path}:${index + 1}: expected one of ${[...KEYS].join(", ")}, got "${key}"`);
    else if (line.trim() !== "" && !line.startsWith("--"))
      problems.push(
        `${path}:${index + 1}: expected a header comment or "-- statement: …", got "${line.trim().slice(0, 40)}"`,
      );
  }
  return {
    header,
    problems,
    statements: new Map(
      [...statements].map(([name, lines]) => [name, lines.join("\n").trim().replace(/;\s*$/, "")]),
    ),
  };
}

const columnsOf = (table: string): Readonly<Record<string, string>> | null => {
  if (table === "ops") return OPS_COLUMNS;
  const tables: Readonly<Record<string, Readonly<Record<string, string>>>> = EVIDENCE_TABLES;
  return tables[table] ?? null;
};

/** Reads `table(a, b) other(c)`. Canonical tables must have the columns named; other tables are the user's own. */
function parseTables(text: string, where: string, problems: string[]): TableNeed[] {
  const needs: TableNeed[] = [];
  const rest = text.replace(
    /([a-z_][a-z0-9_]*)\(([^)]*)\)/g,
    (_all, table: string, list: string) => {
      const columns = list
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "");
      const known = columnsOf(table);
      const wrong = known === null ? [] : columns.filter((name) => known[name] === undefined);
      if (wrong.length > 0)
        problems.push(`${where}: table ${table} has no column ${wrong.join(", ")}`);
      needs.push({ table, columns });
      return "";
    },
  );
  if (rest.trim() !== "")
    problems.push(`${where}: expected table(column, …), got "${rest.trim()}"`);
  return needs;
}

function parseWords(text: string, where: string, problems: string[]): WordNeed[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .flatMap((part) => {
      const found = /^([a-z_]+)\.([a-z_]+) = ([a-z_]+)$/.exec(part);
      if (found === null) {
        problems.push(`${where}: expected table.column = word, got "${part}"`);
        return [];
      }
      return [{ table: found[1] ?? "", column: found[2] ?? "", word: found[3] ?? "" }];
    });
}

const isClass = (text: string): text is InvariantClass => ["S", "Q", "B", "P"].includes(text);
const isSubject = (text: string): text is SubjectKind =>
  SUBJECT_KINDS.some((kind) => kind === text);

/** Parses one invariant. @throws StampedeError("configuration") naming every problem with file:line. */
export function parseInvariant(path: string, text: string): InvariantFile {
  const { header, statements, problems: found } = split(path, text);
  const problems = [...found];
  const value = (key: string): string => header.get(key)?.text ?? "";
  const where = (key: string): string => `${path}:${header.get(key)?.line ?? 1}`;
  for (const key of REQUIRED)
    if (value(key) === "") problems.push(`${path}:1: the header "-- ${key}: …" is missing`);
  for (const name of ["sample", "violations"])
    if ((statements.get(name) ?? "") === "")
      problems.push(`${path}:1: "-- statement: ${name}" with its SQL is missing`);
  const kind = value("class");
  if (kind !== "" && !isClass(kind))
    problems.push(`${where("class")}: class must be S, Q, B or P; it is "${kind}"`);
  const subject = value("subject");
  if (subject !== "" && !isSubject(subject))
    problems.push(
      `${where("subject")}: subject must be one of ${SUBJECT_KINDS.join(", ")}; it is "${subject}"`,
    );
  const least = value("least-sample") === "" ? 1 : Number(value("least-sample"));
  if (!Number.isInteger(least) || least < 0)
    problems.push(
      `${where("least-sample")}: least-sample must be a whole number; it is "${value("least-sample")}"`,
    );
  const needs = parseTables(value("needs"), where("needs"), problems);
  const uses = parseTables(value("uses"), where("uses"), problems);
  const words = parseWords(value("words"), where("words"), problems);
  if (problems.length > 0 || !isClass(kind) || !isSubject(subject)) {
    throw new StampedeError("configuration", problems.join("\n"), {
      hint: "the header of an invariant is described in harness/judge/invariant-file.ts",
    });
  }
  return {
    path,
    id: value("id"),
    name: value("name"),
    class: kind,
    holds: value("holds"),
    subject,
    needs,
    words,
    uses,
    leastSample: least,
    possibleWhen: value("possible-when"),
    sample: statements.get("sample") ?? "",
    violations: statements.get("violations") ?? "",
  };
}

/** C2 before C10, X0-R1 after O9. */
const inOrder = (a: InvariantFile, b: InvariantFile): number =>
  a.id.localeCompare(b.id, "en", { numeric: true });

/**
 * All invariants of a folder, in the order of their ids.
 * @throws StampedeError("configuration") when the folder cannot be read, a file is wrong or an id stands twice.
 */
export function loadInvariants(dirs: readonly string[]): InvariantFile[] {
  const files: InvariantFile[] = [];
  for (const dir of dirs) {
    if (!existsSync(dir))
      throw new StampedeError(
        "configuration",
        `expected a folder of invariants (*.sql) at ${dir}; there is none`,
      );
    for (const name of readdirSync(dir)
      .filter((file) => file.endsWith(".sql"))
      .toSorted()) {
      const path = join(dir, name);
      let text: string;
      try {
        text = readFileSync(path, "utf8");
      } catch (cause) {
        throw new StampedeError("configuration", `${path} cannot be read: ${messageOf(cause)}`, {
          cause,
        });
      }
      const file = parseInvariant(path, text);
      const same = files.find((other) => other.id === file.id);
      if (same !== undefined)
        throw new StampedeError(
          "configuration",
          `the invariant id ${file.id} stands in two files: ${same.path} and ${path}`,
        );
      files.push(file);
    }
  }
  return files.toSorted(inOrder);
}
