/** The table of what a run owns: on disk before the thing exists, read back by whoever must undo it, nobody else's. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Home, until } from "../commands/cli.fixture.ts";
import {
  createTable,
  liveRuns,
  Ownership,
  ownershipRoot,
  readTable,
  runDirectory,
  sweepDeadOwners,
  undo,
} from "./ownership.ts";
import { findByMarker, identify, isAlive } from "./processes.ts";

const home = new Home("ownership");
const before = process.env["TMPDIR"];
beforeAll(() => {
  process.env["TMPDIR"] = home.tmp;
});
afterAll(() => {
  if (before === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = before;
  home[Symbol.dispose]();
});

/** A process that is over: its number and start, as a dead owner's table has them. */
function dead(): { pid: number; started: string } {
  const { pid } = spawnSync("true");
  return { pid, started: "1" };
}

/** A table whose owner and keeper are both `who`. */
function tableOf(run: string, who: { pid: number; started: string }): string {
  const dir = runDirectory(run);
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, "ownership.jsonl"),
    `${JSON.stringify({ stampede: 1, run, owner: who, keeper: who })}\n`,
  );
  return dir;
}

/** A process that carries the run's directory as the services do, and does not listen when it is asked to end. */
async function service(dir: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      "-e",
      "process.on('SIGQUIT', () => {}); console.log('up'); setInterval(() => {}, 1000)",
      "--",
      "--run-dir",
      dir,
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

describe("the table", () => {
  test("tells the last state of every row; only its owner may read it", () => {
    const dir = runDirectory("rows");
    createTable(dir, "rows", identify(process.pid));
    const ownership = new Ownership(dir);
    const postgres = ownership.intend("process", "postgres");
    expect(readTable(dir)?.rows).toEqual([
      { row: 0, kind: "process", name: "postgres", detail: "", state: "intended" },
    ]);
    postgres.held("4711@99");
    const port = ownership.intend("port", "postgres", "5432");
    port.held();
    postgres.released();
    expect(readTable(dir)?.rows).toEqual([
      { row: 0, kind: "process", name: "postgres", detail: "4711@99", state: "released" },
      { row: 1, kind: "port", name: "postgres", detail: "5432", state: "held" },
    ]);
    expect(statSync(join(dir, "ownership.jsonl")).mode & 0o777).toBe(0o600);
  });

  test("a line cut off while it was written is no row; a table without its head is none", () => {
    const dir = tableOf("cut", identify(process.pid));
    const ownership = new Ownership(dir);
    ownership.intend("directory", "a", join(home.tmp, "a"));
    appendFileSync(join(dir, "ownership.jsonl"), '{"row":1,"kind":"directory","name":"b","det');
    expect(readTable(dir)?.rows.map((row) => row.name)).toEqual(["a"]);
    const headless = runDirectory("headless");
    mkdirSync(headless);
    writeFileSync(join(headless, "ownership.jsonl"), '{"row":0,"kind":"port","name":"p"}\n');
    expect(readTable(headless)).toBeNull();
    expect(readTable(runDirectory("nowhere"))).toBeNull();
  });
});

describe("undo", () => {
  test("ends the run's processes, removes its directories wherever they are, and can be repeated", async () => {
    const dir = tableOf("undone", dead());
    const ownership = new Ownership(dir);
    const elsewhere = join(home.out, ".run.part");
    mkdirSync(elsewhere);
    ownership.intend("directory", "run folder", elsewhere).held();
    const kept = join(home.out, "published");
    mkdirSync(kept);
    ownership.intend("directory", "run folder", kept).released();
    const child = await service(dir);
    const gone = once(child, "exit");
    const undone = await undo(dir);
    expect(undone).toEqual([`process ${child.pid}`, `directory ${elsewhere}`, `directory ${dir}`]);
    expect((await gone)[1]).toBe("SIGKILL"); // it did not listen when asked
    expect([elsewhere, dir].filter(existsSync)).toEqual([]);
    expect(existsSync(kept)).toBe(true);
    expect(await undo(dir)).toEqual([]);
  });

  test("a process that only mentions the directory is nobody's of the run", async () => {
    const dir = tableOf("mentioned", dead());
    const table = join(dir, "ownership.jsonl");
    const reader = spawn("tail", ["-f", table], { stdio: "ignore" });
    await until(() => readFileSync(`/proc/${reader.pid}/cmdline`, "utf8").includes(table));
    expect(findByMarker(dir)).toEqual([]);
    await undo(dir);
    expect(reader.exitCode ?? reader.signalCode).toBeNull();
    reader.kill("SIGKILL");
  });
});

describe("the sweep", () => {
  test("undoes the dead, spares the living and what is not ours", async () => {
    const ours = tableOf("dead", dead());
    const living = tableOf("living", identify(process.pid));
    const reused = tableOf("reused", { pid: process.pid, started: "1" }); // the number lives on, the process does not
    const foreign = join(ownershipRoot(), "foreign");
    mkdirSync(foreign);
    writeFileSync(join(foreign, "keep"), "me");
    expect(liveRuns()).toContain("living");
    expect(liveRuns()).not.toContain("reused");
    const swept = await sweepDeadOwners();
    expect(swept.map((one) => one.run)).toEqual(expect.arrayContaining(["dead", "reused"]));
    expect([ours, reused].filter(existsSync)).toEqual([]);
    expect([living, join(foreign, "keep")].every((path) => existsSync(path))).toBe(true);
    await undo(living);
  });

  test("a process is known by its number and its start together", () => {
    const me = identify(process.pid);
    expect(isAlive(me)).toBe(true);
    expect(isAlive({ ...me, started: `${me.started}0` })).toBe(false);
    expect(isAlive({ pid: me.pid, started: "" })).toBe(false);
    expect(identify(dead().pid).started).toBe("");
  });
});

describe("the keeper", () => {
  function keeper(run: string): { child: ChildProcess; dir: string } {
    const dir = runDirectory(run);
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "keeper.ts"), "--run-dir", dir, String(process.pid)],
      { stdio: ["pipe", "pipe", "inherit"], env: {} }, // no TMPDIR, as the stage starts it
    );
    return { child, dir };
  }

  test("makes the table before it says it is ready, ignores signals, undoes at the pipe's end", async () => {
    const { child, dir } = keeper("kept");
    if (child.stdout === null) throw new Error("no stdout");
    await once(child.stdout, "data");
    expect(readTable(dir)?.header).toMatchObject({
      run: "kept",
      owner: identify(process.pid),
      keeper: { pid: child.pid },
    });
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) child.kill(name);
    const of = await service(dir);
    const ended = once(of, "exit");
    expect(child.exitCode ?? child.signalCode).toBeNull();
    const gone = once(child, "exit");
    child.stdin?.end();
    expect(await gone).toEqual([0, null]);
    expect(existsSync(dir)).toBe(false);
    expect((await ended)[1]).toBe("SIGKILL");
  });

  test("a farewell is no death: nothing is undone", async () => {
    const { child, dir } = keeper("farewell");
    if (child.stdout === null) throw new Error("no stdout");
    await once(child.stdout, "data");
    const gone = once(child, "exit");
    child.stdin?.end("farewell\n");
    expect(await gone).toEqual([0, null]);
    expect(existsSync(dir)).toBe(true);
    await undo(dir);
  });
});
