/** k6's durations: Go's ("1m30s", "1.5h", "500ms"), days beside them, and bare numbers as milliseconds. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d)/gy;

/**
 * Milliseconds of a k6 duration, or null when it is none.
 * @example parseDurationMs("1m30s") === 90000; parseDurationMs(250) === 250; parseDurationMs("0") === 0
 */
export function parseDurationMs(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string") return null;
  const text = value.trim();
  const negative = text.startsWith("-");
  const rest = negative || text.startsWith("+") ? text.slice(1) : text;
  if (/^\d+(?:\.\d+)?$/.test(rest)) return Number(rest) * (negative ? -1 : 1);
  PART.lastIndex = 0;
  let total = 0;
  let end = 0;
  for (let part = PART.exec(rest); part !== null; part = PART.exec(rest)) {
    total += Number(part[1]) * (UNIT_MS[part[2] ?? ""] ?? 0);
    end = PART.lastIndex;
  }
  if (end === 0 || end !== rest.length) return null;
  return negative ? -total : total;
}
