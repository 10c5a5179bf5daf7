/** What the rest of the embedded engine sees of a user's script: compiled once, instantiated once per VU. */

/** A builtin module as the engine provides it: named exports as properties, the default export under `default`. */
export type BuiltinModule = object;

/** What one instance of the script runs against. */
export interface ScriptScope {
  /**
   * Module name → its exports. `import x from "m"` reads `m.default` when there is one, else the module itself;
   * `import { a } from "m"` reads `m.a`; `import * as m` is the module. Read once, at instantiation.
   */
  readonly modules: Readonly<Record<string, BuiltinModule>>;
  /**
   * `__ENV __VU __ITER open console …`. Read live, at every use in the script: change `globals.__ITER` (or make it a
   * getter) and the instance sees it. Names not here and not part of the language (process, require, fetch,
   * setTimeout …) are undefined in the script.
   */
  readonly globals: Readonly<Record<string, unknown>>;
}

export interface CompileOptions {
  /** The script, absolute. */
  readonly path: string;
  /** Names of the modules the engine provides: k6, k6/http, …, the package's own scoped name. */
  readonly builtins: readonly string[];
}

/** A rewritten script: one compiled function, called once per VU. */
export interface CompiledScript {
  /**
   * Runs the init code: a fresh instance of every user module, sharing the compiled code. Returns the exports.
   * Functions that reach a blocking call return promises: always await what an export returns.
   * `isUserAsync` (rewrite-marks.ts) tells the user's own async functions from those. What the init code
   * throws comes out as it is; give it to `mapStack`.
   */
  instantiate(scope: ScriptScope): Record<string, unknown>;
  /** "Error: message\n\tat f (file:line:column)…": the stack of anything thrown, in the user's own files, engine frames left out. */
  mapStack(error: unknown): string;
  /** The user's files in the bundle, absolute. */
  readonly sourceFiles: readonly string[];
  /** file:line (file relative to the working directory) of an export, or null when there is no such export. */
  locate(exportName: string): string | null;
}
