/**
 * How arbitrary were the cancels? Pure arithmetic over counts: the arbitrariness index with its bounds, the residual
 * entropy, the number of matched pairs, the label, and which undeclared fact separates cancelled from kept best.
 */

/** One class of customers, alike in everything the policy may look at. */
export interface ClassCount {
  /** Orders the system cancelled or held. */
  readonly cancelled: number;
  readonly kept: number;
  /** Orders whose outcome is not known (still cancelling, listed in an open job). */
  readonly undecided: number;
  /** How many classes look like this one; 1 when absent. */
  readonly classes?: number;
}

export interface ClassFigures {
  readonly orders: number;
  /** Share of the orders that stand in a class of two or more, 0 … 1; null without orders. */
  readonly alikeShare: number | null;
  /** Σ min(k, n−k) / Σ n, 0 … 0.5, at its least and its most under the undecided; null without orders. */
  readonly indexLow: number | null;
  readonly indexHigh: number | null;
  /** H(C|X) / H(C) over the decided orders, 0 … 1: what is left to chance once the class is known; null without orders. */
  readonly entropy: number | null;
  /** Pairs of one cancelled and one kept order in one class. */
  readonly pairs: number;
}

/** −p log₂ p summed over both outcomes, in bits, weighted by the number of orders. */
function entropyBits(cancelled: number, kept: number): number {
  const total = cancelled + kept;
  let bits = 0;
  for (const count of [cancelled, kept]) if (count > 0) bits -= count * Math.log2(count / total);
  return bits;
}

/**
 * invariants.md, "Size". With u undecided orders in a class, min(k+j, n−k−j) over j = 0 … u is concave in j: least at
 * an end, where it is min(k, m) of the decided ones, and most where the halves are as equal as u allows.
 */
export function classFigures(classes: readonly ClassCount[]): ClassFigures {
  let orders = 0;
  let alike = 0;
  let low = 0;
  let high = 0;
  let pairs = 0;
  let cancelledAll = 0;
  let keptAll = 0;
  let residual = 0;
  for (const { cancelled, kept, undecided, classes: times = 1 } of classes) {
    const size = cancelled + kept + undecided;
    orders += times * size;
    if (size >= 2) alike += times * size;
    low += times * Math.min(cancelled, kept);
    high += times * Math.min(Math.floor(size / 2), cancelled + undecided, kept + undecided);
    pairs += times * cancelled * kept;
    cancelledAll += times * cancelled;
    keptAll += times * kept;
    residual += times * entropyBits(cancelled, kept);
  }
  if (orders === 0)
    return { orders, alikeShare: null, indexLow: null, indexHigh: null, entropy: null, pairs };
  const whole = entropyBits(cancelledAll, keptAll);
  // All treated equally: nothing is uncertain, so nothing is left to chance.
  return {
    orders,
    alikeShare: alike / orders,
    indexLow: low / orders,
    indexHigh: high / orders,
    entropy: whole === 0 ? 0 : residual / whole,
    pairs,
  };
}

/** Decided orders of one class that share one value of an undeclared fact. */
export interface FactCount {
  readonly fact: string;
  readonly class: string;
  readonly value: string;
  readonly cancelled: number;
  readonly kept: number;
}

export interface Separation {
  readonly fact: string;
  /** Share of the residual entropy H(C|X) that the fact explains, corrected for the number of its values; 0 … 1. */
  readonly explains: number;
}

interface Cell {
  readonly cancelled: number;
  readonly kept: number;
}

/** One fact's corrected share: see `separations`. */
function explained(cells: ReadonlyMap<string, readonly Cell[]>): number {
  let residual = 0;
  let gained = 0;
  let freedom = 0;
  for (const values of cells.values()) {
    const cancelled = values.reduce((sum, cell) => sum + cell.cancelled, 0);
    const kept = values.reduce((sum, cell) => sum + cell.kept, 0);
    if (cancelled === 0 || kept === 0) continue;
    const before = entropyBits(cancelled, kept);
    residual += before;
    gained +=
      before - values.reduce((sum, cell) => sum + entropyBits(cell.cancelled, cell.kept), 0);
    freedom += values.length - 1;
  }
  if (residual === 0) return 0;
  return Math.min(1, Math.max(0, (gained - freedom / (2 * Math.LN2)) / residual));
}

/**
 * Conditional mutual information I(C; fact | class), as a share of H(C|class), the best first. Counting alone makes any
 * fact with many values look informative, by (values − 1) / (2 ln 2) bits a class (Miller 1955; Paninski, Neural
 * Computation 15, 2003); that much is taken off.
 */
export function separations(counts: readonly FactCount[]): Separation[] {
  const facts = new Map<string, Map<string, Cell[]>>();
  for (const { fact, class: inClass, cancelled, kept } of counts) {
    const classes = facts.get(fact) ?? new Map<string, Cell[]>();
    facts.set(fact, classes);
    const cells = classes.get(inClass);
    if (cells === undefined) classes.set(inClass, [{ cancelled, kept }]);
    else cells.push({ cancelled, kept });
  }
  return [...facts]
    .map(([fact, cells]) => ({ fact, explains: explained(cells) }))
    .toSorted((a, b) => b.explains - a.explains || a.fact.localeCompare(b.fact));
}

export type Label = "none" | "unfinished" | "random" | "unexplained";

/** What the label rests on. */
export interface LabelGrounds {
  /** A rule is definitely violated. */
  readonly violated: boolean;
  /** Orders treated unlike the rest of their class. */
  readonly differences: number;
  /** The same, once the in-scope undecided orders are set aside. */
  readonly differencesDecided: number;
  /** Definite violations that concern no undecided order. */
  readonly violationsDecided: number;
}

/**
 * *unfinished* if every difference vanishes once the in-scope undecided orders are set aside; else *random*. Where no
 * two alike customers differ at all (everybody was cancelled, say, with no rule), it is unfinished only when nothing
 * but undecided orders violates a rule.
 */
export function labelOf(grounds: LabelGrounds): Label {
  if (!grounds.violated) return "none";
  if (grounds.differencesDecided > 0) return "random";
  if (grounds.differences > 0) return "unfinished";
  return grounds.violationsDecided === 0 ? "unfinished" : "random";
}
