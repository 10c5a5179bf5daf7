/** The array methods whose callbacks block, one element after the other; every result goes in a box, as it may be a promise. */

export type Callback = (...args: unknown[]) => unknown;
/** Keeps a value from being awaited on its way. */
export interface Box {
  readonly p: unknown;
}
export type ArrayLike = { readonly length: number; readonly [index: number]: unknown };
/** Calls the callback on one element. */
type Visit = (item: unknown, index: number) => Promise<Box>;
type Sequence = (list: ArrayLike, visit: Visit) => Promise<unknown>;

export const upwards = (list: ArrayLike): number[] =>
  Array.from({ length: list.length }, (_, index) => index);
export const downwards = (list: ArrayLike): number[] => upwards(list).toReversed();

/** The first element, holes included, that the callback says yes to. */
async function search(
  list: ArrayLike,
  order: readonly number[],
  visit: Visit,
): Promise<{ readonly index: number; readonly item: unknown }> {
  for (const index of order) {
    const item = list[index];
    if ((await visit(item, index)).p) return { index, item };
  }
  return { index: -1, item: undefined };
}

/** Whether the callback says `wanted` of any element, holes left out. */
async function anySays(list: ArrayLike, visit: Visit, wanted: boolean): Promise<boolean> {
  for (const index of upwards(list))
    if (index in list && Boolean((await visit(list[index], index)).p) === wanted) return true;
  return false;
}

export async function mapped(list: ArrayLike, visit: Visit): Promise<unknown[]> {
  const result: unknown[] = [];
  result.length = list.length;
  for (const index of upwards(list))
    if (index in list) result[index] = (await visit(list[index], index)).p;
  return result;
}

/** Array.prototype's callback methods (ECMA-262 §23.1.3), one element after the other. */
export const SEQUENCES: Readonly<Record<string, Sequence>> = {
  forEach: async (list, visit) => {
    await mapped(list, visit);
  },
  map: mapped,
  flatMap: async (list, visit) => (await mapped(list, visit)).flat(),
  filter: async (list, visit) => {
    const kept: unknown[] = [];
    for (const index of upwards(list)) {
      const item = list[index];
      if (index in list && Boolean((await visit(item, index)).p)) kept.push(item);
    }
    return kept;
  },
  some: async (list, visit) => anySays(list, visit, true),
  every: async (list, visit) => !(await anySays(list, visit, false)),
  find: async (list, visit) => (await search(list, upwards(list), visit)).item,
  findIndex: async (list, visit) => (await search(list, upwards(list), visit)).index,
  findLast: async (list, visit) => (await search(list, downwards(list), visit)).item,
  findLastIndex: async (list, visit) => (await search(list, downwards(list), visit)).index,
};

/** Calls the user's callback and waits as long as it blocks. */
export type Call = (callback: Callback, receiver: unknown, ...args: unknown[]) => Promise<Box>;

/** Array.prototype.reduce and reduceRight, by the order of the indices. */
export async function reduced(
  call: Call,
  list: ArrayLike,
  order: readonly number[],
  callback: Callback,
  initial: readonly unknown[],
): Promise<unknown> {
  const indices = order.filter((index) => index in list);
  const first = initial.length > 0 ? undefined : indices.shift();
  if (initial.length === 0 && first === undefined)
    throw new TypeError("Reduce of empty array with no initial value");
  let value: unknown = first === undefined ? initial[0] : list[first];
  for (const index of indices)
    value = (await call(callback, undefined, value, list[index], index, list)).p;
  return value;
}

export const isList = (value: unknown): value is ArrayLike =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** The methods that run one element after the other. */
export const SEQUENTIAL_METHODS: ReadonlySet<string> = new Set([
  ...Object.keys(SEQUENCES),
  "reduce",
  "reduceRight",
]);
