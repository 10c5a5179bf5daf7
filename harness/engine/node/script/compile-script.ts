/** From a user's k6 script to code one thread can run for thousands of VUs: bundle, analyse, rewrite, compile once. */
import { Script } from "node:vm";
import type { AnyNode } from "acorn";
import { StampedeError, messageOf } from "../../../errors.ts";
import { fingerprint } from "../../../determinism/seed.ts";
import { blockingFacts } from "./blocking-facts.ts";
import { bundleScript, shownPath } from "./bundle.ts";
import type { CompiledScript, CompileOptions, ScriptScope } from "./compiled-script.ts";
import { parseBundle, type ParsedBundle } from "./program-facts.ts";
import { ProgramFlow } from "./program-flow.ts";
import { LANGUAGE_GLOBALS, rewrite, type ImportedName, type Rewritten } from "./rewrite.ts";
import { ScriptRuntime } from "./script-runtime.ts";
import { SourcePositions } from "./source-position.ts";

interface Imports {
  readonly values: readonly unknown[];
  readonly module: (name: string) => object;
}
type Run = (
  imports: Imports,
  globals: ScriptScope["globals"],
  runtime: ScriptRuntime,
  lookUp: (name: string) => unknown,
) => Record<string, unknown>;

/** One line before the user's first, so that maps only shift by it. */
function wrapped({ text, names, imports, exports, usesMath }: Rewritten): string {
  const { imports: values, globals, runtime, lookUp } = names;
  const locals = imports.map(({ local }, index) => `${local} = ${values}.values[${index}]`);
  const math = usesMath ? `const Math = ${globals}.Math ?? globalThis.Math; ` : "";
  const head = `(function (${values}, ${globals}, ${runtime}, ${lookUp}) { "use strict"; ${math}return (function () { ${locals.length > 0 ? `const ${locals.join(", ")};` : ""}\n`;
  const tail = [...exports]
    .map(([name, local]) => `${JSON.stringify(name)}: ${local.name}`)
    .join(", ");
  return `${head}${text.toString()}\nreturn { __proto__: null, ${tail} }; })(); })`;
}

function importValue(
  { module, name }: ImportedName,
  found: object,
): { readonly value: unknown; readonly missing: boolean } {
  if (name === "*") return { value: found, missing: false };
  const members = found as Record<string, unknown>;
  if (name === "default")
    return { value: "default" in found ? members["default"] : found, missing: false };
  return { value: members[name], missing: !(name in found) && module !== "" };
}

function moduleOf(scope: ScriptScope, name: string): object {
  const found = scope.modules[name];
  if (found === undefined)
    throw new StampedeError(
      "internal",
      `expected the engine to provide the module ${name}; it was compiled in but is not there`,
    );
  return found;
}

/** What the script sees as `globalThis`: its own object over the language's and the engine's names. */
function makeGlobal(globals: ScriptScope["globals"]): object {
  const own: object = Object.create(globals) as object;
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!LANGUAGE_GLOBALS.has(name) || name in globals) continue;
    Object.defineProperty(own, name, {
      ...Object.getOwnPropertyDescriptor(globalThis, name),
      configurable: true,
    });
  }
  return own;
}

/** A name's value in one instance: `globalThis` is made when it is first used. */
function lookUpIn(globals: ScriptScope["globals"]): (name: string) => unknown {
  let own: object | null = null;
  return (name) => {
    if (name === "globalThis") return (own ??= makeGlobal(globals));
    const holder = (own ?? globals) as Readonly<Record<string, unknown>>;
    if (!(name in holder)) throw new ReferenceError(`${name} is not defined`);
    return holder[name];
  };
}

/** Syntax that a bundle run as one function cannot have. */
function misplacedSyntax(program: ParsedBundle): { offset: number; text: string }[] {
  const isFunction = (node: AnyNode): boolean =>
    "params" in node || node.type === "StaticBlock" || node.type === "PropertyDefinition";
  const atTop = (node: AnyNode): boolean => {
    for (let at = program.parents.get(node); at !== undefined; at = program.parents.get(at))
      if (isFunction(at)) return false;
    return true;
  };
  const problems: { offset: number; text: string }[] = [];
  for (const node of program.parents.keys()) {
    const offset = node.start;
    if (node.type === "ImportExpression")
      problems.push({ offset, text: "expected imports at the top of the file; got import()" });
    if (node.type === "MetaProperty" && node.meta.name === "import")
      problems.push({ offset, text: "expected no import.meta; this engine does not have it" });
    const awaits =
      node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node.await);
    if (awaits && atTop(node))
      problems.push({ offset, text: "expected await inside a function; got one in the init code" });
  }
  return problems;
}

/** The frames of a stack that lie in the script, as the user's own. */
function userFrames(stack: string, name: string, positions: SourcePositions): string[] {
  const frames: string[] = [];
  for (const line of stack.split("\n")) {
    const found = /^\s+at (?:(.*?) \()?([^()]*):(\d+):(\d+)\)?$/.exec(line);
    if (found === null || found[2] !== name) continue;
    // The wrapper's head is one line of its own, and V8 counts from 1.
    const position = positions.ofEdited(Number(found[3]) - 2, Number(found[4]) - 1);
    if (position === null) continue;
    const place = `${position.file}:${position.line}:${position.column}`;
    frames.push(`\tat ${found[1] === undefined ? place : `${found[1]} (${place})`}`);
  }
  return frames;
}

function headline(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  return error.message === "" ? error.name : `${error.name}: ${error.message}`;
}

class Compiled implements CompiledScript {
  readonly sourceFiles: readonly string[];
  readonly #run: Run;
  readonly #rewritten: Rewritten;
  readonly #positions: SourcePositions;
  readonly #name: string;
  readonly #places: ReadonlyMap<string, string>;
  readonly #wraps: boolean;

  constructor(parts: {
    run: Run;
    rewritten: Rewritten;
    positions: SourcePositions;
    name: string;
    places: ReadonlyMap<string, string>;
    wraps: boolean;
    sourceFiles: readonly string[];
  }) {
    this.#run = parts.run;
    this.#rewritten = parts.rewritten;
    this.#positions = parts.positions;
    this.#name = parts.name;
    this.#places = parts.places;
    this.#wraps = parts.wraps;
    this.sourceFiles = parts.sourceFiles;
  }

  instantiate(scope: ScriptScope): Record<string, unknown> {
    const values = this.#rewritten.imports.map((imported) => this.#import(imported, scope));
    const runtime = new ScriptRuntime();
    const exports = this.#run(
      { values, module: (name) => moduleOf(scope, name) },
      scope.globals,
      runtime,
      lookUpIn(scope.globals),
    );
    if (!this.#wraps) return exports;
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value === "function")
        exports[name] = (...args: unknown[]) => runtime.export(value as Exported, args);
    }
    return exports;
  }

  #import(imported: ImportedName, scope: ScriptScope): unknown {
    const found = moduleOf(scope, imported.module);
    const { value, missing } = importValue(imported, found);
    if (!missing) return value;
    const available = Object.keys(found).filter((name) => name !== "default");
    throw new StampedeError(
      "configuration",
      `${this.#positions.place(imported.offset)}: expected an export of ${imported.module} (${available.join(", ")}); got "${imported.name}"`,
      {
        hint: "correct the name, or run it with k6 itself",
      },
    );
  }

  mapStack(error: unknown): string {
    const frames =
      error instanceof Error ? userFrames(error.stack ?? "", this.#name, this.#positions) : [];
    return [headline(error), ...frames].join("\n");
  }

  locate(exportName: string): string | null {
    return this.#places.get(exportName) ?? null;
  }
}

type Exported = (...args: unknown[]) => unknown;

/** Where each export is written; the export clause alone names the variable, its declaration has the place. */
function exportPlaces(
  flow: ProgramFlow,
  rewritten: Rewritten,
  positions: SourcePositions,
): Map<string, string> {
  const places = new Map<string, string>();
  for (const [name, local] of rewritten.exports) {
    const declared = flow.program.variables.get(local)?.defs[0]?.node as AnyNode | undefined;
    if (declared === undefined || declared.type.startsWith("Import")) continue;
    // esbuild names an anonymous default export itself; then only the value has a place.
    const made =
      declared.type === "VariableDeclarator" &&
      declared.init !== null &&
      declared.init !== undefined &&
      name === "default"
        ? declared.init
        : declared;
    places.set(name, positions.place(made.start));
  }
  return places;
}

/**
 * Compiles a script: local modules bundled, blocking calls awaited, builtin modules left to `instantiate`.
 * Throws StampedeError("configuration") that names every problem with file:line: syntax, unknown modules, and blocking
 * calls where no `await` can stand.
 */
export async function compileScript(options: CompileOptions): Promise<CompiledScript> {
  const bundle = await bundleScript(options.path, options.builtins);
  const flow = new ProgramFlow(parseBundle(bundle.code), bundle.libraries);
  const facts = blockingFacts(flow);
  const positions = new SourcePositions(bundle, null);
  const problems = [...facts.problems, ...misplacedSyntax(flow.program)].toSorted(
    (left, right) => left.offset - right.offset,
  );
  if (problems.length > 0) {
    const lines = new Set(
      problems.map(({ offset, text }) => `${positions.place(offset)}: ${text}`),
    );
    throw new StampedeError("configuration", [...lines].join("\n"), {
      hint: "move the call into a plain function, or run the script with k6 itself",
    });
  }
  const rewritten = rewrite(flow, facts);
  const name = `stampede-script-${fingerprint(bundle.code)}/${shownPath(options.path).replaceAll(/[():\s]/g, "_")}`;
  const run = new Script(wrapped(rewritten), { filename: name }).runInThisContext() as Run;
  const edited = new SourcePositions(bundle, rewritten.text);
  return new Compiled({
    run,
    rewritten,
    positions: edited,
    name,
    places: exportPlaces(flow, rewritten, edited),
    wraps: facts.carries.size > 0 || facts.turns,
    sourceFiles: bundle.sourceFiles,
  });
}
