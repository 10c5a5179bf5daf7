/** What the engine tells while it runs; the same complaint is told a few times, then counted. */

const TOLD_EACH = 5;
const MAX_KINDS = 200;

export class RunLog {
  readonly line: (line: string) => void;
  readonly #counts = new Map<string, number>();

  constructor(line: (line: string) => void) {
    this.line = line;
  }

  /** @param kind what makes two complaints the same  @param text made only when it will be told */
  limited(kind: string, text: () => string): void {
    const known = this.#counts.get(kind);
    if (known === undefined && this.#counts.size >= MAX_KINDS)
      return this.limited("other complaints", text);
    const count = (known ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= TOLD_EACH) this.line(text());
  }

  /** Says how often each complaint came that was not told every time. */
  summary(): void {
    for (const [kind, count] of this.#counts)
      if (count > TOLD_EACH) this.line(`${kind}: ${count} times, told ${TOLD_EACH} times`);
  }
}
