/** k6/http on a real server: what is sent, what comes back, and k6's codes for what goes wrong. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { StampedeError } from "../../../errors.ts";
import { runScript, testServer, type RunOptions } from "../test-script.ts";
import { AddressRule, isLoopback } from "./address-rule.ts";
import { selectJson } from "./gjson.ts";
import { parseUrl, urlTemplate } from "./url.ts";

/** Runs a default function once and gives back what it told with tell(). */
async function tell(
  body: string,
  options: RunOptions = {},
  exported = "{}",
): Promise<readonly unknown[]> {
  await using server = await testServer();
  const ran = await runScript(
    `import http from "k6/http";
     import { check, group, sleep } from "k6";
     export const options = ${exported};
     const tell = (value) => console.log(JSON.stringify(value === undefined ? null : value));
     export default function () { const BASE = __ENV.BASE; ${body} }`,
    { base: server.url, ...options },
  );
  expect(ran.lines.filter((line) => line.includes("threw"))).toEqual([]);
  return ran.told;
}

describe("requests", () => {
  it("sends k6's methods, bodies and headers", async () => {
    const [get, form, text, own, bytes] = await tell(`
      tell(http.get(BASE + "/echo?a=1").json());
      tell(http.post(BASE + "/echo", { a: 1, b: ["x", "y z"] }).json());
      tell(http.put(BASE + "/echo", "plain").json());
      tell(http.request("patch", BASE + "/echo", JSON.stringify({ x: 1 }), { headers: { "Content-Type": "application/json", "X-Own": 5 } }).json());
      tell(http.del(BASE + "/echo", new Uint8Array([65, 66]).buffer).json());`);
    expect(get).toMatchObject({
      method: "GET",
      url: "/echo?a=1",
      headers: { "user-agent": "stampede/0.1" },
    });
    expect(form).toMatchObject({
      method: "POST",
      body: "a=1&b=x&b=y+z",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect(text).toMatchObject({
      method: "PUT",
      body: "plain",
      headers: expect.not.objectContaining({ "content-type": expect.anything() }) as unknown,
    });
    expect(own).toMatchObject({
      method: "PATCH",
      body: '{"x":1}',
      headers: { "content-type": "application/json", "x-own": "5" },
    });
    expect(bytes).toMatchObject({ method: "DELETE", body: "AB" });
  });

  it("sends files as multipart, compressed bodies, and the URL's user as basic auth", async () => {
    const [file, zipped, auth] = await tell(`
      tell(http.post(BASE + "/echo", { field: "v", f: http.file("content", "a.txt", "text/plain") }).json());
      tell(http.post(BASE + "/echo", "x".repeat(500), { compression: "gzip" }).json("headers"));
      tell(http.get(BASE.replace("//", "//me:s%20t@") + "/echo", { auth: "basic" }).json("headers.authorization"));`);
    expect(file).toMatchObject({
      headers: {
        "content-type": expect.stringMatching(/^multipart\/form-data; boundary=/) as unknown,
      },
    });
    expect((file as { body: string }).body).toContain(
      'name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n',
    );
    expect(zipped).toMatchObject({ "content-encoding": "gzip" });
    expect(auth).toBe(`Basic ${Buffer.from("me:s t").toString("base64")}`);
  });

  it("gives k6's response: status, canonical headers, timings, request, JSON by selector", async () => {
    const [response] = await tell(`
      const r = http.get(BASE + "/status?code=201");
      tell({ status: r.status, text: r.status_text, url: r.url === BASE + "/status?code=201", header: r.headers["X-Seen"], body: r.body, proto: r.proto, ip: r.remote_ip,
        error: r.error, code: r.error_code, request: r.request.method, sum: Math.abs(r.timings.duration - r.timings.sending - r.timings.waiting - r.timings.receiving) < 1e-6,
        connecting: r.timings.connecting > 0, again: http.get(BASE + "/echo").timings.connecting });`);
    expect(response).toEqual({
      status: 201,
      text: "201 Created",
      url: true,
      header: "yes",
      body: "{}",
      proto: "HTTP/1.1",
      ip: "127.0.0.1",
      error: "",
      code: 0,
      request: "GET",
      sum: true,
      connecting: true,
      again: 0,
    });
  });

  it("reads bodies as text, bytes or not at all, unzipped", async () => {
    expect(
      await tell(`
        tell(http.get(BASE + "/gzip").body);
        tell(http.get(BASE + "/gzip", { responseType: "binary" }).body.byteLength);
        tell(http.get(BASE + "/echo", { responseType: "none" }).body);`),
    ).toEqual(["unzipped", 8, null]);
    expect(
      await tell(
        `tell(http.get(BASE + "/echo").body); tell(http.get(BASE + "/echo", { responseType: "text" }).body.length > 0)`,
        {},
        "{ discardResponseBodies: true }",
      ),
    ).toEqual([null, true]);
  });
});

describe("cookies", () => {
  it("keeps them in the VU's jar for one iteration, and sends its own beside them", async () => {
    const told = await tell(
      `tell(http.get(BASE + "/echo").json("headers.cookie"));
       const set = http.get(BASE + "/set-cookie?v=1");
       tell([set.cookies.sid[0].value, set.cookies.sid[0].httpOnly]);
       tell(http.get(BASE + "/echo").json("headers.cookie"));
       tell(http.get(BASE + "/echo", { cookies: { mine: "3", sid: { value: "9", replace: true } } }).json("headers.cookie"));
       http.cookieJar().set(BASE, "jar", "4");
       tell(http.cookieJar().cookiesForURL(BASE));
       http.cookieJar().delete(BASE, "jar");
       tell(http.get(BASE + "/echo").json("headers.cookie"));`,
      {},
      "{ iterations: 2 }",
    );
    expect(told).toHaveLength(12);
    const first = [
      null,
      ["1", true],
      "sid=1; other=2",
      "mine=3; sid=9; other=2",
      { sid: ["1"], other: ["2"], jar: ["4"] },
      "sid=1; other=2",
    ];
    expect(told).toEqual([...first, ...first]);
  });
});

describe("redirects", () => {
  it("follows them by Go's rules and stops at the limit", async () => {
    expect(
      await tell(`
        const a = http.post(BASE + "/redirect?code=302", "body");
        tell([a.status, a.json("method"), a.json("body"), a.url === BASE + "/echo"]);
        const b = http.post(BASE + "/redirect?code=307", "body");
        tell([b.status, b.json("method"), b.json("body")]);
        tell(http.get(BASE + "/redirect", { redirects: 0 }).status);
        tell(http.get(BASE + "/redirect?to=" + encodeURIComponent("/redirect?to=/echo"), { redirects: 1 }).status);`),
    ).toEqual([[200, "GET", "", true], [200, "POST", "body"], 302, 302]);
  });
});

describe("what goes wrong", () => {
  it("has k6's error codes and is no exception", async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const told = await tell(`
      const show = (r) => tell([r.status, r.error_code, r.error]);
      show(http.get("http://127.0.0.1:${port}/"));
      show(http.get(BASE + "/reset"));
      show(http.get(BASE + "/eof"));
      show(http.get(BASE + "/hang", { timeout: "80ms" }));
      show(http.get(BASE + "/status?code=404"));
      show(http.get(BASE + "/status?code=503"));
      show(http.get("nonsense"));
      show(http.get(BASE + "/echo"));`);
    expect(told).toEqual([
      [0, 1212, "dial: connection refused"],
      [0, 1220, "read: connection reset by peer"],
      [0, 1000, "EOF"],
      [0, 1050, "request timeout"],
      [404, 1404, ""],
      [503, 1503, ""],
      [0, 1020, 'invalid URL: "nonsense"'],
      [200, 0, ""],
    ]);
  });

  it("counts as failed what is not expected", async () => {
    await using server = await testServer();
    const { result } = await runScript(
      `import http from "k6/http";
       export const options = { thresholds: { http_req_failed: "rate<1", "http_req_duration{expected_response:false}": "avg>=0", "http_reqs{status:418}": "count==2" } };
       export default function () {
         http.get(__ENV.BASE + "/status?code=200"); http.get(__ENV.BASE + "/status?code=418");
         http.get(__ENV.BASE + "/status?code=418", { responseCallback: http.expectedStatuses(418, { min: 500, max: 599 }) });
         http.setResponseCallback(http.expectedStatuses(500)); http.get(__ENV.BASE + "/status?code=500");
         http.setResponseCallback(null); http.get(__ENV.BASE + "/status?code=404");
       }`,
      { base: server.url },
    );
    expect(result.summary.metrics["http_req_failed"]).toMatchObject({
      values: { passes: 1, fails: 3, rate: 0.25 },
    });
    expect(
      result.thresholds.map((threshold) => [threshold.verdict, threshold.observed !== null]),
    ).toEqual([
      ["pass", true],
      ["pass", true],
      ["pass", true],
    ]);
  });
});

describe("batch", () => {
  it("answers in the shape it was asked, 6 at once to a host", async () => {
    await using server = await testServer();
    let open = 0;
    let most = 0;
    server.http.prependListener("request", (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      response.once("close", () => (open -= 1));
    });
    const { told } = await runScript(
      `import http from "k6/http";
       export default function () {
         const list = http.batch(Array.from({ length: 15 }, (_, i) => ["POST", __ENV.BASE + "/slow?ms=20&i=" + i, "b"]));
         console.log(JSON.stringify(list.map((r) => new RegExp("i=(.*)").exec(r.url)[1]).join()));
         const named = http.batch({ one: __ENV.BASE + "/echo", two: { method: "PUT", url: __ENV.BASE + "/echo" } });
         console.log(JSON.stringify([named.one.json("method"), named.two.json("method")]));
       }`,
      { base: server.url },
    );
    expect(told).toEqual(["0,1,2,3,4,5,6,7,8,9,10,11,12,13,14", ["GET", "PUT"]]);
    expect(most).toBe(6);
  });
});

describe("where requests may go", () => {
  const refused = (url: string, options: RunOptions = {}): Promise<unknown> =>
    runScript(
      `import http from "k6/http"; export default function () { http.get(${JSON.stringify(url)}); while (true) http.get("http://127.0.0.1:1/"); }`,
      options,
    ).catch((error: unknown) => error);

  it("refuses an address that is not loopback, ends the run, and says how to allow it", async () => {
    const error = await refused("http://192.0.2.7/");
    expect(error).toBeInstanceOf(StampedeError);
    expect(error).toMatchObject({
      code: "address-refused",
      exitCode: 104,
      hint: expect.stringContaining("--allow-host 192.0.2.7") as unknown,
    });
  });

  it("looks at where a redirect leads", async () => {
    await using server = await testServer();
    const to = encodeURIComponent("http://192.0.2.8:80/x");
    expect(await refused(`${server.url}/redirect?to=${to}`)).toMatchObject({
      code: "address-refused",
    });
    expect(server.seen).toEqual([`GET /redirect?to=${to}`]);
  });

  it("permits loopback in every spelling, and by name or address what is allowed", () => {
    const rule = new AddressRule(["shop.test", "10.0.0.5"]);
    expect(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"].map(isLoopback)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(
      ["10.0.0.1", "0.0.0.0", "fe80::1", "::ffff:10.0.0.1", "localhost"].map(isLoopback),
    ).toEqual([false, false, false, false, false]);
    expect(rule.permits("shop.test", "203.0.113.5")).toBe(true);
    expect(rule.permits("SHOP.test.", "203.0.113.5")).toBe(true);
    expect(rule.permits("other.test", "10.0.0.5")).toBe(true);
    expect(rule.permits("other.test", "10.0.0.6")).toBe(false);
    expect(rule.permits("localhost", "10.0.0.6")).toBe(false);
  });

  it("resolves names itself and lets localhost through", async () => {
    await using server = await testServer();
    const { told } = await runScript(
      `import http from "k6/http"; export default function () { console.log(JSON.stringify(http.get(__ENV.BASE + "/echo").status)); }`,
      { base: server.url.replace("127.0.0.1", "localhost") },
    );
    expect(told).toEqual([200]);
  });
});

describe("json(selector)", () => {
  const data = {
    name: { first: "A.B", last: "C" },
    age: 37,
    "fav.movie": "X",
    children: ["Sara", "Alex", "Jack"],
    friends: [
      { first: "Dale", age: 44, nets: ["ig", "fb"] },
      { first: "Roger", age: 68 },
      { first: "Jane", age: 47 },
    ],
  };
  it.each([
    ["name.last", "C"],
    ["age", 37],
    ["children", ["Sara", "Alex", "Jack"]],
    ["children.#", 3],
    ["children.1", "Alex"],
    ["child*.2", "Jack"],
    ["c?ildren.0", "Sara"],
    ["fav\\.movie", "X"],
    ["friends.#.first", ["Dale", "Roger", "Jane"]],
    ["friends.1.age", 68],
    ['friends.#(first=="Roger").age', 68],
    ["friends.#(age>45)#.first", ["Roger", "Jane"]],
    ['friends.#(first%"D*").nets.#', 2],
    ['children.#(!%"*a*")', "Alex"],
    ["nope.deep", undefined],
    ["children.9", undefined],
  ])("%s", (selector, expected) => {
    expect(selectJson(data, selector)).toEqual(expected);
  });
});

describe("URLs", () => {
  it.each([
    ["http://127.0.0.1:80/a?b=c#d", { origin: "http://127.0.0.1", path: "/a?b=c" }],
    ["http://localhost:8080", { origin: "http://localhost:8080", path: "/" }],
    [
      "http://localhost:8080/a b/ü?q=쿠폰",
      { origin: "http://localhost:8080", path: "/a%20b/%C3%BC?q=%EC%BF%A0%ED%8F%B0" },
    ],
    ["http://localhost/a/../b", { origin: "http://localhost", path: "/a/../b" }],
    ["https://u:p@localhost/x", { origin: "https://localhost", path: "/x", userinfo: "u:p" }],
  ])("%s", (text, expected) => {
    expect(parseUrl(text)).toMatchObject(expected);
  });

  it.each(["", "x", "ftp://localhost/", "http://", "//localhost/"])("%j is none", (text) => {
    expect(parseUrl(text)).toBeNull();
  });

  it("names a templated URL by its template", () => {
    expect(urlTemplate`http://x/${1}/y/${"z"}`).toMatchObject({
      name: "http://x/${}/y/${}",
      url: "http://x/1/y/z",
    });
  });
});
