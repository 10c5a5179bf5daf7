/**
 * Whatever dies, nothing stays: the harness is killed with SIGKILL as each row of the ownership table appears, alone
 * (the keeper clears up) and together with its keeper (doctor does), and no process and no directory is left.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Home, stampede, until, type Ended } from "../commands/cli.fixture.ts";
import { secret } from "../determinism/seed.ts";
import { readTable, type OwnedRow } from "../target/ownership.ts";
import { findByMarker } from "../target/processes.ts";

const fixture = join(import.meta.dirname, "world.fixture.ts");
/** A root of the test's own: other runs of this machine neither see nor sweep it. */
const home = new Home("kill");
const root = join(home.tmp, `stampede-${process.getuid?.() ?? 0}`);
const directoryOf = (run: string): string => join(root, run);
/** Two cores: two worlds at a time. */
const AT_ONCE = 2;

function start(run: string): ChildProcess {
  return spawn(process.execPath, [fixture, run], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { PATH: process.env["PATH"], TMPDIR: home.tmp },
  });
}

const growing = (run: string): string => join(home.tmp, "runs", `.${run}.part`);
const left = (run: string): string[] => [
  ...findByMarker(directoryOf(run)).map((pid) => `process ${pid}`),
  ...[directoryOf(run), growing(run)].filter(existsSync),
];

/** Rows of a world that stands: name and kind of everything it makes, in order, learned from a real one. */
async function rowsOfAWorld(): Promise<OwnedRow[]> {
  const run = "learn";
  const child = start(run);
  const rows = (): readonly OwnedRow[] => readTable(directoryOf(run))?.rows ?? [];
  await until(() => rows().some((row) => row.name === "worker" && row.state === "held"));
  const found = [...rows()];
  expect(existsSync(growing(run))).toBe(true);
  child.kill("SIGKILL");
  await until(() => left(run).length === 0);
  return found;
}

let rows: OwnedRow[] = [];
beforeAll(async () => {
  mkdirSync(join(home.tmp, "runs"));
  rows = await rowsOfAWorld();
}, 60_000);
afterAll(() => home[Symbol.dispose]());

/** Does `one` for every row, `AT_ONCE` of them side by side. */
async function atEveryRow(one: (row: OwnedRow) => Promise<void>): Promise<void> {
  const waiting = [...rows];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) await one(row);
    }),
  );
}

async function killAt({ row, name }: OwnedRow, withKeeper: boolean): Promise<string> {
  const run = `row-${row}-${secret(3)}`;
  const dir = directoryOf(run);
  const child = start(run);
  const gone = once(child, "exit");
  const seen = await until(() => (readTable(dir)?.rows ?? []).some((other) => other.row === row));
  expect(seen, `row ${row} (${name}) appeared`).toBe(true);
  const keeper = readTable(dir)?.header.keeper.pid;
  child.kill("SIGKILL");
  if (withKeeper && keeper !== undefined) process.kill(keeper, "SIGKILL");
  await gone;
  return run;
}

const doctor = async (): Promise<Ended> => stampede(home, "doctor");

describe("killed with SIGKILL, a run leaves no process and no directory", () => {
  test("a world owns directories, ports, databases and processes", () => {
    expect(new Set(rows.map((row) => row.kind))).toEqual(
      new Set(["directory", "process", "port", "database"]),
    );
    expect(rows.map((row) => row.name)).toEqual(
      expect.arrayContaining([
        "postgres",
        "prepare",
        "gateway",
        "sink",
        "shop",
        "worker",
        "run folder",
      ]),
    );
  });

  test("harness killed at every row: the keeper clears up", { timeout: 120_000 }, async () => {
    await atEveryRow(async (row) => {
      const run = await killAt(row, false);
      await until(() => left(run).length === 0);
      expect(left(run), `after row ${row.row} (${row.name})`).toEqual([]);
    });
  });

  test(
    "harness and keeper killed together at every row: doctor clears up",
    { timeout: 120_000 },
    async () => {
      await atEveryRow(async (row) => {
        const run = await killAt(row, true);
        const { said } = await doctor();
        expect(said).toContain("ok ");
        // The other one's doctor may have come first and still be at it.
        await until(() => left(run).length === 0, 5_000);
        expect(left(run), `after row ${row.row} (${row.name})`).toEqual([]);
      });
    },
  );

  test("a folder below the root that carries no table of ours is left alone", async () => {
    const foreign = join(root, "not-ours");
    mkdirSync(foreign, { recursive: true });
    writeFileSync(join(foreign, "keep"), "me");
    await doctor();
    expect(readdirSync(foreign)).toEqual(["keep"]);
    rmSync(root, { recursive: true });
  });

  test("a process of somebody else that only names the folder is left alone", async () => {
    const run = await killAt(
      rows[0] ?? { row: 0, kind: "directory", name: "", detail: "", state: "held" },
      true,
    );
    const log = join(directoryOf(run), "ownership.jsonl");
    expect(readFileSync(log, "utf8")).toContain(run);
    const reader = spawn("tail", ["-f", log], { stdio: "ignore" });
    await doctor();
    expect(left(run)).toEqual([]);
    expect(reader.exitCode ?? reader.signalCode).toBeNull();
    reader.kill("SIGKILL");
  });
});
