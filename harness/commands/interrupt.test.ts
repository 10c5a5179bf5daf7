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

async function rows(path: string): Promise<Row[]> {
  await using db = await Database.open();
  return await db.all(`SELECT * FROM read_parquet(${literal(path)})`);
}

describe.concurrent("interrupted once, a run heals, drains, reports and exits 105", () => {
  test("while it starts: at once, and no folder", { timeout: 60_000 }, async () => {
    using home = new Home("start");
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

  test("while the capacity is measured: at once, and no folder", { timeout: 60_000 }, async () => {
    using home = new Home("probe");
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

  test("in the baseline", { timeout: 60_000 }, async () => {
    using home = new Home("baseline");
    const cli = Cli.night(home, "guarded");
    await cli.says(/guarded baseline/);
    cli.interrupt();
    const { code, said } = await cli.ended();
    expect(code, said).toBe(105);
    expect(said).not.toMatch(/operator: issue/); // nothing is begun any more
    const { verdict } = reportOf(home);
    expect(verdict.invariants.filter((one) => one.verdict === "fail")).toEqual([]);
    expect(home.left()).toEqual([]);
  });

  test("in the surge", { timeout: 60_000 }, async () => {
    using home = new Home("surge");
    const cli = Cli.night(home, "naive");
    await cli.says(/naive +surge/);
    cli.interrupt("SIGTERM");
    const { code, said } = await cli.ended();
    expect(code, said).toBe(105);
    const { verdict } = reportOf(home);
    // What was done until then is judged all the same.
    expect(verdict.invariants.find((one) => one.id === "C1")?.verdict).toBe("fail");
    expect(home.left()).toEqual([]);
  });

  test("in the withdrawal with a fault active: it is healed", { timeout: 60_000 }, async () => {
    using home = new Home("withdraw");
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
    expect(Number(end) - Number(begin)).toBeLessThan(2e9); // before its own time was over
    expect(verdict.go_because.join()).not.toMatch(/not proved undone/);
    expect(home.left()).toEqual([]);
  });

  test("while it drains", { timeout: 60_000 }, async () => {
    using home = new Home("drain");
    const cli = Cli.night(home, "guarded");
    await cli.says(/guarded drain/);
    cli.interrupt("SIGHUP");
    const { code, said } = await cli.ended();
    expect(code, said).toBe(105);
    expect(home.runs()).toHaveLength(1);
    expect(home.left()).toEqual([]);
  });

  test(
    "copies of one signal within a tenth of a second count once",
    { timeout: 60_000 },
    async () => {
      using home = new Home("copies");
      const cli = Cli.night(home, "guarded");
      await cli.says(/guarded warm-up/);
      cli.interrupt();
      await sleepMs(60);
      cli.interrupt();
      const { code, said } = await cli.ended();
      expect(code, said).toBe(105);
      expect(said).not.toMatch(/interrupted again/);
      reportOf(home);
      expect(home.left()).toEqual([]);
    },
  );
});

describe.concurrent("interrupted harder, a run leaves nothing all the same", () => {
  test("a second Ctrl-C only heals: no report, exit 105", { timeout: 60_000 }, async () => {
    using home = new Home("twice");
    const cli = Cli.night(home, "naive");
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

  test(
    "kill -9 in mid-run: the keeper removes processes, folders and the unfinished report",
    { timeout: 60_000 },
    async () => {
      using home = new Home("killed");
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
