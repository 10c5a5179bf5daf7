/**
 * Which functions and objects can reach which place of a program: inclusion constraints over abstract values, one per
 * allocation site, solved with a worklist (Andersen 1994, "Program Analysis and Specialization for the C Programming
 * Language", ch. 4). Insensitive to order and to calling context, sensitive to objects and field names: `map.get` and
 * `api.get` stay apart, which an analysis by field name alone would not manage.
 */
import { StampedeError } from "../../../errors.ts";
import type { BlockingBuiltin } from "./blocking-builtins.ts";
import type { Argument } from "./call-model.ts";
import type { FunctionInfo } from "./program-facts.ts";

type Watcher = { readonly call: (value: Value) => void; next: number };

/** Steps after which a script counts as too entangled. */
const MERGES_MAX = 12_000_000;
/** From so many new values on, whole sets are merged. */
const MERGE_FROM = 8;
const NO_BITS = new Uint32Array(0);

function widened(bits: Uint32Array, words: number): Uint32Array {
  // Powers of two only: two slots that widen one another must come to rest.
  const wider = new Uint32Array(2 ** Math.ceil(Math.log2(words)));
  wider.set(bits);
  return wider;
}

/** A place that holds values: a variable, a field, the result of an expression. */
export class Slot {
  readonly list: Value[] = [];
  /** The same as a set: one bit a value. */
  bits: Uint32Array = NO_BITS;
  /** How many of the list have gone on to the targets. */
  sent = 0;
  readonly watchers: Watcher[] = [];
  readonly targets = new Set<Slot>();
  /** Property reads of this place, by name ("" is an unknown name). */
  readonly reads = new Map<string, Slot>();
  queued = false;
}

export type ValueKind =
  | "object"
  | "function"
  | "collection"
  | "promise"
  | "builtin"
  | "bound"
  | "callback";

/** One abstract object: everything allocated at one place of the source. */
export class Value {
  readonly kind: ValueKind;
  /** Its bit in every slot; given when it is first seen. */
  number = -1;
  readonly props = new Map<string, Slot>();
  /** What is stored under computed names; a collection's elements; what a promise settles to. */
  readonly elements = new Slot();
  /** Where property reads continue. */
  readonly proto = new Slot();
  /** Everything in it, under any name; made on demand. */
  any: Slot | null = null;
  /** Who reads a property that nobody has written yet. */
  readonly readers = new Map<string, Slot[]>();
  readonly propWatchers: ((name: string, slot: Slot) => void)[] = [];
  fn: FunctionInfo | null = null;
  builtin: BlockingBuiltin | null = null;
  /** Iterating yields pairs (a Map). */
  pairs = false;
  /** What `new` makes of it. */
  instance: Value | null = null;
  bound: {
    readonly target: Value;
    readonly receiver: Slot;
    readonly args: readonly Argument[];
  } | null = null;
  /** Made by `class`: only `new` calls it. */
  isClass = false;
  /** A native function (kind "callback"): where its first argument goes, what it gives, what it calls back too early. */
  receive: Slot | null = null;
  gives: Slot | null = null;
  synchronous: { readonly argument: number | "all"; readonly what: string } | null = null;

  constructor(kind: ValueKind) {
    this.kind = kind;
  }
}

/** The constraint system. */
export class ValueFlow {
  readonly #queue: Slot[] = [];

  readonly #values: Value[] = [];
  #merges = 0;

  #wake(slot: Slot): void {
    if (slot.queued) return;
    slot.queued = true;
    this.#queue.push(slot);
  }

  add(slot: Slot, value: Value): void {
    if (value.number < 0) value.number = this.#values.push(value) - 1;
    const word = value.number >>> 5;
    if (word >= slot.bits.length) slot.bits = widened(slot.bits, word + 1);
    const bit = 1 << (value.number & 31);
    if (((slot.bits[word] ?? 0) & bit) !== 0) return;
    slot.bits[word] = (slot.bits[word] ?? 0) | bit;
    slot.list.push(value);
    this.#wake(slot);
  }

  /** Everything in `from` also reaches `to`. */
  connect(from: Slot, to: Slot): void {
    if (from === to || from.targets.has(to)) return;
    from.targets.add(to);
    this.#merge(from, to);
  }

  /** Adds the values of one slot to another, 32 at a time: most of what comes is already there. */
  #merge(from: Slot, to: Slot): void {
    if (from.list.length === 0) return;
    if (++this.#merges > MERGES_MAX) {
      throw new StampedeError(
        "configuration",
        `expected a script whose calls can be followed in ${MERGES_MAX} steps; this one takes more`,
        {
          hint: "put large libraries into files of their own that do not import k6, or use k6 itself",
        },
      );
    }
    if (from.bits.length > to.bits.length) to.bits = widened(to.bits, from.bits.length);
    for (let word = 0; word < from.bits.length; word++) {
      let fresh = (from.bits[word] ?? 0) & ~(to.bits[word] ?? 0);
      if (fresh === 0) continue;
      to.bits[word] = (to.bits[word] ?? 0) | fresh;
      for (; fresh !== 0; fresh &= fresh - 1) {
        const value = this.#values[word * 32 + 31 - Math.clz32(fresh & -fresh)];
        if (value !== undefined) to.list.push(value);
      }
      this.#wake(to);
    }
  }

  /** Calls back once per value that ever reaches the slot. */
  watch(slot: Slot, call: (value: Value) => void): void {
    slot.watchers.push({ call, next: 0 });
    if (slot.list.length > 0) this.#wake(slot);
  }

  /** First in, first out: a slot in a cycle collects much before it is looked at again. */
  settle(): void {
    for (let at = 0; at < this.#queue.length; at++) {
      const slot = this.#queue[at];
      if (slot === undefined) continue;
      slot.queued = false;
      this.#send(slot);
      // The list of watchers may grow while they run.
      for (let i = 0; i < slot.watchers.length; i++) {
        const watcher = slot.watchers[i];
        if (watcher === undefined) continue;
        while (watcher.next < slot.list.length) {
          const value = slot.list[watcher.next++];
          if (value !== undefined) watcher.call(value);
        }
      }
      if (at > 100_000) {
        this.#queue.splice(0, at + 1);
        at = -1;
      }
    }
    this.#queue.length = 0;
  }

  /** Passes on what came since the last time. */
  #send(slot: Slot): void {
    const fresh = slot.list.slice(slot.sent);
    slot.sent = slot.list.length;
    for (const target of slot.targets) {
      if (fresh.length > MERGE_FROM) this.#merge(slot, target);
      else for (const value of fresh) this.add(target, value);
    }
  }

  /** A slot holding just this value. */
  of(value: Value): Slot {
    const slot = new Slot();
    this.add(slot, value);
    return slot;
  }

  prop(value: Value, name: string): Slot {
    const known = value.props.get(name);
    if (known !== undefined) return known;
    const slot = new Slot();
    value.props.set(name, slot);
    if (value.any !== null) this.connect(slot, value.any);
    for (const reader of value.readers.get(name) ?? []) this.connect(slot, reader);
    for (const watcher of value.propWatchers) watcher(name, slot);
    return slot;
  }

  any(value: Value): Slot {
    if (value.any === null) {
      value.any = new Slot();
      this.connect(value.elements, value.any);
      for (const slot of value.props.values()) this.connect(slot, value.any);
    }
    return value.any;
  }

  #readProp(value: Value, name: string, result: Slot): void {
    const slot = value.props.get(name);
    if (slot !== undefined) return this.connect(slot, result);
    const readers = value.readers.get(name);
    if (readers === undefined) value.readers.set(name, [result]);
    else readers.push(result);
  }

  /** Reads `object.name`; a null name is a computed one. */
  read(object: Slot, name: string | null): Slot {
    const key = name ?? "";
    const known = object.reads.get(key);
    if (known !== undefined) return known;
    const result = new Slot();
    object.reads.set(key, result);
    const seen = new Set<Value>();
    const from = (value: Value): void => {
      if (seen.has(value)) return;
      seen.add(value);
      if (value.kind === "promise") return;
      if (name === null) this.connect(this.any(value), result);
      else {
        this.#readProp(value, name, result);
        // A Map's elements are not its methods; an object's computed names may be any name.
        if (value.kind !== "collection") this.connect(value.elements, result);
      }
      this.watch(value.proto, from);
    };
    this.watch(object, from);
    return result;
  }

  write(object: Slot, name: string | null, from: Slot): void {
    this.watch(object, (value) =>
      this.connect(from, name === null ? value.elements : this.prop(value, name)),
    );
  }

  /** Copies every property, name by name: Object.assign, spread. */
  copy(from: Slot, into: Value): void {
    this.watch(from, (source) => {
      if (source === into) return;
      this.connect(source.elements, into.elements);
      const each = (name: string, slot: Slot): void => this.connect(slot, this.prop(into, name));
      for (const [name, slot] of source.props) each(name, slot);
      source.propWatchers.push(each);
    });
  }

  /** What iterating over it yields. */
  iterate(iterable: Slot): Slot {
    const known = iterable.reads.get("@iterate");
    if (known !== undefined) return known;
    const result = new Slot();
    iterable.reads.set("@iterate", result);
    this.watch(iterable, (value) => {
      if (value.kind === "promise") return;
      if (value.pairs) this.add(result, this.collection(value.elements));
      else this.connect(value.kind === "collection" ? value.elements : this.any(value), result);
    });
    return result;
  }

  collection(...elements: readonly Slot[]): Value {
    const value = new Value("collection");
    for (const slot of elements) this.connect(slot, value.elements);
    return value;
  }

  promise(settled: Slot): Value {
    const value = new Value("promise");
    this.unwrap(settled, value.elements);
    return value;
  }

  /** What `await` makes of it. */
  unwrap(from: Slot, into: Slot): void {
    this.watch(from, (value) => {
      if (value.kind === "promise") this.connect(value.elements, into);
      else this.add(into, value);
    });
  }
}
