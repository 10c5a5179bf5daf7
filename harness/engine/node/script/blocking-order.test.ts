/**
 * The rewrite keeps the order of a blocking engine: every script runs twice, once as it is on builtins that really block
 * (plain synchronous functions), once rewritten on builtins that wait for timers; both must leave the same trace.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileScript } from "./compile-script.ts";

const OWN = "@stampede-sre/stampede";
const BUILTINS = ["k6", "k6/http", "k6/metrics", "k6/data", "k6/execution", OWN];
type Fn = (...args: unknown[]) => unknown;
type Modules = Record<string, Record<string, unknown>>;

/** What both engines share: nothing here blocks. */
function shared(trace: string[]): {
  k6: Record<string, unknown>;
  rest: Modules;
  globals: Record<string, unknown>;
} {
  const check = (value: unknown, sets: Record<string, unknown>): boolean =>
    Object.entries(sets).every(([name, predicate]) => {
      const said: unknown = typeof predicate === "function" ? (predicate as Fn)(value) : predicate;
      trace.push(`check ${name} ${String(Boolean(said))}`);
      return Boolean(said);
    });
  class Counter {
    add(value: number): void {
      trace.push(`add ${value}`);
    }
  }
  const SharedArray = function (_name: string, make: () => unknown[]): unknown[] {
    return make();
  };
  const globals = {
    __ENV: { WHO: "env" },
    __VU: 7,
    __ITER: 0,
    console: { log: (...words: unknown[]) => trace.push(`log ${words.join(" ")}`) },
    open: () => "file",
  };
  const fail = (message: string): never => {
    throw new Error(message);
  };
  return {
    k6: { check, fail },
    rest: {
      "k6/metrics": { Counter },
      "k6/data": { SharedArray },
      "k6/execution": { default: { vu: { idInTest: 7 } } },
    },
    globals,
  };
}

const answer = (method: string, url: unknown): Record<string, unknown> => ({
  status: String(url).includes("bad") ? 500 : 200,
  body: `${method} ${String(url)}`,
  json: () => ({ url, items: [1, 2, 3] }),
});

const METHODS = ["get", "head", "post", "put", "patch", "del", "options", "request"];

/** Builtins that block: they return when they are done. */
function blockingModules(trace: string[]): { modules: Modules; globals: Record<string, unknown> } {
  const { k6, rest, globals } = shared(trace);
  const during = (what: string, inside: () => unknown): unknown => {
    trace.push(`begin ${what}`);
    try {
      return inside();
    } finally {
      trace.push(`end ${what}`);
    }
  };
  const respond = (method: string, url: unknown): unknown =>
    during(`${method} ${String(url)}`, () => ({
      ...answer(method, url),
      submitForm: () => respond("submit", url),
      clickLink: () => respond("click", url),
    }));
  const http: Record<string, unknown> = Object.fromEntries(
    METHODS.map((method) => [method, (url: unknown) => respond(method, url)]),
  );
  http["batch"] = (urls: unknown[]) =>
    during("batch", () => urls.map((url) => answer("batch", url)));
  http["asyncRequest"] = async (_method: string, url: unknown) => answer("async", url);
  http["url"] = (parts: readonly string[]) => parts.join("*");
  const group = (name: string, inside: Fn): unknown => during(`group ${name}`, inside);
  const op = (spec: { kind: string }, send: Fn): unknown =>
    during(`op ${spec.kind}`, () => ({ ...(send() as object), outcome: "ok" }));
  const sleep = (seconds: unknown): unknown => during(`sleep ${String(seconds)}`, () => undefined);
  return {
    modules: {
      ...rest,
      k6: { ...k6, group, sleep },
      "k6/http": { ...http, default: http },
      [OWN]: { op },
    },
    globals,
  };
}

/** The same builtins as the engine has them: they wait for timers. */
function waitingModules(trace: string[]): { modules: Modules; globals: Record<string, unknown> } {
  const { k6, rest, globals } = shared(trace);
  const during = async (what: string, inside: () => unknown): Promise<unknown> => {
    trace.push(`begin ${what}`);
    try {
      await delay(1);
      return await inside();
    } finally {
      trace.push(`end ${what}`);
    }
  };
  const respond = async (method: string, url: unknown): Promise<unknown> =>
    during(`${method} ${String(url)}`, () => ({
      ...answer(method, url),
      submitForm: () => respond("submit", url),
      clickLink: () => respond("click", url),
    }));
  const http: Record<string, unknown> = Object.fromEntries(
    METHODS.map((method) => [method, async (url: unknown) => respond(method, url)]),
  );
  http["batch"] = async (urls: unknown[]) =>
    during("batch", () => urls.map((url) => answer("batch", url)));
  http["asyncRequest"] = async (_method: string, url: unknown) => answer("async", url);
  http["url"] = (parts: readonly string[]) => parts.join("*");
  const group = async (name: string, inside: Fn): Promise<unknown> =>
    during(`group ${name}`, inside);
  const op = async (spec: { kind: string }, send: Fn): Promise<unknown> =>
    during(`op ${spec.kind}`, async () => ({ ...((await send()) as object), outcome: "ok" }));
  const sleep = async (seconds: unknown): Promise<unknown> =>
    during(`sleep ${String(seconds)}`, () => undefined);
  return {
    modules: {
      ...rest,
      k6: { ...k6, group, sleep },
      "k6/http": { ...http, default: http },
      [OWN]: { op },
    },
    globals,
  };
}

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "script-order-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let files = 0;
function writeScript(source: string, extension: string, others: Record<string, string>): string {
  const path = join(dir, `script-${files++}.${extension}`);
  writeFileSync(path, source);
  for (const [name, text] of Object.entries(others)) writeFileSync(join(dir, name), text);
  return path;
}

async function runAll(
  exports: Record<string, unknown>,
  trace: string[],
  data?: unknown,
): Promise<void> {
  for (const name of Object.keys(exports).toSorted()) {
    const exported = exports[name];
    if (typeof exported !== "function") continue;
    try {
      const result: unknown = await (exported as Fn)(data);
      if (typeof result !== "object") trace.push(`${name} gave ${JSON.stringify(result)}`);
    } catch (error) {
      trace.push(`${name} threw ${String(error)}`);
    }
  }
}

/** The script as plain JavaScript on blocking builtins: independent of the code under test. */
async function blockingTrace(path: string, data: unknown): Promise<string[]> {
  const result = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    format: "cjs",
    external: BUILTINS,
    target: "es2024",
    logLevel: "silent",
    tsconfigRaw: {},
  });
  const trace: string[] = [];
  const { modules, globals } = blockingModules(trace);
  const module = { exports: {} as Record<string, unknown> };
  const names = Object.keys(globals);
  // eslint-disable-next-line typescript/no-implied-eval -- the reference runs the script's own text
  const run = new Function(
    "module",
    "exports",
    "require",
    ...names,
    `"use strict";${result.outputFiles[0]?.text ?? ""}`,
  ) as Fn;
  run(
    module,
    module.exports,
    (name: string) => ({
      __esModule: true,
      ...modules[name],
      default: modules[name]?.["default"] ?? modules[name],
    }),
    ...Object.values(globals),
  );
  await runAll(module.exports, trace, data);
  return trace;
}

async function waitingTrace(path: string, data: unknown): Promise<string[]> {
  const script = await compileScript({ path, builtins: BUILTINS });
  const trace: string[] = [];
  await runAll(script.instantiate(waitingModules(trace)), trace, data);
  return trace;
}

interface Case {
  readonly name: string;
  readonly source: string;
  readonly files?: Record<string, string>;
  readonly extension?: string;
  readonly data?: unknown;
}

const http = `import http from "k6/http";`;
const all = `import http from "k6/http"; import { check, sleep, group, fail } from "k6";`;

const CASES: readonly Case[] = [
  {
    name: "a plain default function",
    source: `${all} export default function () { const r = http.get("a"); check(r, { ok: (x) => x.status === 200, plain: true }); sleep(1); }`,
  },
  { name: "a default arrow", source: `${all} export default () => { http.get("a"); sleep(1); };` },
  {
    name: "a default arrow with an expression body",
    source: `${http} export default () => http.get("a").status;`,
  },
  {
    name: "named exec functions only",
    source: `${all} export function buy() { http.post("b"); } export const look = () => { http.get("l"); }; export { look as watch };`,
  },
  {
    name: "named and namespace imports",
    source: `import { get, del as remove } from "k6/http"; import * as h from "k6/http"; import * as k6 from "k6"; export default function () { get("a"); remove("b"); h.put("c"); k6.sleep(1); h.default.patch("d"); }`,
  },
  {
    name: "all methods and batch",
    source: `${http} export default function () { for (const m of ["get","head","post","put","patch","del","options"]) http[m](m); http.request("GET", "x"); console.log(http.batch(["p", "q"]).length); }`,
  },
  {
    name: "functions that call each other",
    source: `${all} function a() { sleep(1); return b(); } function b() { return c() + 1; } const c = function () { http.get("c"); return 41; }; export default function () { console.log(a()); }`,
  },
  {
    name: "mutual recursion",
    source: `${all} function even(n) { if (n === 0) return true; sleep(n); return odd(n - 1); } function odd(n) { return n === 0 ? false : even(n - 1); } export default function () { console.log(even(4)); }`,
  },
  {
    name: "a chained result",
    source: `${http} export default function () { console.log(http.get("u").json().items.map((x) => x * 2).join()); console.log(JSON.parse(JSON.stringify(http.get("v").json())).url); }`,
  },
  {
    name: "methods of a response",
    source: `${http} export default function () { const r = http.get("form"); r.submitForm().clickLink(); function follow(res) { return res.submitForm().status; } console.log(follow(r)); }`,
  },
  {
    name: "nested groups and their value",
    source: `${all} export default function () { const v = group("one", () => { http.get("a"); return group("two", function () { sleep(1); return 5; }); }); console.log(v); group("quiet", () => { console.log("in"); }); console.log("after"); }`,
  },
  {
    name: "op of the package",
    source: `${http} import { op } from "${OWN}"; export default function () { const r = op({ kind: "order" }, () => http.post("o")); console.log(r.status, r.outcome); }`,
  },
  {
    name: "classes, fields, inheritance, super",
    source: `${all}
    class Base { constructor(url) { this.url = url; this.seen = new Map(); } get(p) { const r = http.get(this.url + p); this.seen.set(p, r.status); return r; } plain() { return this.seen.get("x"); } static make(u) { const it = new this(u); it.warm(); return it; } warm() { sleep(1); } }
    class Shop extends Base { #tries = 2; go = () => this.get("go"); get(p) { console.log("shop"); return super.get(p); } async() { return this.#again(); } #again() { while (this.#tries-- > 0) this.get("again"); return "done"; } }
    const shop = new Shop("s/");
    export default function () { shop.get("x"); console.log(shop.plain()); shop.go(); console.log(shop.async()); Shop.make("m/").get("y"); }`,
  },
  {
    name: "old prototypes and object methods",
    source: `${http} function Api(base) { this.base = base; this.del = function (p) { return http.del(base + p); }; } Api.prototype.get = function (p) { return http.get(this.base + p); }; const lib = { get: (u) => http.get(u), head(u) { return http.head(u); }, ["po" + "st"]: (u) => http.post(u), nested: { get: (k) => k } };
    export default function () { const api = new Api("a/"); api.get("1"); api.del("2"); lib.get("3"); lib.head("4"); lib.post("5"); console.log(lib.nested.get("6")); }`,
  },
  {
    name: "aliases: stored, passed, returned, destructured, bound, called, applied",
    source: `${all} const h = http; const { get, post: send } = http; const box = { client: h }; const pick = () => box.client; const bound = http.get.bind(http); function use(client, u) { return client.get(u); }
    export default function ({ where } = { where: "d" }) { h.get("1"); get("2"); send("3"); box.client.put("4"); pick().get("5"); bound("6"); use(h, "7"); get.call(null, "8"); get.apply(null, ["9"]); const f = __VU > 3 ? http.get : http.post; f("10"); [sleep][0](11); (0, http.get)(where); const list = [...[http.patch]]; list[0]("12"); Object.assign({}, { go: http.put }).go("13"); }`,
  },
  {
    name: "callbacks of array methods",
    source: `${all} const urls = ["a", "b", "c"];
    export default function () { urls.forEach((u, i) => { http.get(u + i); }); console.log(urls.map((u) => http.get(u).status).join()); console.log(urls.filter((u) => http.get(u).body.endsWith("b")).join()); console.log(urls.reduce((sum, u) => sum + http.get(u).status, 0)); console.log(urls.some((u) => { sleep(u); return u === "b"; }), urls.every((u) => { sleep(u); return u === "a"; })); console.log(urls.find((u) => { sleep(u); return u === "b"; }), urls.findIndex((u) => { sleep(u); return u === "b"; }), urls.findLast((u) => { sleep(u); return u === "a"; })); console.log(urls.flatMap((u) => [http.get(u).status, u]).join()); console.log(urls.reduceRight((s, u) => { sleep(u); return s + u; })); console.log(Array.from({ length: 2 }, (_, i) => http.get(i).status).join()); urls.forEach(http.get); }`,
  },
  {
    name: "array methods on data from outside, on holes, chained, optional",
    data: { users: ["u", "v"] },
    source: `${all} export default function (data) { data.users.forEach((u) => http.get(u)); data.users.filter((u) => u !== "u").map((u) => http.get(u)).forEach((r) => console.log(r.status)); [1, , 3].forEach((x) => sleep(x)); console.log(data.none?.map((u) => http.get(u)).length); new Map([["k", "v"]]).forEach((v, k) => http.get(k + v)); new Set([1]).forEach((v) => sleep(v)); [1, 2].map(function (x) { sleep(x); return this.add + x; }, { add: 10 }).forEach((x) => console.log(x)); }`,
  },
  {
    name: "an empty reduce throws as it does",
    source: `${all} export default function () { [].reduce((a, b) => { sleep(1); return a + b; }); }`,
  },
  {
    name: "a user's object with methods named like an array's",
    source: `${all} class Bag { constructor(items) { this.items = items; } map(f) { return new Bag(this.items.map(f)); } forEach(f) { for (const i of this.items) f(i); } } export default function () { new Bag([1, 2]).map((x) => { sleep(x); return x + 1; }).forEach((x) => http.get(x)); }`,
  },
  {
    name: "higher-order functions of the user's",
    source: `${all} const times = (n, f) => { const out = []; for (let i = 0; i < n; i++) out.push(f(i)); return out; }; function retry(n, work) { for (;;) { try { return work(n); } catch (e) { if (n-- === 0) throw e; console.log("again", e.message); } } } const compose = (...fs) => (x) => { for (const f of fs) x = f(x); return x; }; const timed = (f) => function (...args) { const r = f.apply(this, args); console.log("timed"); return r; };
    export default function () { times(2, (i) => http.get(i)); console.log(retry(1, (n) => { http.get("r" + n); if (n > 0) fail("no"); return "yes"; })); console.log(compose((x) => x + 1, (x) => { sleep(x); return x * 2; })(1)); timed((u) => http.get(u))("t"); }`,
  },
  {
    name: "a setOrGet cache",
    source: `${http} const cache = {}; const setOrGet = (key, make) => { if (!(key in cache)) cache[key] = make(); return cache[key]; }; export default function () { console.log(setOrGet("a", () => http.get("a").status), setOrGet("a", () => http.get("b").status)); }`,
  },
  {
    name: "arrays and tables of functions",
    source: `${all} const steps = [() => http.get("1"), () => sleep(2), login]; function login() { http.post("login"); } const table = { a: () => http.get("ta"), b: () => 1 }; const byName = new Map([["m", () => http.get("map")]]);
    export default function () { for (const s of steps) s(); steps[1](); steps.forEach((s) => s()); for (const k in table) table[k](); Object.values(table).forEach((f) => f()); for (const [k, f] of Object.entries(table)) { console.log(k); f(); } table["b"](); byName.get("m")(); for (const [k, f] of byName) { console.log(k); f(); } steps.slice(1).pop()(); }`,
  },
  {
    name: "control flow",
    source: `${all} export default function () { outer: for (const a of ["x", "y"]) { switch (http.get(a).status) { case 200: { if (a === "x") continue outer; break outer; } default: sleep(9); } } let i = 0; do { sleep(i); } while (http.get(i++).status === 200 && i < 3); try { http.get("t"); fail("boom"); } catch ({ message }) { http.get(message); } finally { sleep("f"); } const v = http.get("bad").status === 200 ? sleep(1) : http.get("else"); v && sleep(2); null ?? sleep(3); let sum = 1; sum += http.get("s").status; console.log(sum, \`\${http.get("tpl").status}\`, { r: http.get("o").status }.r, [http.get("l").status].length); }`,
  },
  {
    name: "optional chains",
    source: `${http} const api = { client: http, none: null }; export default function () { console.log(api?.client.get("a").json().url); console.log(api.none?.get("b").json().url); console.log(api.client?.get("c")?.status); api.missing?.("d"); console.log(api.none?.list.map((x) => http.get(x)).length); console.log(api?.client["get"]("e")["json"]()["items"]?.[0]); }`,
  },
  {
    name: "a local module, with a class and a default",
    files: {
      "shop.js": `import http from "k6/http"; import { pause } from "./pause.js"; export class Client { get(u) { pause(); return http.get(u); } } export default function visit(u) { return new Client().get(u); } export let count = 0; export const bump = () => { count++; };`,
      "pause.js": `import { sleep } from "k6"; export const pause = () => sleep(0.5);`,
    },
    source: `import visit, { Client, count, bump } from "./shop.js"; import * as shop from "./shop.js"; const keep = { shop }; export default function () { visit("v"); new Client().get("c"); bump(); console.log(count); shop.default("d"); keep.shop.bump(); new keep.shop.Client().get("e"); }`,
  },
  {
    name: "a CommonJS module",
    files: {
      "old.js": `const http = require("k6/http"); module.exports = { go: function (u) { return http.get(u); } }; exports.unused = 1;`,
    },
    source: `import old from "./old.js"; import { go } from "./old.js"; export default function () { old.go("a"); go("b"); }`,
  },
  {
    name: "TypeScript: enums, types imported as values, generics, JSON",
    extension: "ts",
    files: {
      "data.json": `{"urls":["j1","j2"]}`,
      "types.ts": `export interface User { name: string }\nexport enum Kind { A = "a", B = "b" }`,
    },
    source: `import http, { Response } from "k6/http"; import { Options } from "k6/options"; import { User, Kind } from "./types.ts"; import data from "./data.json"; const enum Speed { Slow = 1 } export const options: Options = { vus: Speed.Slow }; function each<T>(list: T[], f: (x: T) => void): void { for (const x of list) f(x); } abstract class A { constructor(protected readonly u: string) {} abstract run(): Response; } class B extends A { run(): Response { return http.get(this.u); } } export default function (): void { each<User>([{ name: "n" }], (u) => { http.get(u.name + Kind.B); }); data.urls.forEach((u: string) => http.get(u)); (new B("b") as A).run(); http.get("x")!.status satisfies number; }`,
  },
  {
    name: "setup data and per-VU module state",
    source: `${http} let n = 0; export function setup() { return { token: http.post("login").status }; } export default function () { n++; http.get("n" + n + __VU + __ENV.WHO + __ITER); console.log({ __VU }.__VU); }`,
  },
  {
    name: "user-written async functions",
    source: `${all} async function one(u) { const r = http.get(u); console.log("sync part", u); await null; console.log("later", u); sleep(u); return r.status; }
    export default async function () { console.log(await one("a")); const p = one("b"); console.log("called b"); console.log(await p); const both = await Promise.all([one("c"), one("d")]); console.log(both.join()); const r = await http.asyncRequest("GET", "e"); console.log(r.status); }`,
  },
  {
    name: "async functions started and left, and mapped",
    source: `${all} const load = async (u) => { http.get(u); return u; }; class C { async go(u) { sleep(u); return (await load(u)) + "!"; } static async s() { sleep("s"); return arguments.length; } } const arrow = async u => http.get(u).status;
    export default function () { const ps = ["a", "b"].map(load); console.log(ps.every((p) => p instanceof Promise)); const more = ["c"].map((u) => load(u)); console.log(more[0] instanceof Promise); new C().go("d"); console.log("started"); const q = C.s(1, 2); return Promise.all([...ps, ...more, q, arrow("z")]).then((all) => { console.log(all.join()); }); }`,
  },
  {
    name: "a promise handed on by a function that blocks",
    source: `${all} const ask = (u) => { sleep(1); return http.asyncRequest("GET", u); }; function wrapped(u) { return group("g", () => ask(u)); } export default async function () { const p = ask("a"); console.log(typeof p.then); p.then((r) => console.log("then", r.status)); console.log((await p).status, (await wrapped("b")).status); await ask("c").then((r) => console.log(r.body)); }`,
  },
  {
    name: "Promise executors that block",
    source: `${all} export default async function () { const p = new Promise((resolve) => { http.get("in"); resolve("v"); console.log("end of executor"); }); console.log("made"); console.log(await p); await new Promise((_, no) => { sleep(1); no(new Error("rejected")); }).catch((e) => console.log(e.message)); await new Promise(async (yes) => { sleep(2); yes(1); }); const failed = new Promise(() => { sleep(3); fail("thrown"); }); try { await failed; } catch (e) { console.log(e.message); } }`,
  },
  {
    name: "errors come out where the call stands",
    source: `${all} function bad() { sleep(1); throw new TypeError("bad"); } export default function () { try { bad(); } catch (e) { console.log(e instanceof TypeError); } finally { console.log("finally"); } [1].forEach(() => bad()); }`,
  },
  {
    name: "spread, defaults, destructuring of results, arguments",
    source: `${all} function f() { sleep(arguments.length); return [...arguments].length; } const g = ({ status: s = 0, ...rest }, [first] = ["x"]) => { http.get(first + s); return rest.body; }; export default function () { console.log(f(...[1, 2], http.get("s").status)); console.log(g(http.get("d"))); const { body, status } = http.get("e"); const [one, two] = http.batch(["a", "b"]); console.log(body, status, one.status + two.status); }`,
  },
  {
    name: "generators that do not block, tagged templates, sorting",
    source: `${http} function* ids() { yield 1; yield 2; } const tag = (parts, u) => http.get(parts[0] + u).status; export default function () { for (const i of ids()) http.get(i); console.log(tag\`t\${1}\`); console.log([3, 1, 2].sort((a, b) => a - b).join()); console.log(http.url\`a\${1}b\`); console.log("a-b".replace(/-/g, () => "+")); }`,
  },
  {
    name: "closures over loops and this in arrows",
    source: `${all} export default function () { const fs = []; for (let i = 0; i < 2; i++) fs.push(() => { sleep(i); return i; }); console.log(fs.map((f) => f()).join()); const o = { n: 1, run() { return [1].map((x) => { http.get(this.n + x); return this.n; })[0]; }, get value() { return this.n; }, set value(v) { this.n = v; } }; o.value = 5; console.log(o.run(), o.value); }`,
  },
  {
    name: "an IIFE inside a function, comma, void, logical assignment",
    source: `${all} export default function () { (function () { http.get("iife"); })(); (() => sleep(1))(); const x = (http.get("a"), http.get("b").body); void http.get("c"); let y; y ??= http.get("d").body; console.log(x, y); if (!http.get("e").error) console.log(-http.get("f").status, typeof http.get("g")); }`,
  },
  {
    name: "checks inside groups with a shared helper",
    source: `${all} const expectOk = (r, name) => check(r, { [name]: (x) => x.status === 200 }) || fail(name + " failed"); export default function () { group("a", () => { expectOk(http.get("x"), "x"); expectOk(http.get("bad"), "bad"); }); }`,
  },
  {
    name: "globalThis keeps what the script puts there",
    source: `${http} globalThis.api = { get: (u) => u }; export default function () { http.get("x"); console.log(api.get("y"), globalThis.api.get("z"), globalThis.Array === Array); }`,
  },
  {
    name: "a module-level IIFE that does not block, beside functions that do",
    source: `${all} const conf = (() => ({ urls: ["a", "b"], pick: (i) => conf.urls[i] }))(); const map = new Map([["get", 1]]); export default function () { http.get(conf.pick(0)); console.log(map.get("get")); const headers = new Map(); headers.set("a", "b"); console.log(headers.get("a")); }`,
  },
  {
    name: "shadowed names",
    source: `${all} export default function () { const run = (http) => http.get("inner"); console.log(run({ get: (x) => x })); { const sleep = (x) => x; console.log(sleep(1)); } try { throw { get: () => "caught" }; } catch (http) { console.log(http.get("c")); } http.get("outer"); }`,
  },
  {
    name: "async functions: for await, objects, nested, thrown, left unawaited",
    source: `${all} const later = async (v) => ({ v, at: http.get(v).status }); async function* feed() { yield "f1"; yield "f2"; } const o = { async m(x) { try { return await later(x); } finally { sleep(x); } }, n: async function () { const inner = async () => { await null; sleep("deep"); return 1; }; return (await inner()) + (await inner()); } }; async function broken() { sleep("b"); await null; throw new Error("late"); }
    export default async function () { for await (const x of feed()) { console.log((await later(x)).at); } console.log((await o.m("m")).v, await o.n()); try { await broken(); } catch (e) { console.log(e.message); } const rest = await Promise.allSettled([broken(), later("z")]); console.log(rest.map((r) => r.status).join()); for (const p of [later("p"), later("q")]) console.log((await p).v); }`,
  },
  {
    name: "an async default that uses groups and plain helpers",
    source: `${all} const login = () => { const r = http.post("login"); check(r, { in: (x) => x.status === 200 }); return r.json(); }; export default async () => { const who = login(); group("shop", () => { http.get(who.url); sleep(1); }); const r = await http.asyncRequest("GET", "z"); console.log(r.status); };`,
  },
  {
    name: "factories, closures that keep clients, mixins",
    source: `${all} const make = (base) => { const cache = new Map(); const self = { get(p) { if (!cache.has(p)) cache.set(p, http.get(base + p).status); return cache.get(p); }, with(extra) { return { ...self, ...extra }; } }; return self; }; const Logs = (Base) => class extends Base { run(x) { console.log("run"); return super.run(x); } }; class Plain { run(x) { return http.get(x).status; } } const clients = { a: make("a/"), b: make("b/").with({ extra: () => sleep("extra") }) };
    export default function () { for (const name of Object.keys(clients)) console.log(clients[name].get("1"), clients[name].get("1")); clients.b.extra(); console.log(new (Logs(Plain))("x").run("y")); const { get } = clients.a; console.log(get("2")); }`,
  },
  {
    name: "weighted choice, state machines, callbacks in objects, queues",
    source: `${all} const actions = [{ weight: 1, run: () => http.get("w1") }, { weight: 2, run() { http.get("w2"); } }]; const pick = (n) => { let left = n; for (const a of actions) { if (left < a.weight) return a; left -= a.weight; } }; const states = { start: (c) => { http.get("start"); return "end"; }, end: (c) => { c.done = true; sleep(1); return null; } }; const queue = []; const on = {}; const listen = (e, f) => { (on[e] ||= []).push(f); }; const emit = (e, x) => { for (const f of on[e] ?? []) f(x); };
    export default function () { [0, 1, 2].map(pick).forEach((a) => a.run()); const c = {}; for (let s = "start"; s; ) s = states[s](c); queue.push(() => http.get("q")); while (queue.length) queue.shift()(); listen("e", (x) => http.get("on" + x)); emit("e", 1); emit("none", 1); const chain = actions.reduce((f, a) => () => { f(); a.run(); }, () => sleep("first")); chain(); }`,
  },
];

describe("the trace of a rewritten script equals that of a blocking engine", () => {
  test.each(CASES)("$name", async ({ source, files: others = {}, extension = "js", data }) => {
    const path = writeScript(source, extension, others);
    const expected = await blockingTrace(path, data);
    expect(expected.length).toBeGreaterThan(0);
    expect(await waitingTrace(path, data)).toEqual(expected);
  });
});
