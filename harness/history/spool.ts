/**
 * A bounded binary spool: rows are packed into fixed blocks while the load runs and read back once, after the drain.
 * Packing costs a few microseconds and no garbage worth naming; a reached bound drops rows and counts them.
 */

const BLOCK_BYTES = 1 << 20;

export interface RowShape {
  readonly numbers: readonly string[];
  readonly texts: readonly string[];
}

export class Spool {
  readonly shape: RowShape;
  readonly #bytesMax: number;
  readonly #full: Buffer[] = [];
  #block: Buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  #used = 0;
  #rows = 0;
  #refused = 0;

  constructor(shape: RowShape, bytesMax: number = 512 << 20) {
    this.shape = shape;
    this.#bytesMax = bytesMax;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Rows that came after the bound was reached. */
  get refused(): number {
    return this.#refused;
  }

  /** Packs one row: numbers as 64-bit floats, texts as UTF-8 with a 32-bit length, in the shape's order. */
  push(numbers: readonly number[], texts: readonly string[]): boolean {
    let need = numbers.length * 8;
    for (const text of texts) need += 4 + Buffer.byteLength(text);
    if (need > BLOCK_BYTES || (this.#full.length + 1) * BLOCK_BYTES > this.#bytesMax) {
      this.#refused++;
      return false;
    }
    if (this.#used + need > BLOCK_BYTES) {
      this.#full.push(this.#block.subarray(0, this.#used));
      this.#block = Buffer.allocUnsafe(BLOCK_BYTES);
      this.#used = 0;
    }
    for (const value of numbers) this.#used = this.#block.writeDoubleLE(value, this.#used);
    for (const text of texts) {
      const bytes = this.#block.write(text, this.#used + 4);
      this.#block.writeUInt32LE(bytes, this.#used);
      this.#used += 4 + bytes;
    }
    this.#rows++;
    return true;
  }

  /** Reads every row back in the order they were pushed. */
  *read(): Generator<{ readonly numbers: number[]; readonly texts: string[] }> {
    for (const block of [...this.#full, this.#block.subarray(0, this.#used)]) {
      let at = 0;
      while (at < block.length) {
        const numbers: number[] = [];
        for (const _ of this.shape.numbers) {
          numbers.push(block.readDoubleLE(at));
          at += 8;
        }
        const texts: string[] = [];
        for (const _ of this.shape.texts) {
          const length = block.readUInt32LE(at);
          texts.push(block.toString("utf8", at + 4, at + 4 + length));
          at += 4 + length;
        }
        yield { numbers, texts };
      }
    }
  }
}
