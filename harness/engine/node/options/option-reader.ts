/** Reads one object of options field by field and collects every problem instead of stopping at the first. */
import { textOf } from "../script-text.ts";
import { parseDurationMs } from "./duration.ts";

const shown = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
};

/** Whether a value is an object with names, not an array and not null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface IntegerRule {
  readonly fallback?: number;
  readonly min?: number;
}

interface DurationRule {
  readonly fallback?: number;
  readonly minMs?: number;
}

/** One object under a name ("scenarios.buyers"); every getter returns a usable value even after a problem. */
export class OptionReader {
  readonly where: string;
  readonly source: Readonly<Record<string, unknown>>;
  readonly problems: string[];

  constructor(where: string, source: Readonly<Record<string, unknown>>, problems: string[]) {
    this.where = where;
    this.source = source;
    this.problems = problems;
  }

  has(name: string): boolean {
    return this.source[name] !== undefined && this.source[name] !== null;
  }

  problem(name: string, text: string): void {
    this.problems.push(`${this.where === "" ? "" : `${this.where}.`}${name}: ${text}`);
  }

  /** Names every key that is not in the list. */
  onlyKnows(names: readonly string[]): void {
    for (const name of Object.keys(this.source)) {
      if (!names.includes(name))
        this.problem(name, `unknown option; known here: ${names.join(", ")}`);
    }
  }

  integer(name: string, rule: IntegerRule = {}): number {
    const value = this.source[name];
    if (value === undefined || value === null) {
      if (rule.fallback === undefined) this.problem(name, "expected an integer; it is missing");
      return rule.fallback ?? rule.min ?? 0;
    }
    if (typeof value !== "number" || !Number.isInteger(value)) {
      this.problem(name, `expected an integer; got ${shown(value)}`);
      return rule.fallback ?? rule.min ?? 0;
    }
    if (rule.min !== undefined && value < rule.min)
      this.problem(name, `must be at least ${rule.min}; got ${value}`);
    return value;
  }

  /** Milliseconds. */
  duration(name: string, rule: DurationRule = {}): number {
    const value = this.source[name];
    if (value === undefined || value === null) {
      if (rule.fallback === undefined)
        this.problem(name, 'expected a duration like "30s"; it is missing');
      return rule.fallback ?? rule.minMs ?? 0;
    }
    const ms = parseDurationMs(value);
    if (ms === null) {
      this.problem(name, `expected a duration like "30s" or "1m30s"; got ${shown(value)}`);
      return rule.fallback ?? rule.minMs ?? 0;
    }
    const minMs = rule.minMs ?? 0;
    if (ms < minMs)
      this.problem(
        name,
        `must be at least ${minMs === 0 ? "0" : `${minMs / 1000}s`}; got ${shown(value)}`,
      );
    return ms;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.source[name];
    if (value === undefined || value === null) return fallback;
    if (typeof value !== "boolean")
      this.problem(name, `expected true or false; got ${shown(value)}`);
    return value === true;
  }

  string(name: string, fallback: string): string {
    const value = this.source[name];
    if (value === undefined || value === null) return fallback;
    if (typeof value === "string") return value;
    this.problem(name, `expected text; got ${shown(value)}`);
    return fallback;
  }

  strings(name: string, fallback: readonly string[]): readonly string[] {
    const value = this.source[name];
    if (value === undefined || value === null) return fallback;
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    this.problem(name, `expected a list of texts; got ${shown(value)}`);
    return fallback;
  }

  /** `{name: text}`; numbers and booleans become text, as k6 does for env and tags. */
  texts(name: string): Readonly<Record<string, string>> {
    const value = this.source[name];
    if (value === undefined || value === null) return {};
    if (!isRecord(value)) {
      this.problem(name, `expected an object of texts; got ${shown(value)}`);
      return {};
    }
    const texts: Record<string, string> = {};
    for (const [key, item] of Object.entries(value)) {
      if (typeof item === "object")
        this.problem(`${name}.${key}`, `expected text; got ${shown(item)}`);
      else texts[key] = textOf(item);
    }
    return texts;
  }

  /** A list of objects, each under a reader of its own. */
  readers(name: string): readonly OptionReader[] {
    const value = this.source[name];
    if (!Array.isArray(value)) {
      this.problem(
        name,
        value === undefined
          ? "expected a list; it is missing"
          : `expected a list; got ${shown(value)}`,
      );
      return [];
    }
    const path = this.where === "" ? name : `${this.where}.${name}`;
    return value.flatMap((item: unknown, index) => {
      if (isRecord(item)) return [new OptionReader(`${path}[${index}]`, item, this.problems)];
      this.problem(`${name}[${index}]`, `expected an object; got ${shown(item)}`);
      return [];
    });
  }
}
