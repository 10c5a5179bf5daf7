/**
 * Whatever dies, nothing stays: the harness is killed with SIGKILL as each row of the ownership table appears, alone
 * (the keeper clears up) and together with its keeper (doctor does), and no process and no directory is left.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { sleepMs } from "../determinism/clock.ts";
import { secret } from "../determinism/seed.ts";
import { ownershipRoot, readTable, runDirectory, type OwnedRow } from "../target/ownership.ts";
import { findByMarker } from "../target/processes.ts";

const fixture = join(import.meta.dirname, "world.fixture.ts");
const cli = join(import.meta.dirname, "..", "cli.ts");

function start(run: string): ChildProcess {
  return spawn(process.execPath, [fixture, run], { stdio: ["ignore", "ignore", "inherit"] });
}

/** Waits until `found` says yes, or gives up after 20 s. */
async function until(found: () => boolean, everyMs = 2): Promise<boolean> {
  for (let waited = 0; waited < 20_000; waited += everyMs) {
    if (found()) return true;
    await sleepMs(everyMs);
  }
  return false;
}

const left = (dir: string): string[] => [
  ...findByMarker(dir).map((pid) => `process ${pid}`),
  ...(existsSync(dir) ? [`directory ${dir}`] : []),
];

/** Rows of a world that stands: name and kind of everything it makes, in order, learned from a real one. */
async function rowsOfAWorld(): Promise<OwnedRow[]> {
  const run = `kill-learn-${secret(3)}`;
  const dir = runDirectory(run);
  const child = start(run);
  await until(
    () =>
      (readTable(dir)?.rows ?? []).filter((row) => row.kind === "process" && row.state === "held")
        .length >= 5,
    20,
  );
  await sleepMs(300);
  const rows = readTable(dir)?.rows ?? [];
  child.kill("SIGKILL");
  await until(() => left(dir).length === 0, 50);
  return [...rows];
}

let rows: OwnedRow[] = [];
beforeAll(async () => {
  rows = await rowsOfAWorld();
}, 60_000);

async function killAtRow(
  row: number,
  withKeeper: boolean,
): Promise<{ dir: string; seen: boolean }> {
  const run = `kill-${row}-${secret(3)}`;
  const dir = runDirectory(run);
  const child = start(run);
  const gone = once(child, "exit");
  const seen = await until(() => (readTable(dir)?.rows ?? []).some((r) => r.row === row));
  const keeper = readTable(dir)?.header.keeper.pid;
  child.kill("SIGKILL");
  if (withKeeper && keeper !== undefined) process.kill(keeper, "SIGKILL");
  await gone;
  return { dir, seen };
}

describe("killed with SIGKILL, a run leaves no process and no directory", () => {
  test("a world owns directories, ports, databases and processes", () => {
    expect(new Set(rows.map((row) => row.kind))).toEqual(
      new Set(["directory", "process", "port", "database"]),
    );
    expect(rows.filter((row) => row.kind === "process").map((row) => row.name)).toEqual(
      expect.arrayContaining(["postgres", "prepare", "gateway", "sink", "shop", "worker"]),
    );
  });

  test("harness killed at every row: the keeper clears up", { timeout: 300_000 }, async () => {
    for (const { row, name } of rows) {
      const { dir, seen } = await killAtRow(row, false);
      expect(seen, `row ${row} (${name}) appeared`).toBe(true);
      await until(() => left(dir).length === 0, 25);
      expect(left(dir), `after row ${row} (${name})`).toEqual([]);
    }
  });

  test(
    "harness and keeper killed together at every row: doctor clears up",
    { timeout: 300_000 },
    async () => {
      for (const { row, name } of rows) {
        const { dir } = await killAtRow(row, true);
        const doctor = spawnSync(process.execPath, [cli, "doctor"], { encoding: "utf8" });
        expect(doctor.stdout, doctor.stderr).toContain("ok ");
        expect(left(dir), `after row ${row} (${name})`).toEqual([]);
      }
    },
  );

  test("a folder below the root that carries no table of ours is left alone", async () => {
    const foreign = join(ownershipRoot(), "not-ours");
    mkdirSync(foreign, { recursive: true });
    writeFileSync(join(foreign, "keep"), "me");
    spawnSync(process.execPath, [cli, "doctor"]);
    expect(readdirSync(foreign)).toEqual(["keep"]);
    spawnSync("rm", ["-r", foreign]);
  });
});
