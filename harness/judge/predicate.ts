/**
 * The closed language of policy scopes and carve-outs (design.md §7, §8): `field op value`, `in`, `not`, `and`, `or`,
 * brackets. It is parsed here and compiled to DuckDB SQL; a policy's text itself never reaches the database as SQL.
 *
 *     or   := and ("or" and)*
 *     and  := not ("and" not)*
 *     not  := "not" not | "(" or ")" | test
 *     test := field ("=" | "≠" | "!=" | "<" | "≤" | "<=" | ">" | "≥" | ">=") value
 *           | field ["not"] "in" "(" value ("," value)* ")"
 *     value := 'text' ('' is one quote) | number | true | false
 */
import { StampedeError } from "../errors.ts";
import { literal } from "../history/duckdb.ts";

export type Scalar = string | number | boolean;
export type Comparator = "=" | "!=" | "<" | "<=" | ">" | ">=";

export interface Test {
  readonly kind: "test";
  readonly field: string;
  /** `in` has one value or more, every other operator exactly one. */
  readonly op: Comparator | "in";
  readonly values: readonly Scalar[];
}

export type Predicate =
  | Test
  | { readonly kind: "not"; readonly part: Predicate }
  | { readonly kind: "and" | "or"; readonly parts: readonly Predicate[] };

interface Token {
  readonly kind: "word" | "text" | "number" | "sign" | "end";
  readonly text: string;
  /** 1-based position in the source, for messages. */
  readonly at: number;
}

const TEXT_LIMIT = 10_000;
const TEST_LIMIT = 200;
const DEPTH_LIMIT = 64;

/** Order matters: two-character signs before their first character. */
const TOKEN =
  /\s*(?:(?<text>'(?:[^']|'')*')|(?<number>-?\d+(?:\.\d+)?(?![\p{L}\p{N}_]))|(?<word>[\p{L}_][\p{L}\p{N}_-]*)|(?<sign>!=|<=|>=|<>|==|[=≠<≤>≥(),]))/uy;

const COMPARATORS: Readonly<Record<string, Comparator>> = {
  "=": "=",
  "!=": "!=",
  "≠": "!=",
  "<": "<",
  "<=": "<=",
  "≤": "<=",
  ">": ">",
  ">=": ">=",
  "≥": ">=",
};
const KEYWORDS: ReadonlySet<string> = new Set(["and", "or", "not", "in", "true", "false", "null"]);

const refuse = (
  source: string,
  where: string,
  at: number,
  expected: string,
  came: string,
  hint?: string,
): StampedeError =>
  new StampedeError(
    "configuration",
    `${where}, character ${at}: expected ${expected}, came ${came} in: ${source}`,
    {
      hint:
        hint ??
        "a scope reads like: coupon_campaign = 'member-day' and (status in ('paid', 'held') or not total < 50000)",
    },
  );

function tokenize(source: string, where: string): Token[] {
  if (source.length > TEXT_LIMIT)
    throw refuse(
      `${source.slice(0, 40)}…`,
      where,
      TEXT_LIMIT,
      `at most ${TEXT_LIMIT} characters`,
      `${source.length}`,
    );
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (match === null) {
      const rest = source.slice(start).trimStart();
      const at = source.length - rest.length + 1;
      if (rest === "") return [...tokens, { kind: "end", text: "the end", at }];
      if (rest.startsWith("'"))
        throw refuse(source, where, at, "a text closed by '", "no closing quote");
      throw refuse(
        source,
        where,
        at,
        "a field, a value or an operator",
        `"${rest.slice(0, 1)}"`,
        rest.startsWith('"') ? "texts stand in single quotes: '…'" : undefined,
      );
    }
    const { text, number, word, sign } = match.groups ?? {};
    const raw = text ?? number ?? word ?? sign ?? "";
    const at = TOKEN.lastIndex - raw.length + 1;
    if (sign === "==" || sign === "<>")
      throw refuse(
        source,
        where,
        at,
        "an operator",
        `"${sign}"`,
        `write ${sign === "==" ? "=" : "!= or ≠"}`,
      );
    tokens.push({
      kind:
        text !== undefined
          ? "text"
          : number !== undefined
            ? "number"
            : word !== undefined
              ? "word"
              : "sign",
      text: raw,
      at,
    });
  }
}

class Parser {
  readonly #source: string;
  readonly #where: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #tests = 0;

  constructor(source: string, where: string) {
    this.#source = source;
    this.#where = where;
    this.#tokens = tokenize(source, where);
  }

  whole(): Predicate {
    const predicate = this.#or(0);
    if (this.#peek().kind !== "end") throw this.#error("and, or, or the end");
    return predicate;
  }

  #peek(): Token {
    return (
      this.#tokens[this.#next] ?? { kind: "end", text: "the end", at: this.#source.length + 1 }
    );
  }

  #error(expected: string, hint?: string): StampedeError {
    const token = this.#peek();
    return refuse(
      this.#source,
      this.#where,
      token.at,
      expected,
      token.kind === "end" ? "the end" : `"${token.text}"`,
      hint,
    );
  }

  #isWord(word: string): boolean {
    const token = this.#peek();
    return token.kind === "word" && token.text.toLowerCase() === word;
  }

  #take(kind: "word" | "sign", text: string): boolean {
    const found =
      kind === "word"
        ? this.#isWord(text)
        : this.#peek().kind === "sign" && this.#peek().text === text;
    if (found) this.#next += 1;
    return found;
  }

  #chain(kind: "and" | "or", part: () => Predicate): Predicate {
    const parts = [part()];
    while (this.#take("word", kind)) parts.push(part());
    const [first] = parts;
    return parts.length === 1 && first !== undefined ? first : { kind, parts };
  }

  #or(depth: number): Predicate {
    if (depth > DEPTH_LIMIT)
      throw this.#error(`at most ${DEPTH_LIMIT} brackets and nots inside one another`);
    return this.#chain("or", () => this.#chain("and", () => this.#not(depth)));
  }

  #not(depth: number): Predicate {
    if (depth > DEPTH_LIMIT)
      throw this.#error(`at most ${DEPTH_LIMIT} brackets and nots inside one another`);
    if (this.#take("word", "not")) return { kind: "not", part: this.#not(depth + 1) };
    if (!this.#take("sign", "(")) return this.#test();
    const inner = this.#or(depth + 1);
    if (!this.#take("sign", ")")) throw this.#error("a closing )");
    return inner;
  }

  #test(): Predicate {
    const token = this.#peek();
    if (token.kind !== "word" || KEYWORDS.has(token.text.toLowerCase()))
      throw this.#error("the name of an attribute");
    this.#next += 1;
    this.#tests += 1;
    if (this.#tests > TEST_LIMIT) throw this.#error(`at most ${TEST_LIMIT} comparisons`);
    const field = token.text;
    const negated = this.#take("word", "not");
    if (this.#take("word", "in")) {
      const within: Predicate = { kind: "test", field, op: "in", values: this.#list() };
      return negated ? { kind: "not", part: within } : within;
    }
    const sign = this.#peek();
    const op = sign.kind === "sign" && !negated ? COMPARATORS[sign.text] : undefined;
    if (op === undefined)
      throw this.#error(
        negated ? "in" : "an operator (= ≠ < ≤ > ≥ in)",
        negated ? undefined : `a true/false attribute is written ${field} = true`,
      );
    this.#next += 1;
    return { kind: "test", field, op, values: [this.#value()] };
  }

  #list(): Scalar[] {
    if (!this.#take("sign", "(")) throw this.#error("( and a list of values");
    const values = [this.#value()];
    while (this.#take("sign", ",")) values.push(this.#value());
    if (!this.#take("sign", ")")) throw this.#error("a , or a closing )");
    return values;
  }

  #value(): Scalar {
    const token = this.#peek();
    if (token.kind === "text") {
      this.#next += 1;
      return token.text.slice(1, -1).replaceAll("''", "'");
    }
    if (token.kind === "number") {
      this.#next += 1;
      return Number(token.text);
    }
    if (this.#take("word", "true")) return true;
    if (this.#take("word", "false")) return false;
    throw this.#error(
      "a value ('text', a number, true or false)",
      token.kind === "word" ? "texts stand in single quotes: '…'" : undefined,
    );
  }
}

/**
 * Parses a scope or a carve-out.
 *
 * @param where whose text it is, for the message: "withdraw@1, scope"
 * @throws StampedeError("configuration") with the position, what was expected and what came
 */
export function parsePredicate(source: string, where: string): Predicate {
  return new Parser(source, where).whole();
}

/** Every single comparison, left to right: their truth values are a customer's class. */
export function testsOf(predicate: Predicate): Test[] {
  if (predicate.kind === "test") return [predicate];
  if (predicate.kind === "not") return testsOf(predicate.part);
  return predicate.parts.flatMap(testsOf);
}

/** The attributes a predicate looks at, each once. */
export function fieldsOf(predicate: Predicate): string[] {
  return [...new Set(testsOf(predicate).map((test) => test.field))];
}

/** An attribute's JSON scalar as SQL text, NULL where it is absent or null. */
export type TextOf = (field: string) => string;

const compare = (text: string, op: Comparator | "in", value: Scalar): string => {
  const sign = op === "in" ? "=" : op === "!=" ? "<>" : op;
  if (typeof value === "string") return `${text} ${sign} ${literal(value)}`;
  if (typeof value === "number")
    return `try_cast(${text} AS DOUBLE) ${sign} CAST(${value} AS DOUBLE)`;
  return `(CASE lower(${text}) WHEN 'true' THEN true WHEN 'false' THEN false END) ${sign} ${value}`;
};

/** One comparison as SQL: true, false, or NULL where the attribute is missing or not of the value's type. */
export function testSql(test: Test, textOf: TextOf): string {
  return `(${test.values.map((value) => compare(textOf(test.field), test.op, value)).join(" OR ")})`;
}

function logicSql(predicate: Predicate, leaf: (test: Test) => string): string {
  if (predicate.kind === "test") return leaf(predicate);
  if (predicate.kind === "not") return `(NOT ${logicSql(predicate.part, leaf)})`;
  return `(${predicate.parts.map((part) => logicSql(part, leaf)).join(predicate.kind === "and" ? " AND " : " OR ")})`;
}

/**
 * A whole predicate as SQL: true, false, or NULL = undecided.
 *
 * A missing attribute can be read in two ways: SQL's (unknown, and what is unknown at the end is not in scope) and the
 * everyday one (a missing thing equals nothing). Services differ, so only what both readings agree on is decided; the
 * rest stays unknown and can accuse nobody.
 */
export function predicateSql(predicate: Predicate, textOf: TextOf): string {
  const byNull = logicSql(predicate, (test) => testSql(test, textOf));
  const everyday = logicSql(
    predicate,
    (test) => `coalesce(${testSql(test, textOf)}, ${test.op === "!="})`,
  );
  return `(CASE WHEN ${byNull} IS NOT NULL THEN ${byNull} WHEN NOT ${everyday} THEN false END)`;
}
