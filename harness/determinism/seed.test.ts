/** Chance has one door, and what comes through it depends on the seed and the path alone. */
import { describe, expect, test } from "vitest";
import { fingerprint, freshSeed, hash32, permute, secret, stream, uniform } from "./seed.ts";

const take = (next: () => number, n: number): number[] => Array.from({ length: n }, next);

describe("permute", () => {
  test.each([1, 2, 3, 7, 64, 1000, 20_000])("is a bijection of 0 … %i - 1", (size) => {
    const seen = new Set(Array.from({ length: size }, (_, i) => permute(42, size, i)));
    expect(seen.size).toBe(size);
    expect(Math.min(...seen)).toBe(0);
    expect(Math.max(...seen)).toBe(size - 1);
  });

  test("is the same for one seed, another for another, and no identity", () => {
    const of = (seed: number): number[] =>
      Array.from({ length: 500 }, (_, i) => permute(seed, 500, i));
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    expect(of(1).filter((value, i) => value === i).length).toBeLessThan(20);
  });
});

describe("streams", () => {
  test("repeat for one path and differ by seed and by path", () => {
    const first = take(stream(7, "worker", 1), 50);
    expect(take(stream(7, "worker", 1), 50)).toEqual(first);
    const others = [
      stream(8, "worker", 1),
      stream(7, "worker", 2),
      stream(7, "worker1"),
      stream(7),
    ];
    for (const other of others) {
      const drawn = take(other, 50);
      expect(drawn.filter((value, i) => value === first[i])).toEqual([]);
    }
  });

  test('the path ("a", 1) is not the path ("a1")', () => {
    expect(hash32(7, "a", 1)).not.toBe(hash32(7, "a1"));
  });

  test("numbers lie in [0, 1) and are spread evenly, drawn or hashed", () => {
    for (const numbers of [
      take(stream(3, "even"), 10_000),
      Array.from({ length: 10_000 }, (_, n) => uniform(3, "even", n)),
    ]) {
      expect(numbers.every((x) => x >= 0 && x < 1)).toBe(true);
      const tenths = Array.from({ length: 10 }, () => 0);
      for (const x of numbers) tenths[Math.floor(x * 10)] = (tenths[Math.floor(x * 10)] ?? 0) + 1;
      // Chi-square with 9 degrees of freedom; 33.7 is exceeded once in 10,000 fair draws.
      const chi = tenths.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
      expect(chi).toBeLessThan(33.7);
    }
  });
});

describe("names and secrets", () => {
  test("a fingerprint depends on every letter, a secret on nothing", () => {
    expect(fingerprint("schedule")).toBe(fingerprint("schedule"));
    expect(fingerprint("schedule")).not.toBe(fingerprint("schedulf"));
    expect(secret()).toMatch(/^[0-9a-f]{48}$/);
    expect(secret()).not.toBe(secret());
    expect(Number.isInteger(freshSeed()) && freshSeed() < 1_000_000).toBe(true);
  });
});
