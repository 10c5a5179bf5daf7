/** Decides which functions block, which calls are awaited and how, and which blocking calls no `await` can stand before. */
import type { CallSite, FunctionInfo } from "./program-facts.ts";
import type { ProgramFlow } from "./program-flow.ts";
import type { Slot, Value } from "./value-flow.ts";

/**
 * How a blocking call is written:
 * - await: `(await f())`
 * - uncarry: the callee may hand on a promise that the script itself awaits
 * - entered: the callee is the user's own async function: wait until its first `await`, keep its promise
 * - mixed: one of the above, decided when it runs
 * - sequence, from, executor: `list.map(cb)`, `Array.from(list, cb)`, `new Promise(cb)` with a callback that blocks
 */
export type AwaitForm =
  | "await"
  | "uncarry"
  | "entered"
  | "mixed"
  | "sequence"
  | "from"
  | "executor";

export interface Problem {
  readonly offset: number;
  readonly text: string;
}

export interface BlockingFacts {
  /** Functions that reach a blocking call. */
  readonly blocks: ReadonlySet<FunctionInfo>;
  /** Those of them that may return a promise of the user's. */
  readonly carries: ReadonlySet<FunctionInfo>;
  /** Async functions of the user's block somewhere: then all of them take turns, as on k6's one thread. */
  readonly turns: boolean;
  readonly awaited: ReadonlyMap<CallSite, AwaitForm>;
  readonly problems: readonly Problem[];
}

const mayGivePromise = (fn: FunctionInfo): boolean =>
  !fn.isAsync && !fn.isGenerator && fn.returned.list.some(({ kind }) => kind === "promise");

class Blocking {
  readonly blocks = new Set<FunctionInfo>();

  constructor(flow: ProgramFlow) {
    // A builtin waits for its callback; a promise of the user's that a callback gives must pass it by.
    for (const slot of flow.waitedCallbacks)
      for (const { fn } of slot.list) if (fn !== null && mayGivePromise(fn)) this.blocks.add(fn);
    for (let before = -1; before !== this.blocks.size;) {
      before = this.blocks.size;
      for (const site of flow.sites)
        if (!this.blocks.has(site.owner) && this.site(site)) this.blocks.add(site.owner);
    }
  }

  value(value: Value): boolean {
    if (value.kind === "builtin") return true;
    if (value.kind === "bound") return value.bound !== null && this.value(value.bound.target);
    // Calling a generator runs nothing of it yet.
    return value.fn !== null && !value.fn.isGenerator && this.blocks.has(value.fn);
  }

  any(slot: Slot | null | undefined): boolean {
    return slot?.list.some((value) => this.value(value)) === true;
  }

  /** Whether it is an array method (and not only a method of that name on the user's own objects). */
  sequenced(site: CallSite): boolean {
    const { sequence } = site;
    if (sequence === null || !this.any(sequence.callback)) return false;
    const receivers = sequence.receiver?.list ?? [];
    return site.targets.size === 0 || receivers.some((value) => value.kind === "collection");
  }

  site(site: CallSite): boolean {
    return (
      [...site.targets].some((value) => this.value(value)) ||
      this.sequenced(site) ||
      this.any(site.executor)
    );
  }

  form(site: CallSite, carries: ReadonlySet<FunctionInfo>): AwaitForm {
    if (this.sequenced(site)) return site.sequence?.method === "Array.from" ? "from" : "sequence";
    if (this.any(site.executor)) return "executor";
    const targets = [...site.targets].map((value) =>
      value.kind === "bound" ? (value.bound?.target ?? value) : value,
    );
    const rewritten = targets.some(
      ({ fn, kind }) => kind === "builtin" || (fn !== null && !fn.isAsync && this.blocks.has(fn)),
    );
    const promising = targets.some(
      ({ fn }) =>
        fn !== null && (fn.isAsync ? !fn.isGenerator : !this.blocks.has(fn) && mayGivePromise(fn)),
    );
    if (promising) return rewritten ? "mixed" : "entered";
    const carried = targets.some(
      ({ fn, builtin }) =>
        (fn !== null && carries.has(fn)) || (builtin?.callback !== undefined && carries.size > 0),
    );
    return carried ? "uncarry" : "await";
  }
}

const WHERE: Readonly<Partial<Record<FunctionInfo["kind"], string>>> = {
  module: "the init code (outside of every function)",
  getter: "a getter",
  setter: "a setter",
  constructor: "a constructor",
  initializer: "a field initialiser, static block or CommonJS module",
};

/** The place of a call that a reader would point at: the method's name in a chain over several lines. */
function offsetOf(site: CallSite): number {
  const { node } = site;
  const callee = node.type === "TaggedTemplateExpression" ? node.tag : node.callee;
  return callee.type === "MemberExpression" ? callee.property.start : node.start;
}

function impossible(site: CallSite, blocking: Blocking): string | null {
  if (site.inParams) return "a parameter's default value";
  const { owner, node } = site;
  if (owner.isGenerator && !owner.isAsync) return "a generator";
  if (
    node.type === "NewExpression" &&
    !blocking.any(site.executor) &&
    [...site.targets].some(({ fn }) => fn?.kind === "function" && blocking.blocks.has(fn))
  ) {
    return "a function called with `new`";
  }
  return WHERE[owner.kind] ?? null;
}

function problemsOf(flow: ProgramFlow, blocking: Blocking): Problem[] {
  const problems: Problem[] = [];
  for (const site of flow.sites) {
    const offset = offsetOf(site);
    const where = blocking.site(site) ? impossible(site, blocking) : null;
    if (where !== null)
      problems.push({
        offset,
        text: `expected no call that blocks (http, sleep, group …) in ${where}; this one does`,
      });
    for (const { callback, what } of site.synchronous) {
      // What comes from a library may be an array; only then does the sequence find out.
      if (site.sequence?.callback !== callback && blocking.any(callback))
        problems.push({
          offset,
          text: `expected ${what} that does not block; this one reaches http, sleep, group …`,
        });
    }
  }
  return problems;
}

/** Everything the rewrite needs to know, from the solved flow. */
export function blockingFacts(flow: ProgramFlow): BlockingFacts {
  const blocking = new Blocking(flow);
  const carries = new Set([...blocking.blocks].filter(mayGivePromise));
  const awaited = new Map<CallSite, AwaitForm>();
  for (const site of flow.sites)
    if (blocking.site(site)) awaited.set(site, blocking.form(site, carries));
  return {
    blocks: blocking.blocks,
    carries,
    turns: [...blocking.blocks].some((fn) => fn.isAsync && !fn.isGenerator),
    awaited,
    problems: problemsOf(flow, blocking),
  };
}
