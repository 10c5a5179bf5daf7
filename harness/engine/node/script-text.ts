/** Values a script gives where text is meant: numbers and booleans as they print, objects as JSON. */

export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** An object's values as text, or null when it is none: tags, env. */
export function textsOf(values: unknown): Readonly<Record<string, string>> | null {
  if (typeof values !== "object" || values === null) return null;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, textOf(value)]));
}
