/** What the figures of X0 promise: the references of invariants.md come out, bounds bound, and separators are found. */
import { describe, expect, test } from "vitest";
import { stream } from "../determinism/seed.ts";
import {
  classFigures,
  labelOf,
  separations,
  type ClassCount,
  type FactCount,
} from "./arbitrariness.ts";

const ORDERS = 500;
const CLASSES = 4;
const SEEDS = 400;

/** A population of 500 in 4 classes; `decide` says whether an order of a class is cancelled. */
function population(
  seed: number,
  decide: (inClass: number, chance: () => number) => boolean,
): ClassCount[] {
  const chance = stream(seed, "population");
  const classes = Array.from({ length: CLASSES }, () => ({ cancelled: 0, kept: 0, undecided: 0 }));
  for (let order = 0; order < ORDERS; order++) {
    const inClass = order % CLASSES;
    const counts = classes[inClass];
    if (counts === undefined) continue;
    if (decide(inClass, chance)) counts.cancelled += 1;
    else counts.kept += 1;
  }
  return classes;
}

function mean(decide: (inClass: number, chance: () => number) => boolean): {
  index: number;
  entropy: number;
} {
  let index = 0;
  let entropy = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const figures = classFigures(population(seed, decide));
    index += (figures.indexLow ?? Number.NaN) / SEEDS;
    entropy += (figures.entropy ?? Number.NaN) / SEEDS;
  }
  return { index, entropy };
}

describe("the references of invariants.md, n = 500 in 4 classes, as expectations over 400 seeds", () => {
  test("a policy: exactly 0 and 0, whatever the seed", () => {
    for (let seed = 1; seed <= 20; seed++) {
      expect(classFigures(population(seed, (inClass) => inClass < 2))).toMatchObject({
        indexLow: 0,
        indexHigh: 0,
        entropy: 0,
        pairs: 0,
      });
    }
  });

  test("a 30 % lottery: 0.306 and 0.994, within 0.010 and 0.005", () => {
    const { index, entropy } = mean((_inClass, chance) => chance() < 0.3);
    expect(Math.abs(index - 0.306)).toBeLessThan(0.01);
    expect(Math.abs(entropy - 0.994)).toBeLessThan(0.005);
  });

  test("a 2 % leak of a policy over half of the classes: 0.010 and 0.076, within 0.002 and 0.012", () => {
    const { index, entropy } = mean((inClass, chance) => (inClass < 2 ? chance() >= 0.02 : false));
    expect(Math.abs(index - 0.01)).toBeLessThan(0.002);
    expect(Math.abs(entropy - 0.076)).toBeLessThan(0.012);
  });

  test("five leaked of 307 in scope are exactly index 0.010 and entropy 0.076", () => {
    const figures = classFigures([
      { cancelled: 151, kept: 3, undecided: 0 },
      { cancelled: 151, kept: 2, undecided: 0 },
      { cancelled: 0, kept: 97, undecided: 0 },
      { cancelled: 0, kept: 96, undecided: 0 },
    ]);
    expect(figures.indexLow).toBe(0.01);
    expect(figures.entropy).toBeCloseTo(0.076, 3);
  });
});

describe("bounds hold every way the undecided can turn out", () => {
  test.each([
    { cancelled: 3, kept: 5, undecided: 4 },
    { cancelled: 0, kept: 0, undecided: 7 },
    { cancelled: 9, kept: 1, undecided: 2 },
    { cancelled: 4, kept: 4, undecided: 1 },
    { cancelled: 0, kept: 6, undecided: 3 },
  ])("$cancelled cancelled, $kept kept, $undecided undecided", (counts) => {
    const size = counts.cancelled + counts.kept + counts.undecided;
    const outcomes = Array.from(
      { length: counts.undecided + 1 },
      (_, more) => Math.min(counts.cancelled + more, size - counts.cancelled - more) / size,
    );
    const figures = classFigures([counts]);
    expect(figures.indexLow).toBeCloseTo(Math.min(...outcomes), 12);
    expect(figures.indexHigh).toBeCloseTo(Math.max(...outcomes), 12);
  });
});

test("no orders give no figures, not zero", () => {
  expect(classFigures([])).toEqual({
    orders: 0,
    alikeShare: null,
    indexLow: null,
    indexHigh: null,
    entropy: null,
    pairs: 0,
  });
});

test("customers without an equal are counted: three of five stand alone", () => {
  const alone = { cancelled: 1, kept: 0, undecided: 0 };
  expect(
    classFigures([alone, alone, alone, { cancelled: 1, kept: 1, undecided: 0 }]),
  ).toMatchObject({ alikeShare: 0.4, pairs: 1 });
});

describe("what separates cancelled from kept", () => {
  /** 4 classes of 100; the account decides in 95 of 100, the minute nothing. */
  const cause = (): FactCount[] => {
    const chance = stream(7, "cause");
    const cells = new Map<
      string,
      { fact: string; class: string; value: string; cancelled: number; kept: number }
    >();
    const put = (fact: string, inClass: number, value: string, cancelled: boolean): void => {
      const key = `${fact} ${inClass} ${value}`;
      const cell = cells.get(key) ?? { fact, class: String(inClass), value, cancelled: 0, kept: 0 };
      cells.set(key, cell);
      if (cancelled) cell.cancelled += 1;
      else cell.kept += 1;
    };
    for (let order = 0; order < 400; order++) {
      const account = chance() < 0.7;
      const cancelled = chance() < 0.95 ? account : !account;
      put("refund account on file", order % 4, String(account), cancelled);
      put("tenth of the batch", order % 4, String(Math.floor(chance() * 10)), cancelled);
      put("payment rail", order % 4, chance() < 0.5 ? "card" : "transfer", cancelled);
    }
    return [...cells.values()];
  };

  test("the cause comes first, and facts with many values get no credit for it", () => {
    const found = separations(cause());
    expect(found[0]?.fact).toBe("refund account on file");
    expect(found[0]?.explains).toBeGreaterThan(0.5);
    for (const other of found.slice(1)) expect(other.explains).toBeLessThan(0.1);
  });

  test("a fact that only mirrors the class explains nothing", () => {
    const mirrored: FactCount[] = [
      { fact: "seller", class: "a", value: "x", cancelled: 10, kept: 10 },
      { fact: "seller", class: "b", value: "y", cancelled: 30, kept: 10 },
    ];
    expect(separations(mirrored)).toEqual([{ fact: "seller", explains: 0 }]);
  });
});

describe("the label says what kind of difference it is", () => {
  test.each([
    ["none", { violated: false, differences: 0, differencesDecided: 0, violationsDecided: 0 }],
    ["none", { violated: false, differences: 3, differencesDecided: 0, violationsDecided: 0 }],
    ["unfinished", { violated: true, differences: 3, differencesDecided: 0, violationsDecided: 0 }],
    ["unfinished", { violated: true, differences: 0, differencesDecided: 0, violationsDecided: 0 }],
    ["random", { violated: true, differences: 3, differencesDecided: 1, violationsDecided: 1 }],
    ["random", { violated: true, differences: 0, differencesDecided: 0, violationsDecided: 9 }],
  ])("%s", (label, grounds) => {
    expect(labelOf(grounds)).toBe(label);
  });
});
