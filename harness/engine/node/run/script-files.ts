/** open() and SharedArray: what the init code reads is read once and shared by all VUs. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../../errors.ts";

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

export class ScriptFiles {
  readonly #directory: string;
  readonly #texts = new Map<string, string>();
  readonly #bytes = new Map<string, Buffer>();
  readonly #arrays = new Map<string, readonly unknown[]>();

  /** @param script relative paths start at its folder */
  constructor(script: string) {
    this.#directory = dirname(script);
  }

  /** @param mode "b" gives bytes: every VU its own copy */
  open(path: string, mode: string): string | ArrayBuffer {
    const file = path.startsWith("file://") ? fileURLToPath(path) : resolve(this.#directory, path);
    if (mode === "b")
      return Uint8Array.from(this.#cached(this.#bytes, path, file, () => readFileSync(file)))
        .buffer;
    return this.#cached(this.#texts, path, file, () => readFileSync(file, "utf8"));
  }

  #cached<T>(cache: Map<string, T>, path: string, file: string, read: () => T): T {
    const known = cache.get(file);
    if (known !== undefined) return known;
    try {
      const content = read();
      cache.set(file, content);
      return content;
    } catch (cause) {
      throw new TypeError(
        `open(${JSON.stringify(path)}): the file can't be read: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  /** The array of this name, made by the first VU that asks; read-only, as k6's copies are. */
  sharedArray(name: string, make: () => unknown): readonly unknown[] {
    const known = this.#arrays.get(name);
    if (known !== undefined) return known;
    const made = make();
    if (!Array.isArray(made))
      throw new TypeError(
        `only arrays can be made into SharedArray; the function of ${JSON.stringify(name)} returned something else`,
      );
    const copy: unknown[] = JSON.parse(JSON.stringify(made));
    this.#arrays.set(name, frozen(copy));
    return copy;
  }
}
