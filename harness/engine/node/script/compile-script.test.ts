/** What compileScript promises beside the order of effects: problems with file:line, the user's own stacks, k6's world and no other, cheap instances. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StampedeError } from "../../../errors.ts";
import { compileScript } from "./compile-script.ts";
import type { CompiledScript, ScriptScope } from "./compiled-script.ts";
import { isUserAsync } from "./rewrite-marks.ts";

const BUILTINS = ["k6", "k6/http", "k6/data", "@stampede-sre/stampede"];
type Fn = (...args: unknown[]) => unknown;

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "script-compile-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, lines: readonly string[]): string {
  const path = join(dir, name);
  writeFileSync(path, lines.join("\n"));
  return path;
}

let count = 0;
const compile = async (...lines: string[]): Promise<CompiledScript> =>
  compileScript({ path: file(`s${count++}.js`, lines), builtins: BUILTINS });

const wait = async (value: unknown): Promise<unknown> => delay(1, value);
const seen: { fn: unknown }[] = [];
const http = { get: async () => wait({ status: 200 }) };
const k6 = {
  sleep: wait,
  check: (value: unknown, sets: Record<string, Fn>) =>
    Object.values(sets).every((predicate) => predicate(value)),
  group: async (_name: string, fn: Fn) => {
    seen.push({ fn });
    return fn();
  },
};
const scope = (globals: Record<string, unknown> = {}): ScriptScope => ({
  modules: {
    k6,
    "k6/http": { ...http, default: http },
    "k6/data": { SharedArray: Array },
    "@stampede-sre/stampede": {},
  },
  globals: { __ENV: {}, __VU: 1, __ITER: 0, console, ...globals },
});
const call = async (
  exports: Record<string, unknown>,
  name: string,
  ...args: unknown[]
): Promise<unknown> => (exports[name] as Fn)(...args);

async function refusal(work: Promise<unknown>): Promise<StampedeError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof StampedeError) return error;
    throw error;
  }
  throw new Error("expected a StampedeError; nothing was thrown");
}

const imports = `import http from "k6/http"; import { check, sleep, group } from "k6"; import { SharedArray } from "k6/data";`;

describe("what no await can stand before is refused with file:line and the way out", () => {
  test.each([
    {
      what: "a constructor",
      lines: [
        imports,
        "class A {",
        "  constructor() { this.r = http.get('x'); }",
        "}",
        "export default function () { new A(); }",
      ],
      line: 3,
      says: "a constructor",
    },
    {
      what: "a function called with new",
      lines: [
        imports,
        "function A() { sleep(1); }",
        "export default function () {",
        "  new A();",
        "}",
      ],
      line: 4,
      says: "called with `new`",
    },
    {
      what: "a getter",
      lines: [
        imports,
        "const o = {",
        "  get v() { return http.get('x').status; },",
        "};",
        "export default function () { o.v; }",
      ],
      line: 3,
      says: "a getter",
    },
    {
      what: "a setter",
      lines: [
        imports,
        "class A {",
        "  set v(x) { sleep(x); }",
        "}",
        "export default function () { new A().v = 1; }",
      ],
      line: 3,
      says: "a setter",
    },
    {
      what: "a field initialiser",
      lines: [
        imports,
        "class A {",
        "  v = http.get('x');",
        "}",
        "export default function () { new A(); }",
      ],
      line: 3,
      says: "a field initialiser",
    },
    {
      what: "a generator",
      lines: [
        imports,
        "function* g() {",
        "  yield http.get('x');",
        "}",
        "export default function () { for (const r of g()) r; }",
      ],
      line: 3,
      says: "a generator",
    },
    {
      what: "a default value",
      lines: [
        imports,
        "function f(",
        "  r = http.get('x')) { return r; }",
        "export default function () { f(); }",
      ],
      line: 3,
      says: "default value",
    },
    {
      what: "a sort comparator",
      lines: [
        imports,
        "export default function () {",
        "  [1, 2].sort((a, b) => { sleep(1); return a - b; });",
        "}",
      ],
      line: 3,
      says: "a sort comparator",
    },
    {
      what: "a check predicate",
      lines: [
        imports,
        "const slow = (r) => http.get('y').status === 200;",
        "export default function () {",
        "  check(1, { slow });",
        "}",
      ],
      line: 4,
      says: "a predicate of check()",
    },
    {
      what: "a replacer",
      lines: [
        imports,
        "export default function () {",
        "  'a'.replace('a', () => http.get('x').body);",
        "}",
      ],
      line: 3,
      says: "a replacer",
    },
    {
      what: "filling a SharedArray",
      lines: [
        imports,
        "new SharedArray('x', () => [http.get('x')]);",
        "export default function () {}",
      ],
      line: 2,
      says: "SharedArray",
    },
    {
      what: "the init code",
      lines: [
        imports,
        "const helper = () => sleep(1);",
        "helper();",
        "export default function () {}",
      ],
      line: 3,
      says: "the init code",
    },
    {
      what: "top-level await",
      lines: [imports, "await null;", "export default function () {}"],
      line: 2,
      says: "await",
    },
    {
      what: "import.meta",
      lines: [imports, "console.log(import.meta.url);", "export default function () {}"],
      line: 2,
      says: "import.meta",
    },
  ])("$what", async ({ lines, line, says }) => {
    const name = `s${count}.js`;
    const error = await refusal(compile(...lines));
    expect(error.code).toBe("configuration");
    expect(error.message).toContain(`${name}:${line}: `);
    expect(error.message).toContain(says);
    expect(error.hint).toContain("k6 itself");
  });

  test("every problem is named at once", async () => {
    const error = await refusal(
      compile(imports, "sleep(1);", "http.get('x');", "export default function () {}"),
    );
    expect(error.message.split("\n")).toHaveLength(2);
  });
});

describe("what cannot be loaded is refused with file:line", () => {
  test.each([
    {
      what: "a syntax error",
      lines: ["const a = 1;", "const b = ;"],
      at: ":2: ",
      says: 'Unexpected ";"',
    },
    {
      what: "an https import",
      lines: ["", 'import x from "https://jslib.k6.io/k6-utils/1.4.0/index.js"; x();'],
      at: ":2: ",
      says: "not supported yet",
    },
    {
      what: "an extension",
      lines: ['import x from "k6/x/sql";', "x();"],
      at: ":1: ",
      says: 'got "k6/x/sql"',
    },
    {
      what: "an unknown k6 module",
      lines: ['import x from "k6/nope";', "x();"],
      at: ":1: ",
      says: "k6/http",
    },
    {
      what: "a module of Node",
      lines: ['import x from "node:fs";', "x();"],
      at: ":1: ",
      says: "a module of Node",
    },
    {
      what: "a module of Node without its prefix",
      lines: ['import x from "fs";', "x();"],
      at: ":1: ",
      says: "a module of Node",
    },
    {
      what: "a missing file",
      lines: ['import x from "./missing.js";', "x();"],
      at: ":1: ",
      says: 'nothing is found for "./missing.js"',
    },
    {
      what: "a missing export of a file",
      lines: ['import { x } from "./own.js";', "x();"],
      at: ":1: ",
      says: "No matching export",
    },
  ])("$what", async ({ lines, at, says }) => {
    file("own.js", ["export const y = 1;"]);
    const name = `s${count}.js`;
    const error = await refusal(compile(...lines));
    expect(error.code).toBe("configuration");
    expect(error.message).toContain(`${name}${at}`);
    expect(error.message).toContain(says);
  });

  test("a missing script", async () => {
    expect(
      (await refusal(compileScript({ path: join(dir, "none.js"), builtins: BUILTINS }))).message,
    ).toContain("no such file");
  });

  test("a name a builtin module does not have, once it is instantiated", async () => {
    const script = await compile(
      "",
      'import { slep } from "k6";',
      "export default function () { slep(1); }",
    );
    expect(() => script.instantiate(scope())).toThrow(
      /s\d+\.js:2: expected an export of k6 \(sleep, check, group\); got "slep"/,
    );
  });
});

describe("errors carry the user's own lines", () => {
  test("through bundling, types and awaits, in every file of the call", async () => {
    file("deep.ts", [
      "import { sleep } from 'k6';",
      "export interface Unused { a: number }",
      "export function deep(n: number): never {",
      "  sleep(n);",
      "  throw new RangeError('too deep');",
      "}",
    ]);
    const path = file("top.ts", [
      "import { deep } from './deep.ts';",
      "type T = { a: string };",
      "export default function (): void {",
      "  const list: T[] = [{ a: 'x' }];",
      "  list.forEach(() => deep(1));",
      "}",
    ]);
    const script = await compileScript({ path, builtins: BUILTINS });
    const error: unknown = await call(script.instantiate(scope()), "default").catch(
      (thrown: unknown) => thrown,
    );
    const stack = script.mapStack(error).split("\n");
    expect(stack[0]).toBe("RangeError: too deep");
    expect(stack[1]).toMatch(/^\tat .*deep \(.*deep\.ts:5:9\)$/);
    expect(stack.slice(2).some((line) => /top\.ts:5:\d+/.test(line))).toBe(true);
    expect(stack.join()).not.toContain("script-runtime");
  });

  test("thrown in the init code, or not an Error at all", async () => {
    const script = await compile(
      "const a = 1;",
      "if (a) throw new Error('init');",
      "export default function () {}",
    );
    let thrown: unknown;
    try {
      script.instantiate(scope());
    } catch (error) {
      thrown = error;
    }
    expect(script.mapStack(thrown)).toMatch(/^Error: init\n\tat .*s\d+\.js:2:14/);
    expect(script.mapStack("a word")).toBe("a word");
  });

  test("exports and source files are found", async () => {
    file("part.js", ["export const part = 1;"]);
    const path = file("where.js", [
      "import { part } from './part.js';",
      "",
      "export const event = { part };",
      "export function setup() {}",
      "export default function () {}",
    ]);
    const script = await compileScript({ path, builtins: BUILTINS });
    expect(script.locate("event")).toMatch(/where\.js:3$/);
    expect(script.locate("setup")).toMatch(/where\.js:4$/);
    expect(script.locate("default")).toMatch(/where\.js:5$/);
    expect(script.locate("nothing")).toBeNull();
    expect(
      script.sourceFiles.map((name) => name.slice(name.lastIndexOf("/") + 1)).toSorted(),
    ).toEqual(["part.js", "where.js"]);
  });
});

describe("scripts see k6's world and no other", () => {
  test("no process, Buffer, Node timers or fetch; unknown names are a ReferenceError", async () => {
    const script = await compile(
      "export default () => [typeof process, typeof Buffer, typeof setTimeout, typeof fetch, typeof URL, typeof Map, typeof globalThis.process].join();",
      "export const asks = () => setTimeout(() => 1, 1);",
      "export const wrong = () => { undeclared = 1; };",
    );
    const exports = script.instantiate(scope());
    expect(await call(exports, "default")).toBe(
      "undefined,undefined,undefined,undefined,undefined,function,undefined",
    );
    expect(() => (exports["asks"] as Fn)()).toThrow(
      new ReferenceError("setTimeout is not defined"),
    );
    expect(() => (exports["wrong"] as Fn)()).toThrow(ReferenceError);
  });

  test("what the engine gives is read live, Math included", async () => {
    const script = await compile(
      "export default () => [__VU, __ITER, __ENV.A, Math.random(), Math.max(1, 2), setTimeout()];",
    );
    const globals = {
      __VU: 3,
      __ITER: 0,
      __ENV: { A: "a" },
      setTimeout: () => "own",
      Math: Object.create(Math, { random: { value: () => 0.5 } }) as object,
    };
    const exports = script.instantiate({ ...scope(), globals });
    globals.__ITER = 9;
    expect(await call(exports, "default")).toEqual([3, 9, "a", 0.5, 2, "own"]);
  });

  test("names the engine may have are constructed, called and passed like any other", async () => {
    const script = await compile(
      "export default () => [new URL('a').href, new lib.Inner().x, String(lib.call()), [1].map(Twice)[0]];",
    );
    const globals = {
      URL: class {
        href: string;
        constructor(href: string) {
          this.href = href;
        }
      },
      lib: {
        Inner: class {
          x = 1;
        },
        call: () => 2,
      },
      Twice: (n: number) => n * 2,
    };
    expect(await call(script.instantiate(scope(globals)), "default")).toEqual(["a", 1, "2", 2]);
  });

  test("every instance has its own module state", async () => {
    const script = await compile(
      "let n = 0;",
      "globalThis.mine = (globalThis.mine ?? 0) + 1;",
      "export default () => [++n, globalThis.mine];",
    );
    const [one, two] = [script.instantiate(scope()), script.instantiate(scope())];
    expect([
      await call(one, "default"),
      await call(one, "default"),
      await call(two, "default"),
    ]).toEqual([
      [1, 1],
      [2, 1],
      [1, 1],
    ]);
  });
});

describe("an await too many is not made", () => {
  test.each([
    [
      "a Map's get beside an http get",
      "const m = new Map([['a', 1]]); export default function () { return m.get('a'); } export const other = () => http.get('x');",
    ],
    [
      "a user's own get",
      "const api = { get: (k) => k }; const client = { get: (u) => http.get(u) }; export default function () { return api.get(1); } export const other = () => client.get('x');",
    ],
    [
      "functions that only hand a client on",
      "const use = () => ({ client: http }); export default function () { return use().client === http ? 1 : 2; }",
    ],
    [
      "a map with a callback that does not block",
      "export default () => [1].map((x) => x)[0]; export const other = () => [1].map((x) => http.get(x));",
    ],
    [
      "a comparator beside a blocking function of the same shape",
      "const by = { a: (x, y) => x - y, b: () => sleep(1) }; export default () => [2, 1].sort(by.a)[0]; export const other = () => by.b();",
    ],
    [
      "asyncRequest",
      "export default () => typeof http.asyncRequest === 'undefined' ? 1 : http.asyncRequest('GET', 'x');",
    ],
  ])("%s", async (_name, source) => {
    const exports = (await compile(imports, source)).instantiate(scope());
    expect((exports["default"] as Fn)()).toBe(1);
  });
});

describe("libraries that do not import k6 are not looked into", () => {
  const filler = `export const filler = ${JSON.stringify("x".repeat(30_000))};`;
  const library = [
    "export const each = (list, f) => { for (const x of list) f(x); };",
    "export const list = (n) => Array.from({ length: n }, (_, i) => i);",
    filler,
  ];

  test("what they give is used like any data, arrays with blocking callbacks included", async () => {
    file("large.js", library);
    const script = await compile(
      imports,
      "import { list } from './large.js';",
      "export default function () { const seen = []; list(2).forEach((i) => { seen.push(i, http.get(i).status); }); return seen.join(); }",
    );
    expect(await call(script.instantiate(scope()), "default")).toBe("0,200,1,200");
  });

  test("a blocking function handed to one is refused with file:line", async () => {
    file("large.js", library);
    const name = `s${count}.js`;
    const error = await refusal(
      compile(
        imports,
        "import { each } from './large.js';",
        "export default function () {",
        "  each([1], (u) => http.get(u));",
        "}",
      ),
    );
    expect(error.message).toContain(
      `${name}:4: expected a function for large.js that does not block`,
    );
  });
});

test("5,000 instances of a script are made in well under a second and stay small", async () => {
  const script = await compile(
    imports,
    "class Api { get(p) { return http.get(p); } }",
    "const api = new Api();",
    "export const options = { vus: 1 };",
    "export default function () { api.get(1); group('g', () => sleep(1)); }",
  );
  const heapBefore = process.memoryUsage().heapUsed;
  const startedUs = process.cpuUsage().user;
  const instances = Array.from({ length: 5000 }, () => script.instantiate(scope()));
  expect(process.cpuUsage().user - startedUs).toBeLessThan(1_000_000);
  // A goal of the engine is 50 KB for a whole VU; the garbage of making them is counted here too.
  expect((process.memoryUsage().heapUsed - heapBefore) / instances.length).toBeLessThan(20_000);
});

test("group and check can tell the user's async functions from rewritten ones", async () => {
  const script = await compile(
    imports,
    "async function named() { http.get('x'); }",
    "class A { async m() { sleep(1); } static async s() {} }",
    "export const users = [named, async () => http.get('x'), async (a) => { await a; }, async function () {}, new A().m, A.s, { async o() { sleep(1); } }.o];",
    "function rewritten() { const inner = async () => http.get('x'); return http.get('x'); }",
    "class B { m() { sleep(1); } static s() { sleep(1); } }",
    "export const ours = [rewritten, () => http.get('x'), (a) => { sleep(a); }, new B().m, B.s, { o() { sleep(1); } }.o, () => 1, function () {}];",
  );
  const { users, ours } = script.instantiate(scope()) as { users: unknown[]; ours: unknown[] };
  expect(users.map(isUserAsync)).toEqual(users.map(() => true));
  expect(ours.map(isUserAsync)).toEqual(ours.map(() => false));
});
