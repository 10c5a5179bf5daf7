/** The module k6 of one VU: check, group, sleep, fail, randomSeed. */
import { monotonicNs } from "../../../determinism/clock.ts";
import { NO_TAGS, RecordTags, type TagSource } from "../metrics/metric.ts";
import type { CheckNode } from "../run/group-tree.ts";
import { textOf, textsOf } from "../script-text.ts";
import { never, type Vu } from "../vu/vu.ts";

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value;

class CheckTags implements TagSource {
  readonly #name: string;
  readonly #base: TagSource;

  constructor(name: string, base: TagSource) {
    this.#name = name;
    this.#base = base;
  }

  tag(name: string): string | undefined {
    return name === "check" ? this.#name : this.#base.tag(name);
  }
}

function recordCheck(vu: Vu, node: CheckNode, passed: boolean, tags: TagSource): void {
  if (passed) node.passes += 1;
  else node.fails += 1;
  const { checks } = vu.run.registry;
  checks.add(
    passed ? 1 : 0,
    checks.subMetrics.length === 0 ? NO_TAGS : new CheckTags(node.name, tags),
  );
}

/** k6's check(): every named condition is counted; false when one does not hold. A predicate's exception counts as a failure and is thrown on. */
function check(vu: Vu, value: unknown, sets: unknown, tags: unknown): boolean {
  if (vu.stage === "init") throw new TypeError("check() in the init code is not supported");
  if (typeof sets !== "object" || sets === null)
    throw new TypeError("check() expects an object of name: condition");
  const own = tags === undefined || tags === null ? null : textsOf(tags);
  const source = own === null ? vu : new RecordTags(own, vu);
  let all = true;
  for (const [name, condition] of Object.entries(sets)) {
    const node = vu.group.check(name);
    let result: unknown = condition;
    if (typeof condition === "function") {
      try {
        result = Reflect.apply(condition, undefined, [value]);
      } catch (error) {
        recordCheck(vu, node, false, source);
        throw error;
      }
    }
    if (isThenable(result))
      throw new TypeError(
        `check ${JSON.stringify(name)}: a condition must not be async or block; await the value first`,
      );
    const passed = Boolean(result);
    recordCheck(vu, node, passed, source);
    all &&= passed;
  }
  return all;
}

/** k6's group(): its duration is a sample, its name a tag, its value the callback's. */
async function group(vu: Vu, name: unknown, callback: unknown): Promise<unknown> {
  if (vu.halted) return never();
  if (vu.stage === "init") throw new TypeError("group() in the init code is not supported");
  if (typeof callback !== "function") throw new TypeError("group() expects a name and a function");
  const text = textOf(name);
  if (text.includes("::"))
    throw new TypeError(`group name ${JSON.stringify(text)} must not hold "::"`);
  const outer = vu.group;
  vu.group = outer.group(text);
  const inner = vu.group;
  const beganNs = monotonicNs();
  try {
    return await Reflect.apply(callback, undefined, []);
  } finally {
    vu.run.registry.groupDuration.add(
      (monotonicNs() - beganNs) / 1e6,
      new RecordTags({ group: inner.path }, vu),
    );
    vu.group = outer;
  }
}

/** Functions that block return promises; the rewritten script awaits them. */
export function k6Module(
  vu: Vu,
  isUserAsync: (value: unknown) => boolean,
): Readonly<Record<string, unknown>> {
  const k6 = {
    check: (value: unknown, sets: unknown, tags?: unknown): boolean => check(vu, value, sets, tags),
    group(name: unknown, callback: unknown): Promise<unknown> {
      if (isUserAsync(callback))
        return Promise.reject(
          new TypeError(
            "group() takes no async function, as in k6; write the callback as a plain function",
          ),
        );
      return group(vu, name, callback);
    },
    sleep(seconds: unknown): Promise<void> {
      if (vu.stage === "init")
        return Promise.reject(new TypeError("sleep() in the init code is not supported"));
      return vu.sleep(Number(seconds) || 0);
    },
    fail(message?: unknown): never {
      throw new Error(message === undefined ? "fail() was called" : textOf(message));
    },
    randomSeed: (seed: unknown): void => vu.seedRandom(Number(seed) || 0),
  };
  return { ...k6, default: k6 };
}
