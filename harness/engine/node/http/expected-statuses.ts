/** http.expectedStatuses(200, {min: 300, max: 399}): which answers do not count as failed. */

interface StatusRange {
  readonly min: number;
  readonly max: number;
}

export class ExpectedStatuses {
  readonly #ranges: readonly StatusRange[];

  constructor(ranges: readonly StatusRange[]) {
    this.#ranges = ranges;
  }

  expects(status: number): boolean {
    for (const { min, max } of this.#ranges) if (status >= min && status <= max) return true;
    return false;
  }
}

/** k6's default: 200 … 399. */
export const DEFAULT_EXPECTED = new ExpectedStatuses([{ min: 200, max: 399 }]);

const isRange = (item: unknown): item is StatusRange =>
  typeof item === "object" &&
  item !== null &&
  "min" in item &&
  "max" in item &&
  Number.isInteger(item.min) &&
  Number.isInteger(item.max);

/** Throws k6's complaint about what is neither an integer nor {min, max}. */
export function expectedStatuses(...items: readonly unknown[]): ExpectedStatuses {
  if (items.length === 0)
    throw new TypeError("no arguments: expectedStatuses takes status codes or {min, max}");
  return new ExpectedStatuses(
    items.map((item, index) => {
      if (typeof item === "number" && Number.isInteger(item)) return { min: item, max: item };
      if (isRange(item)) return item;
      throw new TypeError(
        `argument number ${index + 1} to expectedStatuses was neither an integer nor an object like {min: 100, max: 329}`,
      );
    }),
  );
}
