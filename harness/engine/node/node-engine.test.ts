/** The embedded engine as a whole: scripts from their first line to their exit code, on a real server. */
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { loadScript, runScript, testServer } from "./test-script.ts";

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no error",
    (error: unknown) => error,
  );

describe("a plain k6 script", () => {
  it("without options runs one iteration of default", async () => {
    await using server = await testServer();
    const { result, arrivals } = await runScript(
      `import http from "k6/http"; export default function () { http.get(__ENV.BASE); }`,
      { base: server.url },
    );
    expect(server.seen).toEqual(["GET /"]);
    expect(result).toMatchObject({ exitCode: 0, because: null, thresholds: [], summaryFiles: {} });
    expect(arrivals).toHaveLength(1);
    expect(result.summary.metrics).toMatchObject({
      http_reqs: { type: "counter", contains: "default", values: { count: 1 } },
      iterations: { values: { count: 1 } },
      data_sent: { contains: "data" },
      http_req_duration: { type: "trend", contains: "time" },
      "http_req_duration{expected_response:true}": { type: "trend" },
    });
  });

  it("goes through setup, VUs, teardown and handleSummary with k6's data", async () => {
    const { result, lines, told } = await runScript(`
      import { check, group } from "k6";
      import { Counter, Trend } from "k6/metrics";
      const mine = new Counter("mine"); const size = new Trend("size");
      export const options = { scenarios: { s: { executor: "per-vu-iterations", vus: 2, iterations: 2, exec: "go", env: { WHO: "me" } } }, thresholds: { mine: ["count==4", "count<1"] }, summaryTrendStats: ["avg", "p(99)", "count"] };
      export function setup() { return { list: [1] }; }
      export function go(data) {
        data.list.push(2);
        group("outer", () => { group("inner", () => check(data, { two: (d) => d.list.length === 2, three: (d) => d.list.length === 3, plain: true })); });
        mine.add(1); size.add(-5); size.add(10);
        console.log(JSON.stringify([__VU, __ITER, __ENV.WHO, data.list]));
      }
      export function teardown(data) { console.log("down " + JSON.stringify(data)); }
      export function handleSummary(data) { return { "out.json": JSON.stringify(data), stdout: "done", bytes: new Uint8Array([79, 75]) }; }`);
    expect(told.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
      [1, 0, "me", [1, 2]],
      [1, 1, "me", [1, 2, 2]],
      [2, 0, "me", [1, 2]],
      [2, 1, "me", [1, 2, 2]],
    ]);
    expect(lines).toContain('down {"list":[1]}');
    expect(result.summaryFiles).toMatchObject({ stdout: "done", bytes: "OK" });
    const data: unknown = JSON.parse(result.summaryFiles["out.json"] ?? "");
    expect(data).toEqual(JSON.parse(JSON.stringify(result.summary)));
    expect(data).toMatchObject({
      root_group: {
        name: "",
        path: "",
        id: "d41d8cd98f00b204e9800998ecf8427e",
        checks: [],
        groups: [
          { name: "outer", path: "::outer", checks: [], groups: [{ path: "::outer::inner" }] },
        ],
      },
      setup_data: { list: [1] },
      metrics: {
        mine: {
          type: "counter",
          contains: "default",
          values: { count: 4 },
          thresholds: { "count==4": { ok: true }, "count<1": { ok: false } },
        },
        size: { type: "trend", contains: "default", values: { avg: 2.5, count: 8 } },
        checks: { type: "rate", values: { rate: 8 / 12, passes: 8, fails: 4 } },
      },
    });
    const [inner] = (data as { root_group: { groups: [{ groups: [{ checks: object[] }] }] } })
      .root_group.groups[0].groups;
    expect(inner.checks).toMatchObject([
      { name: "two", path: "::outer::inner::two", passes: 2, fails: 2 },
      { name: "three", passes: 2, fails: 2 },
      { name: "plain", passes: 4, fails: 0 },
    ]);
  });

  it("gives every VU its own module state, and all VUs one SharedArray and one reading of open()", async () => {
    const { told, lines } = await runScript(`
      import { SharedArray } from "k6/data";
      let made = 0; let mine = 0;
      const shared = new SharedArray("s", () => { console.log("made"); return [{ a: 1 }, { a: 2 }]; });
      const text = open("./script.js"); const bytes = open("script.js", "b");
      export const options = { scenarios: { s: { executor: "per-vu-iterations", vus: 3, iterations: 2 } } };
      export default function () {
        mine += 1; let frozen = false;
        try { shared[0].a = 9; } catch { frozen = true; }
        if (__ITER === 1) console.log(JSON.stringify([mine, shared.length, shared[1].a, shared.map((x) => x.a), frozen, text.length === bytes.byteLength]));
      }`);
    expect(told).toEqual(Array.from({ length: 3 }, () => [2, 2, 2, [1, 2], true, true]));
    expect(lines.filter((line) => line === "made")).toHaveLength(1);
  });

  it("counts an exception in an iteration as told, with the user's own line, and goes on", async () => {
    const { result, lines } = await runScript(`
      export const options = { vus: 1, iterations: 9 };
      export default function () {
        throw new Error("oops");
      }`);
    expect(result.exitCode).toBe(0);
    expect(result.summary.metrics["iterations"]).toMatchObject({ values: { count: 9 } });
    const told = lines.filter((line) => line.includes("Error: oops"));
    expect(told[0]).toMatch(/script\.js:4/);
    expect(told).toHaveLength(6);
    expect(told.at(-1)).toContain("9 times");
  });

  it("draws Math.random from (seed, scenario, iteration), whichever VU runs it", async () => {
    const draw = async (seed: number, vus: number): Promise<unknown> => {
      const { told } = await runScript(
        `import exec from "k6/execution"; import { sleep, randomSeed } from "k6"; import { uniform, permute } from "@stampede-sre/stampede";
         export const options = { vus: ${vus}, iterations: 12 };
         export default function () { const n = exec.scenario.iterationInTest; sleep(0.001); console.log(JSON.stringify([n, Math.random(), Math.random(), uniform("x", n), permute(12, n), Math.max(1, 2)])); }`,
        { seed },
      );
      return (told as number[][]).toSorted(([a = 0], [b = 0]) => a - b);
    };
    const first = await draw(7, 1);
    expect(await draw(7, 4)).toEqual(first);
    expect(await draw(8, 1)).not.toEqual(first);
    expect(new Set((first as number[][]).map((row) => row[4])).size).toBe(12);
  });
});

describe("how a run ends", () => {
  const code = async (body: string): Promise<readonly [number, string | null]> => {
    const { result } = await runScript(body);
    return [result.exitCode, result.because];
  };

  it.each([
    [
      "init code that throws",
      `throw new Error("early");`,
      {
        exitCode: 107,
        code: "script",
        message: expect.stringMatching(/early[\s\S]*script\.js:1/) as unknown,
      },
    ],
    [
      "setup that throws",
      `export function setup() { null.x; } export default function () {}`,
      { exitCode: 107, code: "script" },
    ],
    [
      "setup that hangs",
      `import { sleep } from "k6"; export const options = { setupTimeout: "50ms" }; export function setup() { sleep(60); } export default function () {}`,
      { exitCode: 100, code: "setup-timeout" },
    ],
    [
      "test.abort() in setup",
      `import exec from "k6/execution"; export function setup() { exec.test.abort("no"); } export default function () {}`,
      { exitCode: 108 },
    ],
    [
      "test.abort() in the init code",
      `import exec from "k6/execution"; exec.test.abort("no"); export default function () {}`,
      { exitCode: 108 },
    ],
    [
      "no default function",
      `export function go() {}`,
      {
        exitCode: 104,
        message: expect.stringContaining("exports no function default; it exports go") as unknown,
      },
    ],
    [
      "http in the init code",
      `import http from "k6/http"; http.get("http://127.0.0.1/"); export default function () {}`,
      { exitCode: 104 },
    ],
  ])("%s", async (_name, script, expected) => {
    expect(await failure(runScript(script))).toMatchObject(expected);
  });

  it("teardown that hangs or throws: 101, 107", async () => {
    expect(
      await code(
        `import { sleep } from "k6"; export const options = { teardownTimeout: "50ms" }; export default function () {} export function teardown() { sleep(60); }`,
      ),
    ).toEqual([101, "teardown() must end within 0.05 s; it did not"]);
    expect(
      await code(
        `export default function () {} export function teardown() { throw new Error("x"); }`,
      ),
    ).toEqual([107, expect.stringContaining("teardown() threw: Error: x")]);
  });

  it("test.abort() ends every iteration at once, catch or not, and still tears down: 108; test.fail() goes on: 110", async () => {
    const aborted = await runScript(`
      import exec from "k6/execution"; import { sleep } from "k6";
      export const options = { scenarios: { s: { executor: "per-vu-iterations", vus: 3, iterations: 5 } } };
      export default function () {
        if (__VU === 2) { sleep(0.05); try { exec.test.abort("enough"); } catch {} for (;;) sleep(1); }
        for (;;) { try { sleep(10); } catch {} finally { console.log("finally"); } }
      }
      export function teardown() { console.log("down"); }`);
    expect(aborted.result).toMatchObject({ exitCode: 108, because: "test.abort(): enough" });
    expect(aborted.arrivals.map((arrival) => arrival.state)).toEqual([
      "interrupted",
      "interrupted",
      "interrupted",
    ]);
    expect(aborted.lines).toEqual(["down"]);
    const failed = await runScript(
      `import exec from "k6/execution"; export const options = { iterations: 2 }; export default function () { exec.test.fail("bad"); }`,
    );
    expect(failed.result).toMatchObject({ exitCode: 110, because: "test.fail(): bad" });
    expect(failed.arrivals).toHaveLength(2);
  });

  it("a crossed threshold with abortOnFail ends it early", async () => {
    const { result, lines } = await runScript(`
      import { check, sleep } from "k6";
      export const options = { vus: 1, duration: "30s", thresholds: { checks: [{ threshold: "rate>0.9", abortOnFail: true }] } };
      export default function () { check(1, { no: (x) => x === 2 }); sleep(0.1); }`);
    expect(result.exitCode).toBe(0);
    expect(result.thresholds).toMatchObject([
      { name: "checks", expression: "rate>0.9", observed: 0, verdict: "fail" },
    ]);
    expect(result.summary.state.testRunDurationMs).toBeLessThan(4000);
    expect(lines[0]).toContain("the run ends early: threshold checks rate>0.9 is crossed");
  });

  it("a signal interrupts iterations, records open operations as unknown, tears down, and leaves no socket and no timer", async () => {
    await using server = await testServer();
    const timersBefore = process
      .getActiveResourcesInfo()
      .filter((name) => name === "Timeout").length;
    const controller = new AbortController();
    const { result, operations, arrivals, lines } = await runScript(
      `import http from "k6/http"; import { sleep } from "k6"; import { op } from "@stampede-sre/stampede";
       export const options = { scenarios: { a: { executor: "constant-arrival-rate", rate: 20, duration: "30s", preAllocatedVUs: 20 }, b: { executor: "constant-vus", vus: 2, duration: "30s" } } };
       export default function () { if (__VU > 20) { sleep(20); } else op({ kind: "order", intent: "i" + __VU }, () => http.post(__ENV.BASE + "/hang")); }
       export function teardown() { console.log("down " + http.get(__ENV.BASE + "/echo").status); }`,
      {
        base: server.url,
        signal: controller.signal,
        meanwhile: async (run) => {
          await wait(300);
          expect(run.live().inFlight).toBeGreaterThan(3);
          controller.abort();
        },
      },
    );
    expect(result).toMatchObject({ exitCode: 105, because: "the run was interrupted" });
    expect(lines).toEqual(["down 200"]);
    expect(new Set(arrivals.map((arrival) => arrival.state))).toEqual(new Set(["interrupted"]));
    expect(operations.length).toBe(arrivals.length - 2);
    expect(new Set(operations.map((op) => `${op.outcome} ${op.error}`))).toEqual(
      new Set(["info interrupted"]),
    );
    await wait(20);
    expect(
      await new Promise((resolve) => server.http.getConnections((_error, count) => resolve(count))),
    ).toBe(0);
    expect(
      process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
    ).toBeLessThanOrEqual(timersBefore + 1);
  });
});

describe("executors", () => {
  it("constant-arrival-rate keeps its schedule and counts whom nobody could take", async () => {
    const { result, arrivals } = await runScript(`
      import { sleep } from "k6";
      export const options = { scenarios: { s: { executor: "constant-arrival-rate", rate: 20, duration: "1s", preAllocatedVUs: 2, gracefulStop: "0s" } }, thresholds: { dropped_iterations: "count<5" } };
      export default function () { sleep(0.32); }`);
    expect(arrivals.map((arrival) => arrival.iteration).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    for (const {
      iteration,
      time_intended_ns: intended,
      time_start_ns: started,
      state,
    } of arrivals) {
      expect(intended).toBe(iteration * 5e7);
      if (state === "dropped") expect(started).toBe(-1);
      else expect(started).toBeGreaterThanOrEqual(intended);
    }
    const of = (state: string): number =>
      arrivals.filter((arrival) => arrival.state === state).length;
    expect(of("dropped")).toBeGreaterThanOrEqual(11);
    // Two virtual users exist: at most two were at work when the schedule ended, fewer on a machine that lags.
    expect(of("interrupted")).toBeLessThanOrEqual(2);
    expect(of("interrupted") + of("completed") + of("dropped")).toBe(20);
    expect(result.generator).toMatchObject({ dropped: of("dropped"), saturated: true });
    expect(result.thresholds).toMatchObject([{ verdict: "fail", observed: of("dropped") }]);
  });

  it("starts late arrivals late but never moves them: a blocked event loop shows as lateness", async () => {
    const { arrivals, result } = await runScript(`
      export const options = { scenarios: { s: { executor: "ramping-arrival-rate", startRate: 50, preAllocatedVUs: 100, stages: [{ duration: "1s", target: 50 }] } } };
      let blocked = false;
      export default function () { if (__VU === 1 && !blocked) { blocked = true; const until = Date.now() + 400; while (Date.now() < until); } }`);
    expect(arrivals).toHaveLength(50);
    expect(arrivals.map((arrival) => Math.round(arrival.time_intended_ns / 1e6))).toEqual(
      Array.from({ length: 50 }, (_, i) => 20 * (i + 1)),
    );
    expect(
      Math.max(...arrivals.map((arrival) => arrival.time_start_ns - arrival.time_intended_ns)),
    ).toBeGreaterThan(3e8);
    expect(result.generator).toMatchObject({
      saturated: true,
      because: expect.arrayContaining([expect.stringContaining("late")]) as unknown,
    });
  });

  it("shared-iterations, per-vu-iterations, constant-vus and ramping-vus do their amount of work", async () => {
    const { arrivals, told } = await runScript(`
      import { sleep } from "k6"; import exec from "k6/execution";
      const tell = (name) => console.log(JSON.stringify([name, __VU]));
      export const options = { scenarios: {
        shared: { executor: "shared-iterations", vus: 3, iterations: 10 },
        each: { executor: "per-vu-iterations", vus: 3, iterations: 4, startTime: "200ms" },
        fixed: { executor: "constant-vus", vus: 2, duration: "1s" },
        ramp: { executor: "ramping-vus", startVUs: 1, stages: [{ duration: "500ms", target: 3 }, { duration: "500ms", target: 0 }] },
      } };
      export default function () { tell(exec.scenario.name); sleep(exec.scenario.name === "fixed" || exec.scenario.name === "ramp" ? 0.1 : 0.001); }`);
    const of = (name: string): readonly (readonly [string, number])[] =>
      (told as [string, number][]).filter(([scenario]) => scenario === name);
    expect(of("shared")).toHaveLength(10);
    expect(of("each")).toHaveLength(12);
    expect(new Set(of("each").map(([, vu]) => vu)).size).toBe(3);
    expect(of("fixed").length).toBeGreaterThanOrEqual(14);
    expect(of("fixed").length).toBeLessThanOrEqual(20);
    expect(new Set(of("ramp").map(([, vu]) => vu)).size).toBe(3);
    expect(of("ramp").length).toBeGreaterThanOrEqual(8);
    expect(of("ramp").length).toBeLessThanOrEqual(22);
    expect(arrivals.every((arrival) => arrival.state === "completed")).toBe(true);
  });
});

describe("operations", () => {
  it("are recorded with process, intent, phase and the three times of design.md §6", async () => {
    await using server = await testServer();
    const { operations, told } = await runScript(
      `import http from "k6/http"; import { sleep } from "k6"; import { op } from "@stampede-sre/stampede"; import exec from "k6/execution";
       export const options = { scenarios: { buy: { executor: "ramping-arrival-rate", startRate: 2, preAllocatedVUs: 1, stages: [{ duration: "1s", target: 2 }] } } };
       export default function () {
         const n = exec.scenario.iterationInTest;
         const read = op({ kind: "lookup", intent: "l" + n }, () => http.get(__ENV.BASE + "/hang", { timeout: "20ms" }));
         const first = op({ kind: "order", intent: "o" + n, request: { user_id: 5 } }, () => http.post(__ENV.BASE + "/hang", null, { timeout: "20ms" }));
         sleep(0.05);
         const second = op({ kind: "order", intent: "o" + n, attempt: 2 }, () => http.post(__ENV.BASE + "/echo", "{}"));
         console.log(JSON.stringify([read.outcome, first.outcome, second.outcome, second.final, second.status]));
       }`,
      {
        base: server.url,
        phases: [
          { name: "one", startS: 0, endS: 0.6 },
          { name: "two", startS: 0.6, endS: 9 },
        ],
      },
    );
    expect(told).toEqual([
      ["fail", "info", "ok", true, 200],
      ["fail", "info", "ok", true, 200],
    ]);
    expect(
      operations.map((op) => [
        op.kind,
        op.attempt,
        op.outcome,
        op.error,
        op.process,
        op.phase,
        op.iteration,
        op.scenario,
      ]),
    ).toEqual([
      ["lookup", 1, "fail", "timeout", "0.1.0", "one", 0, "buy"],
      ["order", 1, "info", "timeout", "0.1.0", "one", 0, "buy"],
      ["order", 2, "ok", "", "0.1.1", "one", 0, "buy"],
      ["lookup", 1, "fail", "timeout", "0.1.1", "two", 1, "buy"],
      ["order", 1, "info", "timeout", "0.1.1", "two", 1, "buy"],
      ["order", 2, "ok", "", "0.1.2", "two", 1, "buy"],
    ]);
    const [read, first, second] = operations;
    expect(read?.time_intended_ns).toBe(5e8);
    expect(first?.time_intended_ns).toBe(first?.time_invoke_ns);
    expect(second?.time_intended_ns).toBe(first?.time_intended_ns);
    expect((second?.time_invoke_ns ?? 0) - (first?.time_complete_ns ?? 0)).toBeGreaterThan(4.5e7);
    expect(second?.time_complete_ns).toBeGreaterThan(second?.time_invoke_ns ?? 0);
    expect(first?.request).toEqual({ user_id: 5 });
    expect(second?.response).toMatchObject({ method: "POST" });
  });

  it("record what was sent before the script threw as unknown", async () => {
    await using server = await testServer();
    const { operations } = await runScript(
      `import http from "k6/http"; import { op } from "@stampede-sre/stampede";
       export default function () { op({ kind: "order", intent: "x" }, () => { http.post(__ENV.BASE + "/echo"); throw new Error("mine"); }); }`,
      { base: server.url },
    );
    expect(operations).toMatchObject([{ outcome: "info", error: "exception: mine", intent: "x" }]);
  });
});

describe("the phase tag", () => {
  it("is a request's own start, so that a threshold sees its phase only", async () => {
    await using server = await testServer();
    const { result } = await runScript(
      `import http from "k6/http";
       export const options = { scenarios: { s: { executor: "constant-arrival-rate", rate: 10, duration: "1s", preAllocatedVUs: 2 } },
         thresholds: { "http_reqs{phase:a}": "count==5", "http_reqs{phase:b}": "count==5", "http_reqs{phase:c}": "count<1", "iterations{phase:a,scenario:s}": "count==5" } };
       export default function () { http.get(__ENV.BASE + "/echo"); }`,
      {
        base: server.url,
        phases: [
          { name: "a", startS: 0, endS: 0.45 },
          { name: "b", startS: 0.45, endS: 1 },
        ],
      },
    );
    expect(result.thresholds.map((threshold) => threshold.verdict)).toEqual([
      "pass",
      "pass",
      "inconclusive",
      "pass",
    ]);
  });
});

describe("load", () => {
  it("tells what the script says before the first request", async () => {
    const script = (rate: number): string => `
      export const options = { scenarios: { a: { executor: "constant-arrival-rate", rate: ${rate}, duration: "10s", preAllocatedVUs: 1 }, b: { executor: "ramping-arrival-rate", startTime: "5s", preAllocatedVUs: 1, stages: [{ duration: "20s", target: 40 }] } } };
      export const event = { title: "x" };
      export default function () {}`;
    const loaded = await loadScript(script(30));
    expect(loaded).toMatchObject({
      event: { title: "x" },
      durationS: 25,
      peakPerS: 40,
      eventAt: expect.stringMatching(/script\.js:3$/) as unknown,
    });
    expect((await loadScript(script(30))).scheduleHash).toBe(loaded.scheduleHash);
    expect((await loadScript(script(31))).scheduleHash).not.toBe(loaded.scheduleHash);
  });

  it("names every problem of the options at once", async () => {
    const error = await failure(
      loadScript(`
        import { Rate } from "k6/metrics"; new Rate("good");
        export const options = {
          vus: 3, rps: 5, surprise: 1, setupTimeout: "soon",
          scenarios: {
            "bad name": { executor: "constant-vus", vus: 0, duration: "100ms" },
            a: { executor: "constant-arrival-rate", rate: 1.5, duration: "10s", preAllocatedVUs: 5, maxVUs: 2, extra: 1 },
            b: { executor: "ramping-arrival-rate", stages: [{ target: "x" }], preAllocatedVUs: 1, timeUnit: 0, exec: "nope" },
            c: { executor: "externally-controlled" },
          },
          thresholds: { good: ["avg<1", "rate>"], nope: "rate>1" },
        };
        export default function () {}`),
    );
    expect(error).toMatchObject({ code: "configuration", exitCode: 104 });
    const { message } = error as Error;
    for (const part of [
      "script.js:3",
      "rps: k6 knows this option",
      "surprise: unknown option",
      'setupTimeout: expected a duration like "30s" or "1m30s"; got "soon"',
      '"bad name"',
      "scenarios.bad name.vus: must be at least 1; got 0",
      "scenarios.bad name.duration: must be at least 1s",
      "scenarios.a.rate: expected an integer; got 1.5",
      "scenarios.a.maxVUs: must not be less than preAllocatedVUs (5); got 2",
      "scenarios.a.extra: unknown option",
      "scenarios.b.stages[0].duration",
      'scenarios.b.stages[0].target: expected an integer; got "x"',
      "scenarios.b.timeUnit: must be more than 0",
      "scenarios.b.exec: the script exports no function nope",
      "scenarios.c.executor: expected one of",
      "thresholds.good: good is a rate and has rate; got avg<1",
      'expected an expression like "p(95)<500"; got "rate>"',
      "thresholds.nope: no metric is named nope",
    ])
      expect(message).toContain(part);
  });

  it("refuses shortcuts that contradict each other", async () => {
    expect(
      await failure(
        loadScript(
          `export const options = { duration: "1s", stages: [{ duration: "1s", target: 1 }] }; export default function () {}`,
        ),
      ),
    ).toMatchObject({
      message: expect.stringContaining("duration and stages: only one of") as unknown,
    });
  });
});
