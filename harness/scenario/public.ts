/**
 * The package's public entry: everything a scenario imports beside k6's own modules, written in k6's blocking style.
 * An engine puts its own implementation in the place of this module; outside an engine there is nothing to record to.
 */
import { StampedeError } from "../errors.ts";
import type { OpAnswer, OpSpec } from "./op.ts";

export type { Event } from "./event.ts";
export type { OpSpec } from "./op.ts";

const outside = (name: string): never => {
  throw new StampedeError("script", `${name}() works inside a running scenario only`, {
    hint: "start the script with: stampede run SCENARIO",
  });
};

/**
 * Sends one attempt of a customer's wish and records it: `send` makes exactly one k6 http call and returns its
 * response, which op returns too. Adds nothing to the request; put the intent into your own idempotency header.
 */
export function op<R extends Pick<OpAnswer, "status">>(
  _spec: OpSpec,
  _send: () => R,
): R & { readonly outcome: "ok" | "fail" | "info"; readonly final: boolean } {
  return outside("op");
}

/** A number in [0, 1) that depends on the run's seed and the path alone: the same on every engine and machine. */
export function uniform(..._path: readonly (string | number)[]): number {
  return outside("uniform");
}

/** The `index`-th element (0-based) of a seeded permutation of 0 … size−1. */
export function permute(_size: number, _index: number): number {
  return outside("permute");
}
