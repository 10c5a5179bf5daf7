/**
 * What rewritten code calls at run time: sequential forms of the array methods, promises carried through functions that
 * the rewrite made async, and the user's own async functions kept in the order of a thread that blocks.
 */
import { StampedeError } from "../../../errors.ts";
import { AsyncCall, Turn } from "./async-turns.ts";
import {
  downwards,
  isList,
  mapped,
  reduced,
  SEQUENCES,
  upwards,
  type ArrayLike,
  type Box,
  type Call,
  type Callback,
} from "./sequential-methods.ts";
import { REWRITTEN_MARK } from "./rewrite-marks.ts";

/** A promise the user's own code deals with, carried through an async function that would flatten it. */
class Carried {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

const carry = (value: unknown): unknown => (value instanceof Promise ? new Carried(value) : value);
/** The promise itself again, or whatever came. */
export const uncarry = (value: unknown): unknown =>
  value instanceof Carried ? value.value : value;

const isRewritten = (callback: Callback): boolean =>
  Function.prototype.toString.call(callback).startsWith(`async${REWRITTEN_MARK}`);

/** One VU's runtime; the rewrite writes calls of these methods. */
export class ScriptRuntime {
  #turn = new Turn();
  /** The promises of the user's async functions. */
  readonly #calls = new WeakMap<Promise<unknown>, AsyncCall>();

  carry(value: unknown): unknown {
    return carry(value);
  }

  uncarry(value: unknown): unknown {
    return uncarry(value);
  }

  /** Runs the body of a user's async function. */
  async(body: (call: AsyncCall) => Promise<unknown>): Promise<unknown> {
    const call = new AsyncCall(this.#turn);
    const run = async (): Promise<unknown> => {
      try {
        return await body(call);
      } finally {
        call.leave();
      }
    };
    const promise = run();
    this.#calls.set(promise, call);
    return promise;
  }

  /** Waits until the user's async function that gave this promise has come to its first `await`; the promise stays one. */
  async enter(result: unknown): Promise<Box> {
    if (result instanceof Promise) await this.#calls.get(result)?.prefix;
    return { p: uncarry(result) };
  }

  /** The same where the callee may also be a rewritten function, whose promise is awaited. */
  async call(result: unknown, rewritten = false): Promise<Box> {
    if (!(result instanceof Promise) || this.#calls.has(result)) return this.enter(result);
    if (!rewritten) this.#turn.open();
    return { p: uncarry(await result) };
  }

  /** What the engine calls: an export begins a turn, and what earlier calls left behind loses its own. */
  export(exported: Callback, args: readonly unknown[]): unknown {
    const turn = new Turn();
    this.#turn = turn;
    const rewritten = isRewritten(exported);
    const finish = async (result: Promise<unknown>): Promise<unknown> => {
      try {
        if (rewritten) return uncarry(await result);
        await this.enter(result);
      } finally {
        turn.release();
      }
      return result;
    };
    const result = exported(...args);
    if (result instanceof Promise) return finish(result);
    turn.release();
    return uncarry(result);
  }

  /** `new Promise(executor)` with an executor that blocks: the constructor returns when the executor has. */
  async promise(executor: Callback): Promise<Box> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    try {
      const result = executor(resolve, reject);
      if (isRewritten(executor)) await result;
      else await this.enter(result);
    } catch (error) {
      reject(error);
    }
    return { p: promise };
  }

  /** `Array.from(source, callback)` where the callback blocks. */
  async arrayFrom(
    source: Iterable<unknown> | ArrayLike,
    callback: Callback,
    receiver?: unknown,
  ): Promise<unknown[]> {
    const run = this.#caller(callback);
    return mapped(Array.from(source), async (item, index) => run(callback, receiver, item, index));
  }

  #caller(callback: Callback): Call {
    const rewritten = isRewritten(callback);
    return async (fn, receiver, ...args) => this.call(Reflect.apply(fn, receiver, args), rewritten);
  }

  /**
   * `target.method(callback, ...rest)` where the callback blocks. The user's own object with such a method is called as
   * it is; what is neither a list nor the user's cannot wait, and says so.
   */
  async sequence(
    method: string,
    optional: boolean,
    users: boolean,
    target: unknown,
    ...args: unknown[]
  ): Promise<Box> {
    if (optional && (target === null || target === undefined)) return { p: undefined };
    const [callback, ...rest] = args;
    const own = (target as Record<string, unknown>)[method];
    const keyed = method === "forEach" && (target instanceof Map || target instanceof Set);
    if (!isList(target) && !keyed) {
      if (typeof own !== "function") throw new TypeError(`${method} is not a function`);
      if (users)
        return this.call(
          Reflect.apply(own as Callback, target, args),
          isRewritten(own as Callback),
        );
      throw new StampedeError(
        "script",
        `expected an array, Map or Set before .${method}() whose callback blocks; got something that cannot wait for it`,
        {
          hint: "use a for loop, or k6 itself",
        },
      );
    }
    if (typeof callback !== "function")
      throw new TypeError(`${String(callback)} is not a function`);
    const run = callback as Callback;
    const call = this.#caller(run);
    if (!isList(target)) {
      if (keyed)
        for (const [key, value] of target.entries()) await call(run, rest[0], value, key, target);
      return { p: undefined };
    }
    if (method === "reduce") return { p: await reduced(call, target, upwards(target), run, rest) };
    if (method === "reduceRight")
      return { p: await reduced(call, target, downwards(target), run, rest) };
    const form = SEQUENCES[method];
    if (form === undefined)
      throw new StampedeError(
        "internal",
        `expected a method with a sequential form; got ${method}`,
      );
    return {
      p: await form(target, async (item, index) => call(run, rest[0], item, index, target)),
    };
  }
}
