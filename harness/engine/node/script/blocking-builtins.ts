/** Which builtin functions block a k6 VU: in this engine they return promises, so their calls are awaited. */

/** How a builtin calls back into user code while it runs. */
export interface BlockingBuiltin {
  readonly module: string;
  readonly name: string;
  /** Index of the argument that is called before the builtin returns; its value is the builtin's own. */
  readonly callback?: number;
  /** What it gives back, as far as it can block again (Response has submitForm and clickLink). */
  readonly gives?: "response" | "responses";
}

const request = (name: string): BlockingBuiltin => ({ module: "k6/http", name, gives: "response" });

const KNOWN: readonly BlockingBuiltin[] = [
  { module: "k6", name: "sleep" },
  { module: "k6", name: "group", callback: 1 },
  ...["get", "head", "post", "put", "patch", "del", "options", "request"].map(request),
  { module: "k6/http", name: "batch", gives: "responses" },
  { module: "k6/ws", name: "connect", gives: "response", callback: 2 },
];

/** Methods of an HTTP response that send a further request. */
export const BLOCKING_RESPONSE_METHODS: readonly BlockingBuiltin[] = [
  "submitForm",
  "clickLink",
].map(request);

/** Builtins that give a promise and do not block. */
export const PROMISING_BUILTINS: readonly { readonly module: string; readonly name: string }[] = [
  { module: "k6/http", name: "asyncRequest" },
];

/** Builtins that call a function of the user's and do not wait for it: index of that argument. */
export const SYNCHRONOUS_CALLBACKS: readonly {
  readonly module: string;
  readonly name: string;
  readonly argument: number;
  readonly what: string;
}[] = [
  { module: "k6", name: "check", argument: 1, what: "a predicate of check()" },
  {
    module: "k6/data",
    name: "SharedArray",
    argument: 1,
    what: "the function that fills a SharedArray",
  },
];

/** The blocking functions of one builtin module; every module outside k6's names is the package's own and has `op`. */
export function blockingBuiltinsOf(module: string): readonly BlockingBuiltin[] {
  if (module === "k6" || module.startsWith("k6/"))
    return KNOWN.filter((builtin) => builtin.module === module);
  return [{ module, name: "op", callback: 1 }];
}
