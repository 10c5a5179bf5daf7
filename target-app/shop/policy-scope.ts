/**
 * The closed grammar of a policy's scope and carve-outs, compiled to SQL over a JSON column of snapshot attributes.
 * Policies come from operators: nothing of their text ever becomes SQL text, fields and values travel as parameters.
 *
 *     or         = and ("or" and)*
 *     and        = not ("and" not)*
 *     not        = "not" not | "(" or ")" | comparison
 *     comparison = field op value | field "in" "(" value ("," value)* ")"
 *     op         = "=" | "!=" | "≠" | "<" | "<=" | "≤" | ">" | ">=" | "≥"
 *     value      = 'string' ('' is a quote) | number | true | false
 */

type Value = string | number | boolean;
type Operator = "=" | "<>" | "<" | "<=" | ">" | ">=";

/** A parsed scope. */
type Predicate =
  | {
      readonly kind: "compare";
      readonly field: string;
      readonly operator: Operator;
      readonly value: Value;
    }
  | { readonly kind: "in"; readonly field: string; readonly values: readonly Value[] }
  | { readonly kind: "not"; readonly inner: Predicate }
  | { readonly kind: "and" | "or"; readonly parts: readonly Predicate[] };

/** A scope that does not follow the grammar; says where, what was expected and what came. */
export class ScopeError extends Error {
  constructor(text: string, at: number, expected: string, came: string) {
    super(
      `policy scope ${JSON.stringify(text)}, character ${at + 1}: expected ${expected}, but came ${came}`,
    );
    this.name = "ScopeError";
  }
}

const LENGTH_MAX = 2_000;
const DEPTH_MAX = 20;
const OPERATORS: Readonly<Record<string, Operator>> = {
  "=": "=",
  "!=": "<>",
  "≠": "<>",
  "<": "<",
  "<=": "<=",
  "≤": "<=",
  ">": ">",
  ">=": ">=",
  "≥": ">=",
};
const TOKEN =
  /\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(!=|<=|>=|[=≠<≤>≥(),]))/uy;

interface Token {
  readonly kind: "string" | "number" | "word" | "sign";
  readonly text: string;
  readonly at: number;
}

/** Parses a scope. Throws ScopeError. */
export function parseScope(text: string): Predicate {
  if (text.length > LENGTH_MAX)
    throw new ScopeError(
      `${text.slice(0, 40)}…`,
      LENGTH_MAX,
      `at most ${LENGTH_MAX} characters`,
      String(text.length),
    );
  return new Parser(text).whole();
}

/**
 * The predicate as a two-valued SQL expression over `column` (an expression of type jsonb, from our own code). Fields
 * and values are appended to `parameters` and referred to by number. A comparison with a missing attribute is false.
 */
function scopeSql(predicate: Predicate, column: string, parameters: unknown[]): string {
  const parameter = (value: unknown, type: string): string => `$${parameters.push(value)}::${type}`;
  switch (predicate.kind) {
    case "compare": {
      const attribute = `(${column} -> ${parameter(predicate.field, "text")})`;
      const value = parameter(JSON.stringify(predicate.value), "jsonb");
      // jsonb orders numbers below strings below booleans; without this guard '9' < 10 would have an answer.
      const alike = `jsonb_typeof(${attribute}) = jsonb_typeof(${value})`;
      return `COALESCE(${predicate.operator === "=" ? "" : `${alike} AND `}${attribute} ${predicate.operator} ${value}, false)`;
    }
    case "in": {
      const attribute = `(${column} -> ${parameter(predicate.field, "text")})`;
      return `COALESCE(${attribute} IN (${predicate.values.map((value) => parameter(JSON.stringify(value), "jsonb")).join(", ")}), false)`;
    }
    case "not":
      return `(NOT ${scopeSql(predicate.inner, column, parameters)})`;
    case "and":
    case "or":
      break;
  }
  const parts = predicate.parts.map((part) => scopeSql(part, column, parameters));
  return `(${parts.join(predicate.kind === "and" ? " AND " : " OR ")})`;
}

/** In scope and not carved out, as SQL; no carve-outs carve nothing out. */
export function policySql(
  scope: string,
  carveOuts: string | null,
  column: string,
  parameters: unknown[],
): string {
  const inScope = scopeSql(parseScope(scope), column, parameters);
  if (carveOuts === null || carveOuts.trim() === "") return inScope;
  return `(${inScope} AND NOT ${scopeSql(parseScope(carveOuts), column, parameters)})`;
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  whole(): Predicate {
    const predicate = this.#or();
    if (this.#peek() !== undefined) this.#fail("the end, and, or");
    return predicate;
  }

  #or(): Predicate {
    const parts = [this.#and()];
    while (this.#takeWord("or")) parts.push(this.#and());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "or", parts };
  }

  #and(): Predicate {
    const parts = [this.#not()];
    while (this.#takeWord("and")) parts.push(this.#not());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "and", parts };
  }

  #not(): Predicate {
    if (++this.#depth > DEPTH_MAX) this.#fail(`at most ${DEPTH_MAX} levels`);
    try {
      if (this.#takeWord("not")) return { kind: "not", inner: this.#not() };
      if (!this.#takeSign("(")) return this.#comparison();
      const inner = this.#or();
      if (!this.#takeSign(")")) this.#fail(")");
      return inner;
    } finally {
      this.#depth--;
    }
  }

  #comparison(): Predicate {
    const field = this.#peek();
    if (field?.kind !== "word" || KEYWORDS.has(field.text.toLowerCase()))
      return this.#fail("a field");
    this.#next++;
    if (this.#takeWord("in")) return { kind: "in", field: field.text, values: this.#list() };
    const operator = OPERATORS[this.#peek()?.text ?? ""];
    if (operator === undefined || this.#peek()?.kind !== "sign") return this.#fail("a comparison");
    this.#next++;
    return { kind: "compare", field: field.text, operator, value: this.#value() };
  }

  #list(): Value[] {
    if (!this.#takeSign("(")) this.#fail("(");
    const values = [this.#value()];
    while (this.#takeSign(",")) values.push(this.#value());
    if (!this.#takeSign(")")) this.#fail(")");
    return values;
  }

  #value(): Value {
    const token = this.#peek();
    this.#next++;
    if (token?.kind === "string") return token.text.slice(1, -1).replaceAll("''", "'");
    if (token?.kind === "number") return Number(token.text);
    if (token?.kind === "word" && token.text.toLowerCase() === "true") return true;
    if (token?.kind === "word" && token.text.toLowerCase() === "false") return false;
    this.#next--;
    return this.#fail("a value: 'text', a number, true or false");
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #takeWord(word: string): boolean {
    const token = this.#peek();
    if (token?.kind !== "word" || token.text.toLowerCase() !== word) return false;
    this.#next++;
    return true;
  }

  #takeSign(sign: string): boolean {
    const token = this.#peek();
    if (token?.kind !== "sign" || token.text !== sign) return false;
    this.#next++;
    return true;
  }

  #fail(expected: string): never {
    const token = this.#peek();
    throw new ScopeError(
      this.#text,
      token?.at ?? this.#text.length,
      expected,
      token?.text ?? "the end",
    );
  }
}

const KEYWORDS: ReadonlySet<string> = new Set(["and", "or", "not", "in", "true", "false"]);

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      const at = from + (text.slice(from).length - text.slice(from).trimStart().length);
      throw new ScopeError(text, at, "a field, a value or a sign", text[at] ?? "the end");
    }
    const [, string, number, word, sign] = match;
    const kind =
      string !== undefined
        ? "string"
        : number !== undefined
          ? "number"
          : word !== undefined
            ? "word"
            : "sign";
    const token = string ?? number ?? word ?? sign ?? "";
    tokens.push({ kind, text: token, at: TOKEN.lastIndex - token.length });
  }
  return tokens;
}
