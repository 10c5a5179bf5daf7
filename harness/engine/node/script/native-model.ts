/** How the language's own functions pass user functions on: array and promise methods, Object.assign, Map, bind …, and esbuild's module glue. */
import type { AnyNode, CallExpression, NewExpression } from "acorn";
import { invoke, type Argument, type Call } from "./call-model.ts";
import { propertyName, type CallSite } from "./program-facts.ts";
import type { ProgramFlow } from "./program-flow.ts";
import { SEQUENTIAL_METHODS } from "./sequential-methods.ts";
import { Slot, Value } from "./value-flow.ts";

type Method = (walk: ProgramFlow, call: Call, name: string) => void;

const plain = (slot: Slot): Argument => ({ slot, spread: false });
const slotAt = (walk: ProgramFlow, args: readonly Argument[], index: number): Slot =>
  args[index]?.slot ?? walk.nothing;

const givesElements: Method = (walk, { receiver, result }) =>
  walk.flow.watch(
    receiver,
    (value) => value.kind === "collection" && walk.flow.connect(value.elements, result),
  );
const givesList: Method = (walk, { receiver, args, result }) =>
  walk.flow.add(
    result,
    walk.flow.collection(
      walk.flow.iterate(receiver),
      ...args.map(({ slot }) => slot),
      ...args.map(({ slot }) => walk.flow.iterate(slot)),
    ),
  );
const givesPairs: Method = (walk, { receiver, result }) =>
  walk.flow.add(
    result,
    walk.flow.collection(walk.flow.of(walk.flow.collection(walk.flow.iterate(receiver)))),
  );
const stores: Method = (walk, { receiver, args, result }) => {
  walk.flow.watch(receiver, (value) => {
    if (value.kind !== "collection") return;
    for (const { slot } of args) walk.flow.connect(slot, value.elements);
    walk.flow.add(result, value);
  });
};
const comparesWith =
  (argument: number, what: string): Method =>
  (walk, { args, site, result, receiver }) => {
    const callback = slotAt(walk, args, argument);
    site?.synchronous.push({ callback, what });
    const elements = walk.flow.iterate(receiver);
    walk.call(callback, walk.nothing, [plain(elements), plain(elements)], new Slot(), null);
    if (argument === 0) walk.flow.add(result, walk.flow.collection(elements));
  };

const inSequence: Method = (walk, { receiver, args, result, site }, name) => {
  const callback = args[0];
  if (callback === undefined || callback.spread) return;
  const { flow } = walk;
  const elements = flow.iterate(receiver);
  const returned = new Slot();
  const folds = name === "reduce" || name === "reduceRight";
  const accumulated = folds ? walk.union(slotAt(walk, args, 1), elements, returned) : elements;
  walk.call(
    callback.slot,
    walk.nothing,
    [plain(accumulated), plain(elements), plain(receiver), plain(receiver)],
    returned,
    null,
  );
  if (site !== null) site.sequence = { method: name, receiver, callback: callback.slot };
  if (folds) flow.connect(accumulated, result);
  else if (name === "map") flow.add(result, flow.collection(returned));
  else if (name === "flatMap") flow.add(result, flow.collection(returned, flow.iterate(returned)));
  else if (name === "filter") flow.add(result, flow.collection(elements));
  else if (name === "find" || name === "findLast") flow.connect(elements, result);
};

const settles: Method = (walk, { receiver, args, result }) => {
  const value = new Slot();
  walk.flow.watch(
    receiver,
    (promise) => promise.kind === "promise" && walk.flow.connect(promise.elements, value),
  );
  const returned = new Slot();
  for (const { slot } of args) walk.call(slot, walk.nothing, [plain(value)], returned, null);
  walk.flow.add(result, walk.flow.promise(walk.union(value, returned)));
};

const callable = (value: Value): boolean =>
  value.kind === "function" || value.kind === "builtin" || value.kind === "bound";

const METHODS: Readonly<Record<string, Method>> = {
  ...Object.fromEntries([...SEQUENTIAL_METHODS].map((name) => [name, inSequence])),
  ...Object.fromEntries(["pop", "shift", "at"].map((name) => [name, givesElements])),
  ...Object.fromEntries(
    ["slice", "concat", "reverse", "splice", "flat", "toReversed", "with", "values"].map((name) => [
      name,
      givesList,
    ]),
  ),
  ...Object.fromEntries(["push", "unshift", "add", "fill", "set"].map((name) => [name, stores])),
  ...Object.fromEntries(["then", "catch", "finally"].map((name) => [name, settles])),
  entries: givesPairs,
  sort: comparesWith(0, "a sort comparator"),
  toSorted: comparesWith(0, "a sort comparator"),
  replace: comparesWith(1, "a replacer function"),
  replaceAll: comparesWith(1, "a replacer function"),
  get: (walk, call, name) =>
    walk.flow.watch(
      call.receiver,
      (value) =>
        value.pairs && givesElements(walk, { ...call, receiver: walk.flow.of(value) }, name),
    ),
  call: (walk, { receiver, args, result, site }) =>
    walk.flow.watch(
      receiver,
      (value) =>
        callable(value) &&
        invoke(walk, value, { receiver: slotAt(walk, args, 0), args: args.slice(1), result, site }),
    ),
  apply: (walk, { receiver, args, result, site }) =>
    walk.flow.watch(
      receiver,
      (value) =>
        callable(value) &&
        invoke(walk, value, {
          receiver: slotAt(walk, args, 0),
          args: [{ slot: walk.flow.iterate(slotAt(walk, args, 1)), spread: true }],
          result,
          site,
        }),
    ),
  bind: (walk, { receiver, args, result }) =>
    walk.flow.watch(receiver, (value) => {
      if (!callable(value)) return;
      // Binding again would make ever new values in a loop; one bound value stands for all.
      if (value.kind === "bound") return walk.flow.add(result, value);
      const bound = new Value("bound");
      bound.bound = { target: value, receiver: slotAt(walk, args, 0), args: args.slice(1) };
      walk.flow.add(result, bound);
    }),
};

/** A method call on an array, Map, promise or function, by the method's name. */
export function nativeMethod(walk: ProgramFlow, name: string, call: Call): void {
  if (Object.hasOwn(METHODS, name)) METHODS[name]?.(walk, call, name);
}

type Static = (walk: ProgramFlow, args: readonly Argument[], result: Slot, site: CallSite) => void;

const givesFirst: Static = (walk, args, result) => walk.flow.connect(slotAt(walk, args, 0), result);
const replaces: Static = (walk, args, _result, site) => {
  site.synchronous.push({ callback: slotAt(walk, args, 1), what: "a JSON replacer" });
};
const settlesAll: Static = (walk, args, result) => {
  const items = new Slot();
  walk.flow.unwrap(walk.flow.iterate(slotAt(walk, args, 0)), items);
  walk.flow.add(
    result,
    walk.flow.promise(walk.union(items, walk.flow.of(walk.flow.collection(items)))),
  );
};
const anyOf = (walk: ProgramFlow, slot: Slot): Slot => walk.flow.read(slot, null);

const STATICS: Readonly<Record<string, Static>> = {
  "Object.assign": (walk, args, result) => {
    walk.flow.connect(slotAt(walk, args, 0), result);
    walk.flow.watch(slotAt(walk, args, 0), (target) =>
      args.slice(1).forEach(({ slot }) => walk.flow.copy(slot, target)),
    );
  },
  "Object.freeze": givesFirst,
  "Object.seal": givesFirst,
  "Object.create": (walk, args, result) => {
    const made = new Value("object");
    walk.flow.connect(slotAt(walk, args, 0), made.proto);
    walk.flow.add(result, made);
  },
  "Object.setPrototypeOf": (walk, args, result, site) => {
    givesFirst(walk, args, result, site);
    walk.flow.watch(slotAt(walk, args, 0), (value) =>
      walk.flow.connect(slotAt(walk, args, 1), value.proto),
    );
  },
  "Object.defineProperty": (walk, args, result, site) => {
    givesFirst(walk, args, result, site);
    walk.flow.write(slotAt(walk, args, 0), null, walk.flow.read(slotAt(walk, args, 2), "value"));
  },
  "Object.values": (walk, args, result) =>
    walk.flow.add(result, walk.flow.collection(anyOf(walk, slotAt(walk, args, 0)))),
  "Object.entries": (walk, args, result) =>
    walk.flow.add(
      result,
      walk.flow.collection(walk.flow.of(walk.flow.collection(anyOf(walk, slotAt(walk, args, 0))))),
    ),
  "Object.fromEntries": (walk, args, result) => {
    const made = new Value("object");
    walk.flow.connect(walk.flow.iterate(walk.flow.iterate(slotAt(walk, args, 0))), made.elements);
    walk.flow.add(result, made);
  },
  "Array.of": (walk, args, result) =>
    walk.flow.add(result, walk.flow.collection(...args.map(({ slot }) => slot))),
  "Array.from": (walk, args, result, site) => {
    const items = walk.flow.iterate(slotAt(walk, args, 0));
    const callback = slotAt(walk, args, 1);
    const returned = new Slot();
    walk.call(callback, walk.nothing, [plain(items)], returned, null);
    if (args.length > 1) site.sequence = { method: "Array.from", receiver: null, callback };
    walk.flow.add(result, walk.flow.collection(args.length > 1 ? returned : items));
  },
  "Promise.resolve": (walk, args, result) =>
    walk.flow.add(result, walk.flow.promise(slotAt(walk, args, 0))),
  "Promise.reject": (walk, _args, result) => walk.flow.add(result, walk.flow.promise(walk.nothing)),
  "Promise.all": settlesAll,
  "Promise.allSettled": settlesAll,
  "Promise.race": settlesAll,
  "Promise.any": settlesAll,
  "Reflect.apply": (walk, args, result, site) =>
    walk.call(
      slotAt(walk, args, 0),
      slotAt(walk, args, 1),
      [{ slot: walk.flow.iterate(slotAt(walk, args, 2)), spread: true }],
      result,
      site,
    ),
  "JSON.parse": replaces,
  "JSON.stringify": replaces,
};

/** The name of a global of the language (or of esbuild's glue) at the root of an expression. */
function globalName(walk: ProgramFlow, node: AnyNode): string | null {
  return node.type === "Identifier" && walk.program.free.has(node) ? node.name : null;
}

function glue(walk: ProgramFlow, name: string, node: CallExpression, result: Slot): boolean {
  const first = node.arguments[0];
  switch (name) {
    case "__require":
      if (first?.type === "Literal") walk.flow.add(result, walk.moduleValue(String(first.value)));
      return true;
    case "__toCommonJS":
      walk.flow.connect(walk.evaluate(first), result);
      return true;
    case "__toESM": {
      const exported = walk.evaluate(first);
      const made = new Value("object");
      walk.flow.connect(exported, walk.flow.prop(made, "default"));
      walk.flow.connect(exported, result);
      walk.flow.add(result, made);
      return true;
    }
    case "__export": {
      const [target, getters] = node.arguments;
      if (getters?.type !== "ObjectExpression") return false;
      const into = walk.evaluate(target);
      for (const property of getters.properties) {
        if (property.type === "Property" && property.value.type === "ArrowFunctionExpression")
          walk.flow.write(into, propertyName(property), walk.evaluate(property.value.body));
      }
      return true;
    }
    case "__commonJS": {
      const member = first?.type === "ObjectExpression" ? first.properties[0] : undefined;
      if (member?.type !== "Property" || member.value.type !== "FunctionExpression") return false;
      const info = walk.functionInfo(member.value, "initializer", "");
      const [exports, module] = [new Value("object"), new Value("object")];
      walk.flow.add(walk.flow.prop(module, "exports"), exports);
      if (info.params[0] !== undefined) walk.flow.add(info.params[0], exports);
      if (info.params[1] !== undefined) walk.flow.add(info.params[1], module);
      const required = new Value("callback");
      required.gives = walk.flow.prop(module, "exports");
      walk.flow.add(result, required);
      return true;
    }
    default:
      return false;
  }
}

/** A call of a known global function; true when nothing more is to be said about it. */
export function nativeCall(
  walk: ProgramFlow,
  node: CallExpression,
  result: Slot,
  site: CallSite,
): boolean {
  const { callee } = node;
  if (callee.type === "Identifier" && callee.name.startsWith("__"))
    return glue(walk, callee.name, node, result);
  if (callee.type !== "MemberExpression") return false;
  const root = globalName(walk, callee.object);
  const known = root === null ? undefined : STATICS[`${root}.${propertyName(callee) ?? ""}`];
  if (known === undefined) return false;
  known(walk, walk.arguments(node.arguments), result, site);
  return true;
}

/** `new` of a collection, a promise or a proxy. */
export function nativeNew(
  walk: ProgramFlow,
  node: NewExpression,
  result: Slot,
  site: CallSite,
): boolean {
  const name = globalName(walk, node.callee);
  if (
    name === null ||
    !["Map", "WeakMap", "Set", "WeakSet", "Array", "Promise", "Proxy"].includes(name)
  )
    return false;
  const args = walk.arguments(node.arguments);
  const first = slotAt(walk, args, 0);
  if (name === "Proxy") walk.flow.connect(first, result);
  else if (name === "Promise") {
    const promise = new Value("promise");
    const resolve = new Value("callback");
    resolve.receive = new Slot();
    walk.flow.unwrap(resolve.receive, promise.elements);
    walk.call(first, walk.nothing, [plain(walk.flow.of(resolve))], new Slot(), null);
    site.executor = first;
    walk.flow.add(result, promise);
  } else {
    const isMap = name === "Map" || name === "WeakMap";
    const items = walk.flow.iterate(first);
    const value = walk.flow.collection(
      ...(name === "Array"
        ? args.map(({ slot }) => slot)
        : [isMap ? walk.flow.iterate(items) : items]),
    );
    value.pairs = isMap;
    walk.flow.add(result, value);
  }
  return true;
}
