/**
 * The selectors of response.json("…"): the part of gjson's path language that scripts use: keys, indexes, `#` (length,
 * or "each"), wildcards, `#(field op value)` first match, `#(…)#` all matches, `\` before a literal sign.
 */

/** Splits a path at its dots, outside of parentheses and after no backslash. */
function partsOf(path: string): string[] {
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  for (let i = 0; i < path.length; i++) {
    const sign = path[i] ?? "";
    if (sign === "\\") {
      part += sign + (path[i + 1] ?? "");
      i += 1;
    } else if ((sign === "." || sign === "|") && depth === 0) {
      parts.push(part);
      part = "";
    } else {
      if (sign === "(" || sign === "[") depth += 1;
      if (sign === ")" || sign === "]") depth -= 1;
      part += sign;
    }
  }
  parts.push(part);
  return parts;
}

const literalOf = (part: string): string => part.replaceAll(/\\(.)/g, "$1");

function wildcard(part: string): RegExp {
  const source = part.replaceAll(
    /\\(.)|([*?])|([.+^${}()|[\]])/g,
    (_all, escaped: string | undefined, wild: string | undefined, special: string | undefined) => {
      if (escaped !== undefined) return `\\${escaped}`;
      if (wild !== undefined) return wild === "*" ? ".*" : ".";
      return `\\${special ?? ""}`;
    },
  );
  return new RegExp(`^${source}$`, "s");
}

type Compare = (left: unknown, right: unknown) => boolean;
const like = (left: unknown, right: unknown): boolean => wildcard(String(right)).test(String(left));
const ordered =
  (compare: (a: number | string, b: number | string) => boolean): Compare =>
  (left, right) =>
    (typeof left === "number" && typeof right === "number") ||
    (typeof left === "string" && typeof right === "string")
      ? compare(left, right)
      : false;
const COMPARE: Readonly<Record<string, Compare>> = {
  "==": (a, b) => a === b,
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": ordered((a, b) => a < b),
  "<=": ordered((a, b) => a <= b),
  ">": ordered((a, b) => a > b),
  ">=": ordered((a, b) => a >= b),
  "%": like,
  "!%": (a, b) => !like(a, b),
};

const QUERY = /^(.*?)\s*(==|!=|<=|>=|!%|=|<|>|%)\s*(.*)$/s;

function matcher(query: string): (item: unknown) => boolean {
  const found = QUERY.exec(query.trim());
  if (found === null) return (item) => walk(item, partsOf(query.trim())) !== undefined;
  const [, field = "", operator = "", text = ""] = found;
  const right = valueOf(text.trim());
  const compare = COMPARE[operator] ?? (() => false);
  return (item) => {
    const left = field.trim() === "" ? item : walk(item, partsOf(field.trim()));
    return left !== undefined && compare(left, right);
  };
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.replace(/^(["'])(.*)\1$/s, "$2");
  }
}

function each(list: readonly unknown[], rest: readonly string[]): unknown[] {
  return list.map((item) => walk(item, rest)).filter((item) => item !== undefined);
}

function overList(list: readonly unknown[], part: string, rest: readonly string[]): unknown {
  if (part === "#") return rest.length === 0 ? list.length : each(list, rest);
  if (part.startsWith("#(") || part.startsWith("#[")) {
    const all = part.endsWith("#");
    const matches = matcher(part.slice(2, all ? -2 : -1));
    return all ? each(list.filter(matches), rest) : walk(list.find(matches), rest);
  }
  return /^\d+$/.test(part) ? walk(list[Number(part)], rest) : undefined;
}

function walk(value: unknown, parts: readonly string[]): unknown {
  const [part, ...rest] = parts;
  if (part === undefined || value === undefined) return value;
  if (Array.isArray(value)) return overList(value, part, rest);
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const name = literalOf(part);
  if (Object.hasOwn(fields, name)) return walk(fields[name], rest);
  if (!/[*?]/.test(part)) return undefined;
  const pattern = wildcard(part);
  const key = Object.keys(fields).find((candidate) => pattern.test(candidate));
  return key === undefined ? undefined : walk(fields[key], rest);
}

/** What a selector finds in parsed JSON; undefined when nothing is there. */
export function selectJson(value: unknown, selector: string): unknown {
  return walk(value, partsOf(selector));
}
