/**
 * Ctrl-C at any moment heals, drains, reports and exits 105; a second one only heals; kill -9 leaves nothing either.
 * Every case is a real run of the short night in a temporary folder of its own, interrupted as a terminal does it.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sleepMs } from "../determinism/clock.ts";
import { Database, literal, type Row } from "../history/duckdb.ts";
import { readVerdict, runPaths, type Verdict } from "../history/run-folder.ts";
import { Cli, growing, Home, until } from "./cli.fixture.ts";

/** The one finished run folder, whole, with a verdict that says "interrupted". */
function reportOf(home: Home): { dir: string; verdict: Verdict } {
  const [dir = "", ...more] = home.runs();
  expect(more).toEqual([]);
  const paths = runPaths(dir);
  for (const path of [paths.run, paths.ops, paths.summary, paths.report, paths.junit])
    expect(existsSync(path), path).toBe(true);
  expect(readdirSync(paths.evidence).length).toBeGreaterThan(10);
  const verdict = readVerdict(dir);
  expect(verdict.exit_code).toBe(105);
  expect(verdict.collapse.collapsed).toBeNull();
  return { dir, verdict };
}

/** Two cores carry a few quiet nights at a time, not all of them. */
const AT_ONCE = 3;
const turns: (() => void)[] = [];
let busy = 0;

/** One case in a home of its own, when its turn comes. */
function night(what: string, body: (home: Home) => Promise<void>): void {
  test(what, { timeout: 240_000 }, async () => {
    if (busy >= AT_ONCE) await new Promise<void>((resolve) => turns.push(resolve));
    else busy++;
    try {
      using home = new Home("interrupt");
      await body(home);
    } finally {
      const next = turns.shift(); // who waits takes this place over
      if (next === undefined) busy--;
      else next();
    }
  });
}

async function rows(path: string): Promise<Row[]> {
  await using db = await Database.open();
  return await db.all(`SELECT * FROM read_parquet(${literal(path)})`);
}

describe.concurrent("interrupted once, a run heals, drains, reports and exits 105", () => {
  night("while it starts: at once, and no folder", async (home) => {
    const cli = Cli.night(home, "guarded");
    await cli.says(/The plan/);
    await until(() => readdirSync(home.tmp).length > 0);
    cli.interrupt();
    const { code, said } = await cli.ended();
    expect(code, said).toBe(105);
    expect(said).not.toMatch(/warm-up {5}offered|defect of stampede/);
    expect(home.runs()).toEqual([]);
    expect(home.left()).toEqual([]);
  });

  night("while the capacity is measured: at once, and no folder", async (home) => {
    const cli = Cli.night(home, "guarded", []);
    await cli.says(/measuring/);
    await sleepMs(2500); // the scratch service stands and orders are sent to it
    cli.interrupt();
    const { code, said } = await cli.ended();
    expect(code, said).toBe(105);
    expect(said).not.toMatch(/capacity \d+ orders|defect of stampede/);
    expect(home.runs()).toEqual([]);
    expect(home.left()).toEqual([]);
  });

  night(
    "in the baseline; copies of one signal within a tenth of a second count once",
    async (home) => {
      const cli = Cli.night(home, "guarded");
      await cli.says(/guarded baseline/);
      cli.interrupt();
      await sleepMs(60); // a launcher passes on what the terminal has sent to everybody already
      cli.interrupt();
      const { code, said } = await cli.ended();
      expect(code, said).toBe(105);
      expect(said).not.toMatch(/operator: issue/); // nothing is begun any more
      expect(said).not.toMatch(/interrupted again/);
      const { verdict } = reportOf(home);
      expect(verdict.invariants.filter((one) => one.verdict === "fail")).toEqual([]);
      expect(home.left()).toEqual([]);
    },
  );

  night("in the surge", async (home) => {
    const cli = Cli.night(home, "guarded");
    await cli.says(/guarded +surge/);
    cli.interrupt("SIGTERM");
    const { code, said } = await cli.ended();
    expect(code, said).toBe(105);
    const { verdict } = reportOf(home);
    // What was done until then is judged all the same.
    const cap = verdict.invariants.find((one) => one.id === "C1");
    expect(cap?.verdict).toBe("pass");
    expect(cap?.considered).toBeGreaterThan(0);
    expect(home.left()).toEqual([]);
  });

  night("in the withdrawal with a fault active: it is healed", async (home) => {
    const cli = Cli.night(home, "guarded");
    await cli.says(/fault: refund-rail-down/);
    cli.interrupt();
    const { code, said } = await cli.ended();
    expect(code, said).toBe(105);
    const { dir, verdict } = reportOf(home);
    const [fault] = (await rows(runPaths(dir).faults)).filter(
      (row) => row["kind"] === "refund-rail-down",
    );
    const { begin_ns: begin, end_ns: end } = fault ?? {};
    expect(Number(end)).toBeGreaterThan(Number(begin));
    expect(verdict.go_because.join()).not.toMatch(/not proved undone/);
    expect(home.left()).toEqual([]);
  });

  night("while it drains", async (home) => {
    const cli = Cli.night(home, "guarded");
    await cli.says(/guarded drain/);
    cli.interrupt("SIGHUP");
    const { code, said } = await cli.ended();
    expect(code, said).toBe(105);
    expect(home.runs()).toHaveLength(1);
    expect(home.left()).toEqual([]);
  });
});

describe.concurrent("interrupted harder, a run leaves nothing all the same", () => {
  night("a second Ctrl-C only heals: no report, exit 105", async (home) => {
    const cli = Cli.night(home, "guarded");
    await cli.says(/fault: refund-rail-down/);
    cli.interrupt();
    await sleepMs(650);
    cli.interrupt();
    const { code, said } = await cli.ended();
    expect(code, said).toBe(105);
    expect(said).toMatch(/interrupted again: healing only/);
    expect(home.runs()).toEqual([]);
    await until(() => home.left().length === 0, 10_000); // the keeper says farewell
    expect(home.left()).toEqual([]);
  });

  night(
    "kill -9 in mid-run: the keeper removes processes, folders and the unfinished report",
    async (home) => {
      const cli = Cli.night(home, "guarded");
      await cli.says(/guarded baseline/);
      expect(growing(home)).toBe(true);
      cli.child.kill("SIGKILL");
      expect((await cli.ended()).signal).toBe("SIGKILL");
      await until(() => home.left().length === 0, 20_000);
      expect(home.left()).toEqual([]);
      expect(home.runs()).toEqual([]);
      expect(readdirSync(home.dir).toSorted()).toEqual(["out", "tmp"]);
      expect(existsSync(join(home.out, "run.json"))).toBe(false);
    },
  );
});
