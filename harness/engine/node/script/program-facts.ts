/** The nouns of the rewrite: the parsed bundle, its functions and its calls. */
import {
  parse,
  type AnyNode,
  type CallExpression,
  type Identifier,
  type NewExpression,
  type Program,
  type TaggedTemplateExpression,
} from "acorn";
import { analyze, type Variable } from "eslint-scope";
import type * as ESTree from "estree";
import type { Slot, Value } from "./value-flow.ts";

/** Where code runs, and whether an `await` may stand there. */
export type FunctionKind =
  | "module"
  | "function"
  | "getter"
  | "setter"
  | "constructor"
  | "initializer";

export interface FunctionInfo {
  readonly kind: FunctionKind;
  readonly node: AnyNode;
  readonly name: string;
  readonly isAsync: boolean;
  readonly isGenerator: boolean;
  /** Where `return` values go. */
  readonly returned: Slot;
  /** What a caller gets: `returned`, a promise of it, or what it yields. */
  readonly result: Slot;
  readonly receiver: Slot;
  readonly params: Slot[];
  /** Elements of `arguments` and of a rest parameter. */
  readonly rest: { slot: Slot; from: number };
  /** The object `super` looks behind. */
  home: Value | null;
  /** A class's parent and field initialisers. */
  parent: Slot | null;
  fields: FunctionInfo[];
}

export interface CallSite {
  readonly node: CallExpression | NewExpression | TaggedTemplateExpression;
  readonly owner: FunctionInfo;
  /** In a default value of a parameter, where no `await` may stand. */
  readonly inParams: boolean;
  /** Functions and builtins that this call may run before it returns. */
  readonly targets: Set<Value>;
  /** `forEach`, `map` …: the receiver and the callback, which run one element after the other. */
  sequence: {
    readonly method: string;
    readonly receiver: Slot | null;
    readonly callback: Slot;
  } | null;
  /** `new Promise(executor)`. */
  executor: Slot | null;
  /** A callback run by something that cannot wait for it. */
  synchronous: { readonly callback: Slot; readonly what: string }[];
}

/** The parsed bundle. */
export interface ParsedBundle {
  readonly code: string;
  readonly ast: Program;
  readonly parents: ReadonlyMap<AnyNode, AnyNode>;
  /** The variable an identifier means, or undefined when it is free (or a property name). */
  readonly variables: ReadonlyMap<AnyNode, Variable>;
  /** Identifiers that no declaration of the bundle binds, where they are read (strict code throws by itself where one is assigned). */
  readonly free: ReadonlySet<Identifier>;
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === "object" &&
  value !== null &&
  "type" in value &&
  typeof value.type === "string" &&
  "start" in value;

/** The direct children of a node, in source order. */
export function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const value of Object.values(node) as unknown[]) {
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value))
      for (const item of value as unknown[]) if (isNode(item)) children.push(item);
  }
  return children;
}

/** Parses the bundle and resolves its names. */
export function parseBundle(code: string): ParsedBundle {
  const ast = parse(code, { ecmaVersion: "latest", sourceType: "module", ranges: true });
  const parents = new Map<AnyNode, AnyNode>();
  const pending: AnyNode[] = [ast];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const child of childrenOf(node)) {
      parents.set(child, node);
      pending.push(child);
    }
  }
  const scopes = analyze(ast as unknown as ESTree.Program, {
    ecmaVersion: 2024,
    sourceType: "module",
  });
  const variables = new Map<AnyNode, Variable>();
  // A class's name is two variables, one outside and one inside the class, declared by one identifier: one is enough.
  const same = new Map<Variable, Variable>();
  for (const variable of scopes.scopes.flatMap((scope) => scope.variables)) {
    for (const identifier of variable.identifiers as unknown as AnyNode[]) {
      const known = variables.get(identifier);
      if (known === undefined) variables.set(identifier, variable);
      else same.set(variable, known);
    }
  }
  for (const reference of scopes.scopes.flatMap((scope) => scope.references)) {
    if (reference.resolved !== null)
      variables.set(
        reference.identifier as unknown as AnyNode,
        same.get(reference.resolved) ?? reference.resolved,
      );
  }
  const free = new Set<Identifier>();
  for (const reference of scopes.globalScope?.through ?? [])
    if (!reference.isWrite()) free.add(reference.identifier as unknown as Identifier);
  return { code, ast, parents, variables, free };
}

/** The property name of a member access or a key, null when it is computed. */
export function propertyName(node: {
  readonly computed?: boolean;
  readonly key?: AnyNode;
  readonly property?: AnyNode;
}): string | null {
  const name = node.key ?? node.property;
  if (name === undefined) return null;
  if (name.type === "PrivateIdentifier") return `#${name.name}`;
  if (node.computed !== true && name.type === "Identifier") return name.name;
  return name.type === "Literal" && typeof name.value === "string" ? name.value : null;
}
