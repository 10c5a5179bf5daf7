/** Bad input gets one message that says what was expected, exit 104, and nothing is started or left behind. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const cli = join(import.meta.dirname, "..", "cli.ts");
let home = "";
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "bad-input-"));
  mkdirSync(join(home, "tmp"));
  writeFileSync(join(home, "a-file"), "not a folder");
  mkdirSync(join(home, "empty"));
  mkdirSync(join(home, "odd"));
  writeFileSync(join(home, "odd", "holiday.txt"), "no books here");
  mkdirSync(join(home, "broken-csv"));
  writeFileSync(join(home, "broken-csv", "orders.csv"), "id,total\no1,many\n");
  mkdirSync(join(home, "newer"));
  writeFileSync(join(home, "newer", "run.json"), JSON.stringify({ format: 2 }));
  mkdirSync(join(home, "half"));
  writeFileSync(join(home, "half", "run.json"), '{"format": 1, "id":');
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const event = (change: string): string => `
import http from "k6/http";
export const event = { ...{
  title: "t", expectPeakPerS: 10, goodputKinds: ["order"], goodputScenarios: ["buyers"],
  customer: { attemptTimeoutS: 1, retries: 0, deadlineS: 4 },
  phases: [{ name: "baseline", durationS: 5, role: "baseline" }],
}, ...${change} };
export const options = { scenarios: { buyers: { executor: "constant-arrival-rate", rate: 1, duration: "5s", preAllocatedVUs: 1 } } };
export default function () { http.get(__ENV.BASE_URL); }
`;

interface Case {
  readonly what: string;
  /** Text of scenario.js; absent when the arguments alone are wrong. */
  readonly script?: string;
  readonly args?: readonly string[];
  /** What the message must say. */
  readonly says: RegExp;
}

const plain = (options: string, body = ""): string =>
  `export const options = ${options};\nexport default function () { ${body} }\n`;

const CASES: readonly Case[] = [
  {
    what: "a missing scenario",
    args: ["run", "no-such-night"],
    says: /there is no no-such-night[\s\S]*musinsa-all-user-blast/,
  },
  { what: "a folder as scenario", args: ["run", "empty"], says: /expected a script/ },
  { what: "an unknown command", args: ["fly"], says: /unknown command 'fly'/ },
  {
    what: "an unknown option",
    args: ["run", "musinsa-all-user-blast", "--faster"],
    says: /unknown option '--faster'/,
  },
  { what: "no scenario at all", args: ["run"], says: /missing required argument 'scenario'/ },
  {
    what: "a target that is not built",
    args: ["run", "musinsa-all-user-blast", "--target", "perfect"],
    says: /naive, guarded/,
  },
  {
    what: "a seed that is no number",
    args: ["run", "musinsa-all-user-blast", "--seed", "blue"],
    says: /whole number[\s\S]*blue/,
  },
  {
    what: "a negative seed",
    args: ["run", "musinsa-all-user-blast", "--seed=-1"],
    says: /whole number/,
  },
  {
    what: "a variable without a value",
    args: ["run", "musinsa-all-user-blast", "-e", "CAPACITY"],
    says: /NAME=VALUE/,
  },
  {
    what: "a capacity that is no rate",
    args: ["run", "musinsa-all-user-blast", "-e", "CAPACITY=lots"],
    says: /CAPACITY to be a rate[\s\S]*lots/,
  },
  { what: "a capacity of zero", args: ["demo", "-e", "CAPACITY=0"], says: /CAPACITY to be a rate/ },
  {
    what: "an output folder that is a file",
    args: ["demo", "--out", "a-file/below"],
    says: /cannot be written/,
  },
  {
    what: "a syntax error",
    script: "export default function () {\n  const = 1;\n}\n",
    says: /scenario\.js:2/,
  },
  {
    what: "an import that does not exist",
    script: 'import { x } from "./nowhere.js";\nexport default function () { x(); }\n',
    says: /scenario\.js:1[\s\S]*nowhere/,
  },
  {
    what: "a module no engine has",
    script: 'import sql from "k6/x/sql";\nexport default function () { sql.open(); }\n',
    says: /k6\/x\/sql/,
  },
  {
    what: "a Node module",
    script: 'import fs from "node:fs";\nexport default function () { fs.readFileSync("x"); }\n',
    says: /node:fs/,
  },
  {
    what: "an unknown executor",
    script: plain('{ scenarios: { a: { executor: "warp-drive" } } }'),
    says: /warp-drive/,
  },
  {
    what: "an unknown key in a scenario",
    script: plain(
      '{ scenarios: { a: { executor: "constant-vus", vus: 1, duration: "1s", speed: 9 } } }',
    ),
    says: /speed/,
  },
  {
    what: "a duration k6 would not read",
    script: plain('{ scenarios: { a: { executor: "constant-vus", vus: 1, duration: "soon" } } }'),
    says: /duration[\s\S]*soon|soon/,
  },
  {
    what: "an arrival rate without VUs",
    script: plain(
      '{ scenarios: { a: { executor: "constant-arrival-rate", rate: 5, duration: "1s" } } }',
    ),
    says: /preAllocatedVUs/,
  },
  {
    what: "a threshold on an unknown metric",
    script: plain('{ vus: 1, iterations: 1, thresholds: { no_such_metric: ["rate>0.9"] } }'),
    says: /no_such_metric/,
  },
  {
    what: "a threshold that is no expression",
    script: plain('{ vus: 1, iterations: 1, thresholds: { http_req_duration: ["fast please"] } }'),
    says: /fast please/,
  },
  {
    what: "a scenario that runs an export which is not there",
    script: plain(
      '{ scenarios: { a: { executor: "constant-vus", vus: 1, duration: "1s", exec: "buyNothing" } } }',
    ),
    says: /buyNothing/,
  },
  {
    what: "an event with a wrong type",
    script: event('{ expectPeakPerS: "many" }'),
    says: /scenario\.js:\d+[\s\S]*expectPeakPerS/,
  },
  { what: "an event with an unknown field", script: event("{ speed: 3 }"), says: /speed/ },
  {
    what: "several mistakes, all named",
    script: event('{ expectPeakPerS: -1, title: "" }'),
    says: /expectPeakPerS[\s\S]*title|title[\s\S]*expectPeakPerS/,
  },
  {
    what: "two stages that contradict",
    script: event(
      '{ phases: [{ name: "watch", durationS: 3, role: "watch" }, { name: "before", durationS: 2, role: "baseline" }] }',
    ),
    says: /cannot follow/,
  },
  {
    what: "a step after the end",
    script: event('{ timeline: [{ at: 99, operator: "restart" }] }'),
    says: /after the last phase/,
  },
  {
    what: "a fault that would never heal",
    script: event('{ timeline: [{ at: 1, fault: "refund-rail-down", target: "gateway" }] }'),
    says: /forS/,
  },
  {
    what: "a fault that does not exist",
    script: event('{ timeline: [{ at: 1, fault: "earthquake", target: "shop" }] }'),
    says: /timeline/,
  },
  {
    what: "an invariant that does not exist",
    script: event('{ judges: ["Z9"] }'),
    says: /no invariant Z9/,
  },
  {
    what: "a goodput scenario that is not in options",
    script: event('{ goodputScenarios: ["sellers"] }'),
    says: /sellers/,
  },
  {
    what: "a schedule longer than its phases",
    script: event('{ phases: [{ name: "baseline", durationS: 1, role: "baseline" }] }'),
    says: /no phase/,
  },
  { what: "judging neither a run nor books", args: ["judge"], says: /came neither/ },
  {
    what: "judging a folder that is not there",
    args: ["judge", "--evidence", "nowhere"],
    says: /there is no folder/,
  },
  { what: "judging an empty folder", args: ["judge", "--evidence", "empty"], says: /empty/ },
  { what: "judging files that are no books", args: ["judge", "--evidence", "odd"], says: /odd/ },
  {
    what: "judging a table whose money is a word",
    args: ["judge", "--evidence", "broken-csv"],
    says: /orders\.csv/,
  },
  { what: "a run folder that is none", args: ["judge", "empty"], says: /run\.json/ },
  { what: "a run folder of a newer format", args: ["report", "newer"], says: /format 2/ },
  { what: "a run.json cut off half way", args: ["compare", "half", "half"], says: /must be JSON/ },
];

describe("bad input: one message, exit 104, nothing left", () => {
  test.each(CASES.map((one) => [one.what, one] as const))("%s", (_what, { script, args, says }) => {
    const scenario = join(home, "scenario.js");
    if (script !== undefined) writeFileSync(scenario, script);
    const before = readdirSync(home).toSorted();
    const done = spawnSync(process.execPath, [cli, ...(args ?? ["run", scenario])], {
      cwd: home,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: home, TMPDIR: join(home, "tmp") },
      timeout: 20_000,
    });
    expect(done.stderr).toMatch(says);
    expect(done.stderr).not.toMatch(/\n\s+at .*\(|defect of stampede/);
    expect(done.status).toBe(104);
    expect(
      readdirSync(home)
        .toSorted()
        .filter((name) => name !== "stampede-runs" && name !== "scenario.js"),
    ).toEqual(before.filter((name) => name !== "stampede-runs" && name !== "scenario.js"));
    expect(existsSync(join(home, "tmp")) ? readdirSync(join(home, "tmp")) : []).toEqual([]);
  });

  test("a target that cannot be reached is a failed request, not a crash, in a plain script", () => {
    const scenario = join(home, "unreachable.js");
    writeFileSync(
      scenario,
      'import http from "k6/http";\nimport { check } from "k6";\nexport const options = { vus: 1, iterations: 1, thresholds: { checks: ["rate==1"] } };\nexport default function () { check(http.get("http://127.0.0.1:9/"), { up: (r) => r.status === 200 }); }\n',
    );
    const done = spawnSync(process.execPath, [cli, "run", scenario, "--out", join(home, "runs")], {
      cwd: home,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: home, TMPDIR: join(home, "tmp") },
      timeout: 20_000,
    });
    expect(done.status, done.stderr + done.stdout).toBe(99);
  });

  test("an address that is not loopback is refused before anything is sent, with the option that allows it", () => {
    const scenario = join(home, "elsewhere.js");
    writeFileSync(
      scenario,
      'import http from "k6/http";\nexport const options = { vus: 1, iterations: 1 };\nexport default function () { http.get("http://192.0.2.1/"); }\n',
    );
    const done = spawnSync(process.execPath, [cli, "run", scenario, "--out", join(home, "runs")], {
      cwd: home,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: home, TMPDIR: join(home, "tmp") },
      timeout: 20_000,
    });
    expect(done.status, done.stderr + done.stdout).toBe(104);
    expect(done.stderr + done.stdout).toMatch(/--allow-host/);
  });
});
