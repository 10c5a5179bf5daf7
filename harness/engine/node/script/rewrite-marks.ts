/**
 * Tells functions the user wrote `async` from those the rewrite made async. The mark is a comment inside the function's
 * own source text, so it costs nothing when a function is created (5,000 VUs create all of them) and survives closures,
 * methods and classes alike; a WeakSet would need a call at every creation.
 */

/** Put directly after the `async` that the rewrite inserts. */
export const REWRITTEN_MARK = "/*blocking*/";
/** Put first inside the parameter list of an async function of the user's whose body was wrapped. */
export const USER_ASYNC_MARK = "/*async*/";

const asyncPrototype = Object.getPrototypeOf(async () => undefined) as object;
const asyncGeneratorPrototype = Object.getPrototypeOf(async function* noop() {}) as object;

/** Whether the user wrote this function as `async`: what `group` and `check` refuse. */
export function isUserAsync(value: unknown): boolean {
  if (typeof value !== "function") return false;
  const text = Function.prototype.toString.call(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === asyncPrototype || prototype === asyncGeneratorPrototype)
    return !text.startsWith(`async${REWRITTEN_MARK}`);
  return text.startsWith(USER_ASYNC_MARK, text.indexOf("(") + 1);
}
