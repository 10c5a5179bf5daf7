/**
 * Walks the bundle once and states, as constraints, where every function and object of it can go; solved, it knows
 * what each call may run. What comes from outside (JSON, responses, setup data) holds no functions and stays empty.
 */
import type { AnyNode, Expression, Function as FunctionNode, Pattern, SpreadElement } from "acorn";
import {
  BLOCKING_RESPONSE_METHODS,
  blockingBuiltinsOf,
  PROMISING_BUILTINS,
  SYNCHRONOUS_CALLBACKS,
  type BlockingBuiltin,
} from "./blocking-builtins.ts";
import { invoke, type Argument } from "./call-model.ts";
import type { CodeRange } from "./bundle.ts";
import { HANDLERS } from "./expression-flow.ts";
import {
  childrenOf,
  propertyName,
  type CallSite,
  type FunctionInfo,
  type FunctionKind,
  type ParsedBundle,
} from "./program-facts.ts";
import { Slot, Value, ValueFlow } from "./value-flow.ts";

/** Builds and holds the facts: every function, every call with what it may run. */
export class ProgramFlow {
  readonly flow: ValueFlow = new ValueFlow();
  readonly functions: FunctionInfo[] = [];
  readonly sites: CallSite[] = [];
  readonly program: ParsedBundle;
  /** Functions that blocking builtins (group, op) call and wait for. */
  readonly waitedCallbacks: Slot[] = [];
  readonly module: FunctionInfo;
  readonly response: Value;
  /** A place without values: what a literal evaluates to. Never written. */
  readonly nothing: Slot = new Slot();
  readonly #variables = new Map<unknown, Slot>();
  readonly #modules = new Map<string, Value>();
  #owner: FunctionInfo;
  #inParams = false;

  readonly #libraries: readonly CodeRange[];

  /** @param libraries stretches not looked into: they cannot block, and what they are handed must not */
  constructor(program: ParsedBundle, libraries: readonly CodeRange[] = []) {
    this.program = program;
    this.#libraries = libraries;
    this.module = this.#info("module", program.ast, "", false, false);
    this.#owner = this.module;
    this.response = new Value("object");
    for (const builtin of BLOCKING_RESPONSE_METHODS)
      this.flow.add(this.flow.prop(this.response, builtin.name), this.#builtin(builtin));
    for (const statement of program.ast.body)
      if (this.#libraryAt(statement.start) === undefined) this.evaluate(statement);
    this.flow.settle();
  }

  get owner(): FunctionInfo {
    return this.#owner;
  }

  /** Where a node's values are. */
  evaluate(node: AnyNode | null | undefined): Slot {
    if (node === null || node === undefined) return this.nothing;
    const handler = HANDLERS[node.type];
    if (handler !== undefined) return handler(this, node);
    for (const child of childrenOf(node)) this.evaluate(child);
    return this.nothing;
  }

  variable(node: AnyNode): Slot {
    const variable = this.program.variables.get(node);
    if (variable === undefined) return this.nothing;
    let slot = this.#variables.get(variable);
    if (slot === undefined) {
      this.#variables.set(variable, (slot = new Slot()));
      const declared =
        variable.scope.type === "module"
          ? (variable.identifiers[0] as AnyNode | undefined)
          : undefined;
      const library = declared === undefined ? undefined : this.#libraryAt(declared.start);
      if (library !== undefined) this.flow.add(slot, this.#libraryValue(library.file));
    }
    return slot;
  }

  #libraryAt(offset: number): CodeRange | undefined {
    return this.#libraries.find(({ start, end }) => offset >= start && offset < end);
  }

  /** Anything of a library: whatever is read from it or comes from calling it is the same again. */
  #libraryValue(file: string): Value {
    let value = this.#modules.get(file);
    if (value === undefined) {
      this.#modules.set(file, (value = new Value("callback")));
      this.flow.add(value.elements, value);
      value.gives = value.elements;
      value.synchronous = { argument: "all", what: `a function for ${file}` };
    }
    return value;
  }

  union(...slots: readonly Slot[]): Slot {
    const result = new Slot();
    for (const slot of slots) this.flow.connect(slot, result);
    return result;
  }

  /** Stores what `from` holds into a variable, a property or a destructuring pattern. */
  bind(pattern: AnyNode, from: Slot): void {
    if (pattern.type === "Identifier") {
      if (this.program.variables.has(pattern)) this.flow.connect(from, this.variable(pattern));
    } else if (pattern.type === "MemberExpression") {
      if (pattern.computed) this.evaluate(pattern.property);
      this.flow.write(this.evaluate(pattern.object), propertyName(pattern), from);
    } else if (pattern.type === "AssignmentPattern")
      this.bind(pattern.left, this.union(from, this.evaluate(pattern.right)));
    else if (pattern.type === "RestElement") this.bind(pattern.argument, from);
    else if (pattern.type === "ArrayPattern") {
      for (const element of pattern.elements) {
        if (element?.type === "RestElement")
          this.bind(element.argument, this.flow.of(this.flow.collection(this.flow.iterate(from))));
        else if (element !== null) this.bind(element, this.flow.iterate(from));
      }
    } else if (pattern.type === "ObjectPattern") {
      for (const property of pattern.properties) {
        if (property.type === "Property") {
          if (property.computed) this.evaluate(property.key);
          this.bind(property.value, this.flow.read(from, propertyName(property)));
        } else this.bind(property.argument, from);
      }
    } else this.evaluate(pattern);
  }

  moduleValue(name: string): Value {
    let value = this.#modules.get(name);
    if (value === undefined) {
      this.#modules.set(name, (value = new Value("object")));
      this.flow.add(this.flow.prop(value, "default"), value);
      for (const builtin of blockingBuiltinsOf(name))
        this.flow.add(this.flow.prop(value, builtin.name), this.#builtin(builtin));
      for (const { module, name: member, argument, what } of SYNCHRONOUS_CALLBACKS) {
        if (module !== name) continue;
        const callback = new Value("callback");
        callback.synchronous = { argument, what };
        this.flow.add(this.flow.prop(value, member), callback);
      }
      for (const { module, name: member } of PROMISING_BUILTINS) {
        if (module !== name) continue;
        const promising = new Value("callback");
        promising.gives = this.flow.of(this.flow.promise(this.nothing));
        this.flow.add(this.flow.prop(value, member), promising);
      }
    }
    return value;
  }

  #builtin(builtin: BlockingBuiltin): Value {
    const value = new Value("builtin");
    value.builtin = builtin;
    return value;
  }

  #info(
    kind: FunctionKind,
    node: AnyNode,
    name: string,
    isAsync: boolean,
    isGenerator: boolean,
  ): FunctionInfo {
    const returned = new Slot();
    const result = isAsync || isGenerator ? new Slot() : returned;
    if (isGenerator) this.flow.add(result, this.flow.collection(returned));
    else if (isAsync) this.flow.add(result, this.flow.promise(returned));
    const info: FunctionInfo = {
      kind,
      node,
      name,
      isAsync,
      isGenerator,
      returned,
      result,
      receiver: new Slot(),
      params: [],
      rest: { slot: new Slot(), from: 0 },
      home: null,
      parent: null,
      fields: [],
    };
    this.functions.push(info);
    return info;
  }

  #within<T>(owner: FunctionInfo, inParams: boolean, work: () => T): T {
    const [before, beforeParams] = [this.#owner, this.#inParams];
    this.#owner = owner;
    this.#inParams = inParams;
    try {
      return work();
    } finally {
      this.#owner = before;
      this.#inParams = beforeParams;
    }
  }

  /** A function's facts and constraints; an arrow sees its surroundings' `this`. */
  functionInfo(
    node: FunctionNode,
    kind: FunctionKind,
    name: string,
    home: Value | null = null,
    parent: Slot | null = null,
  ): FunctionInfo {
    const info = this.#info(kind, node as AnyNode, name, node.async, node.generator);
    const arrow = node.type === "ArrowFunctionExpression";
    if (arrow) this.flow.connect(this.#owner.receiver, info.receiver);
    info.home = arrow ? this.#owner.home : home;
    info.parent = arrow ? this.#owner.parent : parent;
    info.rest.from = node.params.length;
    this.#within(info, true, () =>
      node.params.forEach((param, index) => this.#param(info, param, index)),
    );
    this.#within(info, false, () => {
      if (node.body.type === "BlockStatement") this.evaluate(node.body);
      else this.flow.connect(this.evaluate(node.body), info.returned);
    });
    return info;
  }

  #param(info: FunctionInfo, param: Pattern, index: number): void {
    if (param.type === "RestElement") {
      info.rest.from = index;
      this.bind(param.argument, this.flow.of(this.flow.collection(info.rest.slot)));
      return;
    }
    const slot = new Slot();
    info.params.push(slot);
    this.bind(param, slot);
  }

  functionValue(info: FunctionInfo): Value {
    const value = new Value("function");
    value.fn = info;
    if (info.node.type !== "ArrowFunctionExpression")
      this.flow.add(this.flow.prop(value, "prototype"), new Value("object"));
    return value;
  }

  /** A field initialiser or static block: code that runs inside `new`, where no `await` may stand. */
  initializer(node: AnyNode, home: Value, work: () => void): FunctionInfo {
    const info = this.#info("initializer", node, "", false, false);
    info.home = home;
    this.#within(info, false, work);
    return info;
  }

  arguments(list: readonly (Expression | SpreadElement)[]): Argument[] {
    return list.map((argument) =>
      argument.type === "SpreadElement"
        ? { slot: this.flow.iterate(this.evaluate(argument.argument)), spread: true }
        : { slot: this.evaluate(argument), spread: false },
    );
  }

  site(node: CallSite["node"]): CallSite {
    const site: CallSite = {
      node,
      owner: this.#owner,
      inParams: this.#inParams,
      targets: new Set(),
      sequence: null,
      executor: null,
      synchronous: [],
    };
    this.sites.push(site);
    return site;
  }

  /** `callee(args)`: links every function that may be meant. */
  call(
    callee: Slot,
    receiver: Slot,
    args: readonly Argument[],
    result: Slot,
    site: CallSite | null,
  ): void {
    this.flow.watch(callee, (value) => invoke(this, value, { receiver, args, result, site }));
  }
}
