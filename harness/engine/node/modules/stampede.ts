/** The package's own module as a scenario imports it: op, uniform, permute (harness/scenario/public.ts says their shapes). */
import { permute, uniform } from "../../../determinism/seed.ts";
import type { OpAnswer, OpSpec } from "../../../scenario/op.ts";
import { never, type Vu } from "../vu/vu.ts";

function checkSpec(spec: unknown): asserts spec is OpSpec {
  const fields =
    typeof spec === "object" && spec !== null ? (spec as Readonly<Record<string, unknown>>) : {};
  for (const name of ["kind", "intent"]) {
    const value = fields[name];
    if (typeof value !== "string" || value === "")
      throw new TypeError(
        `op() expects a spec whose ${name} is a text that is not empty; got ${JSON.stringify(value)}`,
      );
  }
  const attempt = fields["attempt"];
  if (
    attempt !== undefined &&
    !(typeof attempt === "number" && Number.isInteger(attempt) && attempt >= 1)
  )
    throw new TypeError(`op() expects attempt to be 1, 2 …; got ${JSON.stringify(attempt)}`);
}

const isAnswer = (value: unknown): value is OpAnswer =>
  typeof value === "object" && value !== null && "status" in value && "error_code" in value;

async function op(vu: Vu, spec: unknown, send: unknown): Promise<unknown> {
  if (vu.halted) return never();
  if (vu.stage === "init") throw new TypeError("op() in the init code is not supported");
  checkSpec(spec);
  if (typeof send !== "function")
    throw new TypeError(
      "op() expects a function that makes one http call and returns its response",
    );
  const open = vu.ops.open(spec);
  let answer: unknown;
  try {
    answer = await Reflect.apply(send, undefined, []);
    if (!isAnswer(answer))
      throw new TypeError("the function given to op() must return the response of its http call");
  } catch (error) {
    vu.ops.failed(open, error);
    throw error;
  }
  const classified = vu.ops.close(open, answer);
  if (classified === null) return never();
  return Object.assign(answer, { outcome: classified.outcome, final: classified.final });
}

export function stampedeModule(vu: Vu): Readonly<Record<string, unknown>> {
  const { seed } = vu.run;
  return {
    op: (spec: unknown, send: unknown): Promise<unknown> => op(vu, spec, send),
    uniform: (...path: readonly (string | number)[]): number => uniform(seed, ...path),
    permute(size: unknown, index: unknown): number {
      if (
        !Number.isInteger(size) ||
        !Number.isInteger(index) ||
        Number(size) < 1 ||
        Number(index) < 0 ||
        Number(index) >= Number(size)
      ) {
        throw new RangeError(
          `permute() expects a size ≥ 1 and an index in 0 … size−1; got ${String(size)}, ${String(index)}`,
        );
      }
      return permute(seed, Number(size), Number(index));
    },
  };
}
