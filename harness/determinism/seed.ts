/**
 * The harness's only door to chance. Every choice is a pure function of (seed, path, n): the same seed gives the same
 * schedule, data, choices and fault plan, whatever order they are asked for in.
 */
import { createHash, randomBytes } from "node:crypto";

/** A 32-bit hash of the path below a seed; parts are joined so that ("a", 1) and ("a1") differ. FNV-1a, then a mix. */
export function hash32(seed: number, ...path: readonly (string | number)[]): number {
  let h = (0x811c9dc5 ^ seed) >>> 0;
  const text = path.join("\u0000");
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  // Finaliser of MurmurHash3 (Austin Appleby, public domain): spreads neighbouring inputs.
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/** A number in [0, 1). */
export function uniform(seed: number, ...path: readonly (string | number)[]): number {
  return hash32(seed, ...path) / 4294967296;
}

/** A stream of numbers in [0, 1): mulberry32 (Tommy Ettinger, public domain), seeded by the path. */
export function stream(seed: number, ...path: readonly (string | number)[]): () => number {
  let state = hash32(seed, ...path);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A seeded permutation of 0 … size−1 evaluated at `index`, without a table: a 4-round Feistel network over the next
 * even power of two, walked until the value falls inside (cycle walking: Black and Rogaway, CT-RSA 2002).
 */
export function permute(seed: number, size: number, index: number): number {
  const bits = Math.max(2, Math.ceil(Math.log2(Math.max(2, size))));
  const half = Math.ceil(bits / 2);
  const mask = 2 ** half - 1;
  let value = index;
  do {
    let left = Math.floor(value / 2 ** half);
    let right = value & mask;
    for (let round = 0; round < 4; round++)
      [left, right] = [right, left ^ (hash32(seed, round, right) & mask)];
    value = left * 2 ** half + right;
  } while (value >= size);
  return value;
}

/** A secret of `bytes` random bytes in hex: tokens and passwords, which must not follow from the seed. */
export function secret(bytes = 24): string {
  return randomBytes(bytes).toString("hex");
}

/** A fresh seed for a run that named none. */
export function freshSeed(): number {
  return randomBytes(4).readUInt32BE(0) % 1_000_000;
}

/** The first 16 hex digits of a SHA-256: names a schedule, a bundle, a configuration. */
export function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
