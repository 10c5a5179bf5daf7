/** Writes the decisions of blocking-facts.ts into the bundle's text: async, await, sequential loops, the engine's globals. */
import { runInNewContext } from "node:vm";
import type {
  AnyNode,
  CallExpression,
  Function as FunctionNode,
  Identifier,
  NewExpression,
} from "acorn";
import { MagicString } from "magic-string";
import type { AwaitForm, BlockingFacts } from "./blocking-facts.ts";
import type { CallSite, FunctionInfo, ParsedBundle } from "./program-facts.ts";
import type { ProgramFlow } from "./program-flow.ts";
import { REWRITTEN_MARK, USER_ASYNC_MARK } from "./rewrite-marks.ts";

/** Names the rewrite puts into the script; chosen so that the script has none of them. */
export interface InjectedNames {
  readonly imports: string;
  readonly globals: string;
  readonly runtime: string;
  readonly leave: string;
  readonly lookUp: string;
}

/** One name a script imports of a builtin module. */
export interface ImportedName {
  readonly module: string;
  /** "default", "*" or the export's name. */
  readonly name: string;
  readonly local: string;
  readonly offset: number;
}

export interface Rewritten {
  /** The edited bundle, imports and exports taken out. */
  readonly text: MagicString;
  readonly names: InjectedNames;
  readonly imports: readonly ImportedName[];
  /** Export name → the variable that holds it. */
  readonly exports: ReadonlyMap<string, Identifier>;
  readonly usesMath: boolean;
}

/** ECMAScript's own globals: what a script sees without asking the engine. */
export const LANGUAGE_GLOBALS: ReadonlySet<string> = new Set(
  (runInNewContext("Object.getOwnPropertyNames(globalThis)") as string[]).filter(
    (name) => !["console", "globalThis", "WebAssembly"].includes(name),
  ),
);
/** k6's globals that are always there; every other name is looked up, and missing ones are a ReferenceError. */
const ALWAYS: ReadonlySet<string> = new Set(["__ENV", "__VU", "__ITER", "console", "open"]);

function chooseNames(code: string): InjectedNames {
  let tag = "$k6";
  while (code.includes(tag)) tag += "_";
  return {
    imports: `${tag}i`,
    globals: `${tag}g`,
    runtime: `${tag}r`,
    leave: `${tag}l`,
    lookUp: `${tag}n`,
  };
}

/** An edit wrapped around a node; outer nodes come first, so that the text nests. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly apply: () => void;
}

class Rewriter {
  readonly text: MagicString;
  readonly names: InjectedNames;
  readonly #program: ParsedBundle;
  readonly #facts: BlockingFacts;
  readonly #edits: Edit[] = [];

  constructor(program: ParsedBundle, facts: BlockingFacts) {
    this.#program = program;
    this.#facts = facts;
    this.text = new MagicString(program.code);
    this.names = chooseNames(program.code);
  }

  get #code(): string {
    return this.#program.code;
  }

  #wrap(start: number, end: number, before: string, after: string): void {
    this.#edits.push({
      start,
      end,
      apply: () => {
        this.text.appendLeft(start, before);
        // Inner edits are applied later and must close first.
        if (after !== "") this.text.prependLeft(end, after);
      },
    });
  }

  #replace(start: number, end: number, content: string): void {
    this.#edits.push({
      start,
      end,
      apply: () => this.text.overwrite(start, end, content, { contentOnly: true }),
    });
  }

  /** Outer before inner: by start, then the longer one. */
  finish(): void {
    this.#edits.sort((left, right) => left.start - right.start || right.end - left.end);
    for (const edit of this.#edits) edit.apply();
  }

  /** Whether the part of an optional chain up to `node` may have been cut short. */
  #maybeCut(node: AnyNode): boolean {
    if (node.type === "CallExpression") return node.optional || this.#maybeCut(node.callee);
    if (node.type === "MemberExpression") return node.optional || this.#maybeCut(node.object);
    return false;
  }

  /** `?.` for the link after an awaited call inside an optional chain, which must be cut short with it. */
  #link(node: AnyNode): string {
    const parent = this.#program.parents.get(node);
    if (parent === undefined || !this.#maybeCut(node)) return "";
    if (parent.type === "MemberExpression" && parent.object === node && !parent.optional)
      return parent.computed ? "?." : "?";
    return parent.type === "CallExpression" && parent.callee === node && !parent.optional
      ? "?."
      : "";
  }

  awaitCall(site: CallSite, form: AwaitForm): void {
    const { node } = site;
    const { runtime } = this.names;
    const link = this.#link(node);
    const wrap = (before: string, after: string): void =>
      this.#wrap(node.start, node.end, before, after + link);
    switch (form) {
      case "await":
        return wrap("(await ", ")");
      case "uncarry":
        return wrap(`${runtime}.uncarry(await `, ")");
      case "entered":
        return wrap(`(await ${runtime}.enter(`, ")).p");
      case "mixed":
        return wrap(`(await ${runtime}.call(`, ")).p");
      case "sequence":
        return this.#sequence(node as CallExpression, site, wrap);
      case "from":
        wrap("(await ", ")");
        return this.#replace(
          (node as CallExpression).callee.start,
          (node as CallExpression).callee.end,
          `${runtime}.arrayFrom`,
        );
      case "executor":
        wrap("(await ", ").p");
        return this.#replace(
          node.start,
          this.#open((node as NewExpression).callee.end),
          `${runtime}.promise`,
        );
    }
  }

  #open(from: number): number {
    return this.#code.indexOf("(", from);
  }

  #sequence(
    node: CallExpression,
    site: CallSite,
    wrap: (before: string, after: string) => void,
  ): void {
    if (node.callee.type !== "MemberExpression") return;
    const { object } = node.callee;
    const users = [...site.targets].some(({ kind }) => kind === "function" || kind === "bound");
    wrap(
      `(await ${this.names.runtime}.sequence(${JSON.stringify(site.sequence?.method)}, ${this.#maybeCut(node.callee)}, ${users}, `,
      ").p",
    );
    let dot = object.end;
    while (/[\s)]/.test(this.#code.charAt(dot))) dot++;
    this.#replace(dot, this.#open(node.callee.end) + 1, ", ");
  }

  /** Where `async` stands or would stand: before a method's name, else at the function itself. */
  #head(node: AnyNode): number {
    const parent = this.#program.parents.get(node);
    if (parent?.type === "Property" && parent.method && parent.value === node) return parent.start;
    if (parent?.type !== "MethodDefinition") return node.start;
    return parent.static
      ? this.#code.indexOf("static", parent.start) + "static ".length
      : parent.start;
  }

  /** `f() { … }` → `async f() { … }`, its promises of the user's carried where they would be flattened. */
  makeAsync(fn: FunctionInfo): void {
    const node = fn.node as FunctionNode;
    const head = this.#head(fn.node);
    this.#wrap(head, node.end, `async${REWRITTEN_MARK} `, "");
    if (!this.#facts.carries.has(fn)) return;
    if (node.body.type !== "BlockStatement")
      this.#wrap(this.#arrow(node), node.end, ` ${this.names.runtime}.carry((`, "))");
  }

  #arrow(node: FunctionNode): number {
    return this.#code.lastIndexOf("=>", node.body.start) + 2;
  }

  /**
   * The user's own async function: k6 runs it up to its first `await` before the caller goes on. Its body moves into
   * an inner async arrow that tells when that point is reached.
   */
  enterAsync(fn: FunctionInfo): void {
    const node = fn.node as FunctionNode;
    const { runtime, leave } = this.names;
    const word = this.#code.indexOf("async", this.#head(fn.node));
    this.#replace(word, word + "async".length, " ");
    const open = this.#open(node.type === "ArrowFunctionExpression" ? word : node.start);
    const begin = `${runtime}.async(async (${leave}) => `;
    const single = node.params[0];
    if (
      node.type === "ArrowFunctionExpression" &&
      single?.type === "Identifier" &&
      (open < 0 || open > single.start)
    ) {
      this.#wrap(single.start, single.end, `(${USER_ASYNC_MARK}`, ")");
    } else this.#wrap(open + 1, open + 1, USER_ASYNC_MARK, "");
    if (node.body.type === "BlockStatement") {
      this.#wrap(node.body.start + 1, node.body.end - 1, ` return ${begin}{`, "}); ");
    } else this.#wrap(this.#arrow(node), node.end, ` ${begin}`, ")");
  }

  /** `await x` and `return x` of functions whose body was changed. */
  inside(node: AnyNode, owner: FunctionInfo): void {
    const { runtime, leave } = this.names;
    if (node.type === "ReturnStatement" && node.argument && this.#facts.carries.has(owner)) {
      const end = this.#code.charAt(node.end - 1) === ";" ? node.end - 1 : node.end;
      this.#wrap(node.start + "return".length, end, ` ${runtime}.carry((`, "))");
    }
    if (!this.#facts.turns || !owner.isAsync || owner.isGenerator) return;
    if (node.type === "AwaitExpression")
      this.#wrap(node.start + "await".length, node.end, ` ${leave}.wait((`, "))");
    if (node.type === "ForOfStatement" && node.await)
      this.#wrap(node.right.start, node.right.end, `${leave}.each(`, ")");
  }

  /** A name the script does not declare: the language's stays, the engine's is read live, `require` and `process` are unknown. */
  freeName(node: Identifier): void {
    if (LANGUAGE_GLOBALS.has(node.name)) return;
    const parent = this.#program.parents.get(node);
    const called =
      (parent?.type === "CallExpression" && parent.callee === node) ||
      parent?.type === "TaggedTemplateExpression";
    const asked = parent?.type === "UnaryExpression" && parent.operator === "typeof";
    const member = `${this.names.globals}.${node.name}`;
    const known = asked || ALWAYS.has(node.name);
    const read = known
      ? called
        ? `(0, ${member})`
        : member
      : `(${this.names.lookUp}(${JSON.stringify(node.name)}))`;
    this.#replace(
      node.start,
      node.end,
      parent?.type === "Property" && parent.shorthand ? `${node.name}: ${read}` : read,
    );
  }

  /** `__require("k6/http")`, esbuild's form of a CommonJS require of a builtin module. */
  required(node: CallExpression): void {
    const argument = node.arguments[0];
    if (argument?.type === "Literal")
      this.#replace(
        node.start,
        node.end,
        `${this.names.imports}.module(${JSON.stringify(argument.value)})`,
      );
  }

  remove(node: AnyNode): void {
    this.#edits.push({
      start: node.start,
      end: node.end,
      apply: () => this.text.remove(node.start, node.end),
    });
  }
}

/** Applies everything that was decided. */
export function rewrite(flow: ProgramFlow, facts: BlockingFacts): Rewritten {
  const { program } = flow;
  const writer = new Rewriter(program, facts);
  const owners = new Map<AnyNode, FunctionInfo>(flow.functions.map((fn) => [fn.node, fn]));
  for (const fn of flow.functions) {
    if (fn.isAsync && !fn.isGenerator && facts.turns) writer.enterAsync(fn);
    else if (!fn.isAsync && facts.blocks.has(fn)) writer.makeAsync(fn);
  }
  for (const [site, form] of facts.awaited) writer.awaitCall(site, form);
  for (const node of program.parents.keys()) {
    if (
      node.type === "AwaitExpression" ||
      node.type === "ReturnStatement" ||
      node.type === "ForOfStatement"
    ) {
      let at: AnyNode | undefined = node;
      while (at !== undefined && !isFunction(at)) at = program.parents.get(at);
      const owner = at === undefined ? undefined : owners.get(at);
      if (owner !== undefined) writer.inside(node, owner);
    }
    if (
      node.type === "CallExpression" &&
      node.callee.type === "Identifier" &&
      node.callee.name === "__require"
    )
      writer.required(node);
  }
  for (const node of program.free) writer.freeName(node);
  const { imports, exports } = takeOutModuleSyntax(program, writer);
  writer.finish();
  return {
    text: writer.text,
    names: writer.names,
    imports,
    exports,
    usesMath: [...program.free].some(({ name }) => name === "Math"),
  };
}

const isFunction = (node: AnyNode): boolean =>
  node.type === "FunctionDeclaration" ||
  node.type === "FunctionExpression" ||
  node.type === "ArrowFunctionExpression";

function takeOutModuleSyntax(
  program: ParsedBundle,
  writer: Rewriter,
): Pick<Rewritten, "imports" | "exports"> {
  const imports: ImportedName[] = [];
  const exports = new Map<string, Identifier>();
  for (const statement of program.ast.body) {
    if (statement.type === "ImportDeclaration") {
      const module = String(statement.source.value);
      for (const specifier of statement.specifiers) {
        const name =
          specifier.type === "ImportSpecifier"
            ? nameOf(specifier.imported)
            : specifier.type === "ImportDefaultSpecifier"
              ? "default"
              : "*";
        imports.push({ module, name, local: specifier.local.name, offset: specifier.start });
      }
      writer.remove(statement);
    } else if (statement.type === "ExportNamedDeclaration") {
      for (const { exported, local } of statement.specifiers)
        if (local.type === "Identifier") exports.set(nameOf(exported), local);
      writer.remove(statement);
    }
  }
  return { imports, exports };
}

function nameOf(node: AnyNode): string {
  return node.type === "Identifier" ? node.name : node.type === "Literal" ? String(node.value) : "";
}
