/** What each kind of expression and statement says about where values go: one handler a node type. */
import type {
  AnyNode,
  ArrayExpression,
  AssignmentExpression,
  CallExpression,
  Class,
  Function as FunctionNode,
  ImportDeclaration,
  NewExpression,
  ObjectExpression,
  TaggedTemplateExpression,
} from "acorn";
import { construct, invoke } from "./call-model.ts";
import { nativeCall, nativeMethod, nativeNew } from "./native-model.ts";
import { propertyName, type FunctionInfo } from "./program-facts.ts";
import type { ProgramFlow } from "./program-flow.ts";
import { Slot, Value } from "./value-flow.ts";

function evaluateCall(walk: ProgramFlow, node: CallExpression): Slot {
  const result = new Slot();
  const { callee } = node;
  const site = walk.site(node);
  if (callee.type === "Super") {
    const args = walk.arguments(node.arguments);
    const { parent, receiver } = walk.owner;
    if (parent !== null)
      walk.flow.watch(parent, (value) => construct(walk, value, { receiver, args, result, site }));
    return result;
  }
  if (nativeCall(walk, node, result, site)) return result;
  if (callee.type !== "MemberExpression") {
    walk.call(walk.evaluate(callee), walk.nothing, walk.arguments(node.arguments), result, site);
    return result;
  }
  const inSuper = callee.object.type === "Super";
  const receiver = inSuper ? walk.owner.receiver : walk.evaluate(callee.object);
  if (callee.computed) walk.evaluate(callee.property);
  const name = propertyName(callee);
  const args = walk.arguments(node.arguments);
  walk.call(
    inSuper ? superRead(walk, name) : walk.flow.read(receiver, name),
    receiver,
    args,
    result,
    site,
  );
  if (name !== null) nativeMethod(walk, name, { receiver, args, result, site });
  return result;
}

function superRead(walk: ProgramFlow, name: string | null): Slot {
  const { home } = walk.owner;
  return home === null ? walk.nothing : walk.flow.read(home.proto, name);
}

function evaluateNew(walk: ProgramFlow, node: NewExpression): Slot {
  const result = new Slot();
  const site = walk.site(node);
  if (nativeNew(walk, node, result, site)) return result;
  const callee = walk.evaluate(node.callee);
  const args = walk.arguments(node.arguments);
  walk.flow.watch(callee, (value) => {
    if (value.kind !== "function")
      return invoke(walk, value, { receiver: walk.nothing, args, result, site });
    if (value.instance === null) {
      value.instance = new Value("object");
      walk.flow.connect(walk.flow.prop(value, "prototype"), value.instance.proto);
    }
    walk.flow.add(result, value.instance);
    const { fn } = value;
    if (fn !== null) walk.flow.connect(fn.returned, result);
    return construct(walk, value, {
      receiver: walk.flow.of(value.instance),
      args,
      result: new Slot(),
      site,
    });
  });
  return result;
}

function evaluateTagged(walk: ProgramFlow, node: TaggedTemplateExpression): Slot {
  const result = new Slot();
  const args = [{ slot: walk.nothing, spread: false }, ...walk.arguments(node.quasi.expressions)];
  const receiver =
    node.tag.type === "MemberExpression" && node.tag.object.type !== "Super"
      ? walk.evaluate(node.tag.object)
      : walk.nothing;
  walk.call(walk.evaluate(node.tag), receiver, args, result, walk.site(node));
  return result;
}

function evaluateObject(walk: ProgramFlow, node: ObjectExpression): Slot {
  const value = new Value("object");
  for (const property of node.properties) {
    if (property.type === "SpreadElement") {
      walk.flow.copy(walk.evaluate(property.argument), value);
      continue;
    }
    if (property.computed) walk.evaluate(property.key);
    const name = propertyName(property);
    const slot = name === null ? value.elements : walk.flow.prop(value, name);
    const literal = property.value;
    if (literal.type === "FunctionExpression" && (property.method || property.kind !== "init")) {
      const kind =
        property.kind === "get" ? "getter" : property.kind === "set" ? "setter" : "function";
      const info = walk.functionInfo(literal, kind, name ?? "", value);
      walk.flow.add(info.receiver, value);
      if (kind === "getter") walk.flow.connect(info.result, slot);
      else if (kind === "function") walk.flow.add(slot, walk.functionValue(info));
    } else if (name === "__proto__") walk.flow.connect(walk.evaluate(literal), value.proto);
    else walk.flow.connect(walk.evaluate(literal), slot);
  }
  return walk.flow.of(value);
}

function evaluateArray(walk: ProgramFlow, node: ArrayExpression): Slot {
  const elements = walk.arguments(node.elements.filter((element) => element !== null));
  return walk.flow.of(walk.flow.collection(...elements.map(({ slot }) => slot)));
}

function evaluateClass(walk: ProgramFlow, node: Class): Slot {
  const parent =
    node.superClass === null || node.superClass === undefined
      ? null
      : walk.evaluate(node.superClass);
  const prototype = new Value("object");
  const self = new Value("function");
  const instance = new Value("object");
  self.instance = instance;
  walk.flow.add(walk.flow.prop(self, "prototype"), prototype);
  walk.flow.add(instance.proto, prototype);
  if (parent !== null) {
    walk.flow.watch(parent, (value) =>
      walk.flow.connect(walk.flow.prop(value, "prototype"), prototype.proto),
    );
    walk.flow.connect(parent, self.proto);
  }
  if (node.id !== null && node.id !== undefined) walk.flow.add(walk.variable(node.id), self);
  // The facts of construction; a written constructor takes their place below.
  let made = walk.initializer(node as AnyNode, prototype, () => undefined);
  const fields: FunctionInfo[] = [];
  for (const member of node.body.body) {
    if (member.type === "StaticBlock") {
      walk.flow.add(
        walk.initializer(member, self, () =>
          member.body.forEach((statement) => walk.evaluate(statement)),
        ).receiver,
        self,
      );
      continue;
    }
    const home = member.static ? self : prototype;
    if (member.computed) walk.evaluate(member.key);
    const name = propertyName(member);
    if (member.type === "PropertyDefinition") {
      const field = walk.initializer(member, home, () =>
        walk.flow.write(walk.owner.receiver, name, walk.evaluate(member.value)),
      );
      if (member.static) walk.flow.add(field.receiver, self);
      else fields.push(field);
      continue;
    }
    const kind =
      member.kind === "get"
        ? "getter"
        : member.kind === "set"
          ? "setter"
          : member.kind === "constructor"
            ? "constructor"
            : "function";
    const info = walk.functionInfo(member.value, kind, name ?? "", home, parent);
    if (kind === "constructor") made = info;
    const slot = name === null ? home.elements : walk.flow.prop(home, name);
    if (kind === "getter") walk.flow.connect(info.result, slot);
    if (kind === "function") walk.flow.add(slot, walk.functionValue(info));
    // Accessors run on instances without a call that could be seen.
    if (kind === "getter" || kind === "setter")
      for (const receiver of [home, instance]) walk.flow.add(info.receiver, receiver);
  }
  self.fn = made;
  self.isClass = true;
  made.parent = parent;
  made.fields = fields;
  return walk.flow.of(self);
}

function evaluateFunction(walk: ProgramFlow, node: FunctionNode): Slot {
  const id = "id" in node ? node.id : null;
  const value = walk.functionValue(walk.functionInfo(node, "function", id?.name ?? ""));
  if (id !== null && id !== undefined) walk.flow.add(walk.variable(id), value);
  return walk.flow.of(value);
}

function evaluateAssignment(walk: ProgramFlow, node: AssignmentExpression): Slot {
  const right = walk.evaluate(node.right);
  if (!["=", "||=", "&&=", "??="].includes(node.operator)) {
    walk.evaluate(node.left);
    return walk.nothing;
  }
  walk.bind(node.left, right);
  return node.operator === "="
    ? right
    : walk.union(
        right,
        node.left.type === "Identifier" || node.left.type === "MemberExpression"
          ? walk.evaluate(node.left)
          : walk.nothing,
      );
}

function evaluateImport(walk: ProgramFlow, node: ImportDeclaration): Slot {
  const module = walk.flow.of(walk.moduleValue(String(node.source.value)));
  for (const specifier of node.specifiers) {
    if (specifier.type === "ImportNamespaceSpecifier") walk.bind(specifier.local, module);
    else {
      const imported =
        specifier.type === "ImportDefaultSpecifier"
          ? "default"
          : specifier.imported.type === "Identifier"
            ? specifier.imported.name
            : String(specifier.imported.value);
      walk.bind(specifier.local, walk.flow.read(module, imported));
    }
  }
  return walk.nothing;
}

function evaluateArguments(walk: ProgramFlow): Slot {
  const { params, rest } = walk.owner;
  return walk.flow.of(walk.flow.collection(...params, rest.slot));
}

type Handler = (walk: ProgramFlow, node: AnyNode) => Slot;
/** Narrows a node to the type it is registered under. */
const on = <T extends AnyNode["type"]>(
  type: T,
  handle: (walk: ProgramFlow, node: Extract<AnyNode, { type: T }>) => Slot,
): [T, Handler] => [type, (walk, node) => handle(walk, node as Extract<AnyNode, { type: T }>)];

/** Node types not listed evaluate their children and hold nothing. */
export const HANDLERS: Readonly<Partial<Record<string, Handler>>> = Object.fromEntries([
  on("Identifier", (walk, node) =>
    node.name === "arguments" ? evaluateArguments(walk) : walk.variable(node),
  ),
  on("ThisExpression", (walk) => walk.owner.receiver),
  on("FunctionDeclaration", (walk, node) => evaluateFunction(walk, node as FunctionNode)),
  on("FunctionExpression", evaluateFunction),
  on("ArrowFunctionExpression", evaluateFunction),
  on("ClassDeclaration", (walk, node) => evaluateClass(walk, node as Class)),
  on("ClassExpression", evaluateClass),
  on("CallExpression", evaluateCall),
  on("NewExpression", evaluateNew),
  on("TaggedTemplateExpression", evaluateTagged),
  on("ObjectExpression", evaluateObject),
  on("ArrayExpression", evaluateArray),
  on("AssignmentExpression", evaluateAssignment),
  on("ImportDeclaration", evaluateImport),
  on("ExportNamedDeclaration", (walk) => walk.nothing),
  on("MemberExpression", (walk, node) => {
    if (node.computed) walk.evaluate(node.property);
    return node.object.type === "Super"
      ? superRead(walk, propertyName(node))
      : walk.flow.read(walk.evaluate(node.object), propertyName(node));
  }),
  on("VariableDeclarator", (walk, node) => {
    if (node.init !== null && node.init !== undefined) walk.bind(node.id, walk.evaluate(node.init));
    return walk.nothing;
  }),
  on("ForOfStatement", (walk, node) => {
    const items = new Slot();
    walk.flow.unwrap(walk.flow.iterate(walk.evaluate(node.right)), items);
    const target =
      node.left.type === "VariableDeclaration" ? node.left.declarations[0]?.id : node.left;
    if (target !== undefined) walk.bind(target, items);
    return walk.evaluate(node.body);
  }),
  on("ConditionalExpression", (walk, node) => {
    walk.evaluate(node.test);
    return walk.union(walk.evaluate(node.consequent), walk.evaluate(node.alternate));
  }),
  on("LogicalExpression", (walk, node) =>
    walk.union(walk.evaluate(node.left), walk.evaluate(node.right)),
  ),
  on(
    "SequenceExpression",
    (walk, node) =>
      node.expressions.map((expression) => walk.evaluate(expression)).at(-1) ?? walk.nothing,
  ),
  on("ChainExpression", (walk, node) => walk.evaluate(node.expression)),
  on("AwaitExpression", (walk, node) => {
    const result = new Slot();
    walk.flow.unwrap(walk.evaluate(node.argument), result);
    return result;
  }),
  on("YieldExpression", (walk, node) => {
    const value = walk.evaluate(node.argument);
    walk.flow.connect(node.delegate ? walk.flow.iterate(value) : value, walk.owner.returned);
    return walk.nothing;
  }),
  on("ReturnStatement", (walk, node) => {
    walk.flow.connect(walk.evaluate(node.argument), walk.owner.returned);
    return walk.nothing;
  }),
]);
