/** What a call does to the flow of values: arguments into parameters, results out, and which functions it may run. */
import type { CallSite, FunctionInfo } from "./program-facts.ts";
import type { ProgramFlow } from "./program-flow.ts";
import type { Slot, Value } from "./value-flow.ts";

/** An argument of a call; a spread one stands for the elements it holds. */
export interface Argument {
  readonly slot: Slot;
  readonly spread: boolean;
}

export interface Call {
  readonly receiver: Slot;
  readonly args: readonly Argument[];
  readonly result: Slot;
  /** Null when it runs later or from somewhere that is not a call in the source. */
  readonly site: CallSite | null;
}

function link(walk: ProgramFlow, fn: FunctionInfo, args: readonly Argument[]): void {
  args.forEach((argument, index) => {
    for (let at = index; at < Math.max(fn.params.length, index + 1); at++) {
      walk.flow.connect(argument.slot, fn.params[at] ?? fn.rest.slot);
      if (!argument.spread) break;
    }
    if (argument.spread) walk.flow.connect(argument.slot, fn.rest.slot);
  });
}

/** One possible meaning of a call. */
export function invoke(walk: ProgramFlow, value: Value, call: Call): void {
  const { receiver, args, result, site } = call;
  switch (value.kind) {
    case "function":
      if (value.fn === null || value.isClass) return;
      site?.targets.add(value);
      link(walk, value.fn, args);
      if (value.fn.node.type !== "ArrowFunctionExpression")
        walk.flow.connect(receiver, value.fn.receiver);
      walk.flow.connect(value.fn.result, result);
      return;
    case "builtin": {
      site?.targets.add(value);
      const callback =
        value.builtin?.callback === undefined ? undefined : args[value.builtin.callback];
      if (callback !== undefined) {
        walk.waitedCallbacks.push(callback.slot);
        walk.call(callback.slot, walk.nothing, [], result, null);
      }
      if (value.builtin?.gives === "response") walk.flow.add(result, walk.response);
      if (value.builtin?.gives === "responses")
        walk.flow.add(result, walk.flow.collection(walk.flow.of(walk.response)));
      return;
    }
    case "bound":
      if (value.bound !== null)
        invoke(walk, value.bound.target, {
          ...call,
          receiver: value.bound.receiver,
          args: [...value.bound.args, ...args],
        });
      return;
    case "callback":
      callNative(walk, value, call);
      return;
    case "object":
    case "collection":
    case "promise":
      return;
  }
}

function callNative(walk: ProgramFlow, value: Value, { args, result, site }: Call): void {
  const first = args[0];
  if (value.receive !== null && first !== undefined) walk.flow.connect(first.slot, value.receive);
  if (value.gives !== null) walk.flow.connect(value.gives, result);
  if (value.synchronous === null) return;
  const { argument, what } = value.synchronous;
  const chosen = argument === "all" ? args : args.slice(argument, argument + 1);
  for (const { slot } of chosen) {
    // check takes an object of functions; a library's objects are its own business.
    for (const callback of argument === "all" ? [slot] : [slot, walk.flow.read(slot, null)]) {
      site?.synchronous.push({ callback, what });
      const inner: Call = {
        receiver: walk.nothing,
        args: args.slice(0, 1),
        result: walk.union(),
        site: null,
      };
      // Only functions of the script's: a library handed to itself would go round for ever.
      walk.flow.watch(callback, (given) => {
        if (given.kind === "function" || given.kind === "bound") invoke(walk, given, inner);
      });
    }
  }
}

/** `new value(args)` on the object in `call.receiver`: fields, then the constructor, or the parent's when none is written. */
export function construct(walk: ProgramFlow, value: Value, call: Call): void {
  const { fn } = value;
  if (value.kind !== "function" || fn === null) return;
  call.site?.targets.add(value);
  for (const field of fn.fields) walk.flow.connect(call.receiver, field.receiver);
  if (fn.kind === "initializer") {
    if (fn.parent !== null) walk.flow.watch(fn.parent, (parent) => construct(walk, parent, call));
    return;
  }
  walk.flow.connect(call.receiver, fn.receiver);
  link(walk, fn, call.args);
}
