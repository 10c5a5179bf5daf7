/** Everything one VU's instance of the script can reach: k6's modules, the package's own, and k6's globals. */
import type { BuiltinModule, ScriptScope } from "../script/compiled-script.ts";
import { textOf } from "../script-text.ts";
import type { Vu } from "../vu/vu.ts";
import { executionModule } from "./k6-execution.ts";
import { httpModule } from "./k6-http.ts";
import { metricsModule } from "./k6-metrics.ts";
import { k6Module } from "./k6.ts";
import { stampedeModule } from "./stampede.ts";

/** The name scenarios import the package under. */
const PACKAGE_NAME = "@stampede-sre/stampede";

const MODULES: Readonly<
  Record<string, (vu: Vu, isUserAsync: (value: unknown) => boolean) => BuiltinModule>
> = {
  k6: k6Module,
  "k6/http": httpModule,
  "k6/metrics": metricsModule,
  "k6/execution": executionModule,
  "k6/data": dataModule,
  // Types only; scripts import it for their options.
  "k6/options": () => ({}),
  [PACKAGE_NAME]: stampedeModule,
};

/** Names of the modules a script may import. */
export const BUILTIN_MODULES: readonly string[] = Object.keys(MODULES);

function dataModule(vu: Vu): BuiltinModule {
  // A function that returns an array, because k6's `new SharedArray(…)` is one to its user.
  function SharedArray(name: unknown, make: unknown): readonly unknown[] {
    if (vu.stage !== "init") throw new TypeError("new SharedArray must be called in the init code");
    if (typeof name !== "string" || name === "" || typeof make !== "function")
      throw new TypeError("new SharedArray expects a name and a function that returns an array");
    return vu.run.files.sharedArray(name, () => Reflect.apply(make, undefined, []));
  }
  const data = { SharedArray };
  return { ...data, default: data };
}

/** One argument of console.log, as k6 shows it: text as it is, objects as JSON. */
const shown = (value: unknown): string =>
  value instanceof Error ? (value.stack ?? value.message) : textOf(value);

function scriptConsole(vu: Vu): object {
  const to =
    (prefix: string) =>
    (...values: readonly unknown[]): void =>
      vu.run.log.line(prefix + values.map(shown).join(" "));
  return { log: to(""), info: to(""), debug: to(""), warn: to("warning: "), error: to("error: ") };
}

function open(vu: Vu, path: unknown, mode: unknown): string | ArrayBuffer {
  if (vu.stage !== "init") throw new TypeError("open() can only be called in the init code");
  if (typeof path !== "string" || path === "")
    throw new TypeError(`open() expects a path; got ${textOf(path)}`);
  return vu.run.files.open(path, typeof mode === "string" ? mode : "");
}

/** The language's Math with chance that follows from the seed. */
function seededMath(vu: Vu): typeof Math {
  return Object.create(Math, {
    random: { value: () => vu.random(), writable: true, configurable: true },
  }) as typeof Math;
}

/** @param env `__ENV` of this VU: the run's, and over it the scenario's */
export function scriptScope(
  vu: Vu,
  env: Readonly<Record<string, string>>,
  isUserAsync: (value: unknown) => boolean,
): ScriptScope {
  const modules: Record<string, BuiltinModule> = {};
  for (const [name, make] of Object.entries(MODULES)) modules[name] = make(vu, isUserAsync);
  const globals = {
    __ENV: { ...env },
    __VU: vu.id,
    get __ITER() {
      return Math.max(0, vu.iterationsBegun - 1);
    },
    open: (path: unknown, mode?: unknown) => open(vu, path, mode),
    console: scriptConsole(vu),
    Math: seededMath(vu),
  };
  return { modules, globals };
}
