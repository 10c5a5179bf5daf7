/**
 * One real run of each variant, side by side, through the command line: what a run folder holds, what it says, that it
 * can be judged, compared and reported again, and that no secret stands anywhere in it.
 */
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { Cli, Home, stampede, type Ended } from "../commands/cli.fixture.ts";
import { secret } from "../determinism/seed.ts";
import { Database, literal, type Row } from "../history/duckdb.ts";
import { EVIDENCE_TABLES } from "../history/evidence-tables.ts";
import {
  readRun,
  readVerdict,
  runPaths,
  verdictSchema,
  type Verdict,
} from "../history/run-folder.ts";

const VARIANTS = ["naive", "guarded"] as const;
type Side = (typeof VARIANTS)[number];

interface Told {
  readonly dir: string;
  readonly ended: Ended;
  readonly verdict: Verdict;
}

/** A value no file may repeat, given as people give tokens. */
const token = secret(16);
const home = new Home("short-night");
const told = new Map<Side, Told>();
const of = (side: Side): Told => {
  const found = told.get(side);
  if (found === undefined) throw new Error(`the ${side} run did not end with a folder`);
  return found;
};

beforeAll(async () => {
  const runs = VARIANTS.map((side) => Cli.night(home, side, ["CAPACITY=60", `API_TOKEN=${token}`]));
  const ends = await Promise.all(runs.map(async (cli) => cli.ended()));
  for (const [i, side] of VARIANTS.entries()) {
    const ended = ends[i];
    const dir = home.runs().find((path) => path.includes(`-${side}-`));
    if (ended === undefined || dir === undefined)
      throw new Error(`expected a ${side} run folder; came:\n${ended?.said}`);
    told.set(side, { dir, ended, verdict: readVerdict(dir) });
  }
}, 120_000);
afterAll(() => home[Symbol.dispose]());

async function query(sql: string): Promise<Row[]> {
  await using db = await Database.open();
  return await db.all(sql);
}

/** Every file below, with its path from `dir`. */
function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(dir, name)).isFile())
    .toSorted();
}

const failed = (verdict: Verdict): string[] =>
  verdict.invariants.filter((one) => one.verdict === "fail").map((one) => one.id);

/** design.md §5: the code that follows from what verdict.json says. */
function codeThatFollows({ invariants, thresholds, slos }: Verdict): number {
  const limits = [...thresholds, ...slos].map((limit) => limit.verdict);
  if (invariants.some((one) => one.verdict === "fail")) return 111;
  if (limits.includes("fail")) return 99;
  if (limits.includes("inconclusive") || invariants.some((one) => one.verdict === "inconclusive"))
    return 112;
  return 0;
}

/** Elements left open or closed out of turn, and every "&" that begins no entity; [] for well-formed XML. */
function openTags(xml: string): string[] {
  const open: string[] = [];
  const text = xml.replace(/^<\?xml[^>]*\?>/, "").replaceAll(/<!\[CDATA\[[\s\S]*?\]\]>/g, "");
  for (const [tag, close, name = "", inside = "", empty] of text.matchAll(
    /<(\/?)([A-Za-z][\w.-]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>/g,
  )) {
    if (close === "/") {
      if (open.pop() !== name) return [`${tag} out of turn${inside}`];
    } else if (empty !== "/") open.push(name);
  }
  const rest = text.replaceAll(/<\/?[A-Za-z][\w.-]*(?:\s+[\w:.-]+="[^"<]*")*\s*\/?>/g, "");
  return [
    ...open,
    ...(rest.match(/[<>]/g) ?? []),
    ...(xml.match(/&(?!\w+;|#\d+;|#x[\da-f]+;)/gi) ?? []),
  ];
}

describe("a run of each variant, side by side", () => {
  test("both finish, and nothing is left of either", () => {
    expect(home.runs()).toHaveLength(2);
    expect(home.left()).toEqual([]);
  });

  test("the naive service breaks the promises of the night: exit 111", () => {
    const { ended, verdict } = of("naive");
    expect(ended.code, ended.said).toBe(111);
    expect(failed(verdict)).toEqual(expect.arrayContaining(["C1", "C2", "C3", "X0"]));
    // The audit breaks with them; whether a use and a recall also race is this small crowd's luck.
    expect(failed(verdict)).toEqual(expect.arrayContaining(["X3"]));
    expect(verdict.go).toBe(false);
    expect(verdict.x0.label).toBe("random");
    expect(verdict.x0.pairs.length).toBeGreaterThan(0);
  });

  test("the guarded service keeps every one", () => {
    const { ended, verdict } = of("guarded");
    expect(failed(verdict), ended.said).toEqual([]);
    expect(verdict.x0.label).toBe("none");
    expect(verdict.x0.cancelled).toBeGreaterThan(20);
    // Judged, not waved through: every invariant the night names was looked at.
    const judges = readRun(of("guarded").dir).judges;
    const passed = verdict.invariants.filter((one) => one.verdict === "pass").map((one) => one.id);
    expect(passed).toEqual(expect.arrayContaining(judges));
  });

  test.each(VARIANTS)(
    "%s: the exit code follows from verdict.json, which says the same",
    (side) => {
      const { ended, verdict } = of(side);
      expect(ended.code, ended.said).toBe(codeThatFollows(verdict));
      expect(verdict.exit_code).toBe(ended.code);
    },
  );

  test("one seed, one crowd: the same schedule, data and choices, whatever the service does with them", async () => {
    const [naive, guarded] = VARIANTS.map((side) => runPaths(of(side).dir));
    if (naive === undefined || guarded === undefined) throw new Error("two runs are expected");
    expect(readRun(of("naive").dir).seed).toBe(readRun(of("guarded").dir).seed);
    expect(readRun(of("naive").dir).schedule_hash).toBe(readRun(of("guarded").dir).schedule_hash);
    // Who reloads how often depends on the answers' times (a closed model); everybody else comes by the plan.
    const planned = (path: string): string =>
      `SELECT scenario, iteration, time_intended_ns FROM read_parquet(${literal(path)}) WHERE scenario <> 'refreshers'`;
    const wishes = (path: string): string =>
      `SELECT DISTINCT intent, CAST(request AS VARCHAR) AS request FROM read_parquet(${literal(path)}) WHERE kind = 'order'`;
    for (const [a, b] of [
      [planned(naive.arrivals), planned(guarded.arrivals)],
      [wishes(naive.ops), wishes(guarded.ops)],
    ]) {
      const [counted] = await query(`SELECT count(*) AS n FROM (${a})`);
      expect(Number(counted?.["n"])).toBeGreaterThan(300);
      expect(await query(`(${a}) EXCEPT (${b}) LIMIT 3`)).toEqual([]);
      expect(await query(`(${b}) EXCEPT (${a}) LIMIT 3`)).toEqual([]);
    }
  });

  test("no claim about metastability from a watch of two seconds", () => {
    for (const side of VARIANTS) expect(of(side).verdict.collapse.metastable).toBe("unknown");
  });
});

describe.each(VARIANTS)("the run folder of %s", (side) => {
  test("holds every file of the format", () => {
    const { dir } = of(side);
    const top = readdirSync(dir).toSorted();
    expect(top).toEqual(
      expect.arrayContaining([
        "evidence",
        "faults.parquet",
        "junit.xml",
        "logs",
        "ops.parquet",
        "report.html",
        "run.json",
        "series.parquet",
        "summary.json",
        "summary.md",
        "verdict.json",
      ]),
    );
    expect(filesBelow(dir).filter((name) => name.endsWith(".part"))).toEqual([]);
    const logs = readdirSync(runPaths(dir).logs);
    expect(logs).toEqual(
      expect.arrayContaining(["gateway.log", "shop.log", "sink.log", "worker.log"]),
    );
    const tables = readdirSync(runPaths(dir).evidence).map((name) => name.replace(".parquet", ""));
    for (const table of tables) expect(Object.keys(EVIDENCE_TABLES)).toContain(table);
    expect(tables).toEqual(
      expect.arrayContaining([
        "books",
        "commits",
        "orders",
        "coupon_events",
        "payments",
        "policies",
      ]),
    );
  });

  test("verdict.json fits its schema, in code and as published", () => {
    const { dir } = of(side);
    const stored: unknown = JSON.parse(readFileSync(runPaths(dir).verdict, "utf8"));
    expect(z.strictObject(verdictSchema.shape).safeParse(stored).error).toBeUndefined();
    const published = z.fromJSONSchema(
      JSON.parse(
        readFileSync(join(import.meta.dirname, "../../reports/verdict.schema.json"), "utf8"),
      ) as Parameters<typeof z.fromJSONSchema>[0],
    );
    expect(published.safeParse(stored).error).toBeUndefined();
    expect(published.safeParse({ ...(stored as object), exit_code: "none" }).success).toBe(false);
  });

  test("run.json names what was asked, and how to do it again without its secret", () => {
    const run = readRun(of(side).dir);
    expect(run).toMatchObject({ format: 1, target: side, engine: "node", seed: 7, capacity: 60 });
    expect(run.replay).toContain("-e API_TOKEN=…");
    expect(run.replay).toContain("--seed 7");
  });

  test("junit.xml is well formed, one case an invariant, failures as judged", () => {
    const { dir, verdict } = of(side);
    const xml = readFileSync(runPaths(dir).junit, "utf8");
    expect(openTags(xml)).toEqual([]);
    for (const { id } of verdict.invariants) expect(xml).toMatch(new RegExp(`name="${id}\\b`));
    const limits = [...verdict.thresholds, ...verdict.slos].filter((l) => l.verdict === "fail");
    expect(xml.match(/<failure/g) ?? []).toHaveLength(failed(verdict).length + limits.length);
  });

  test("the books tell of the night, and the history of its crowd", async () => {
    const { dir, verdict } = of(side);
    const book = (name: string): string =>
      `read_parquet(${literal(join(runPaths(dir).evidence, `${name}.parquet`))})`;
    const [coupons] = await query(
      `SELECT count(*) FILTER (campaign_id = 'seoulcon') AS seoulcon, count(*) FILTER (campaign_id = 'member-day') AS member_day FROM ${book("coupons")}`,
    );
    expect(coupons).toEqual({ seoulcon: side === "naive" ? 100_000 : 0, member_day: 20_000 });
    expect(await query(`SELECT bool_and(drained) AS drained FROM ${book("books")}`)).toEqual([
      { drained: true },
    ]);
    const [orders] = await query(
      `SELECT count(*) AS n, count(*) FILTER (status = 'cancelled') AS cancelled FROM ${book("orders")}`,
    );
    expect(orders?.["cancelled"]).toBe(verdict.x0.cancelled);
    const ops = `read_parquet(${literal(runPaths(dir).ops)})`;
    const [history] = await query(
      `SELECT count(*) FILTER (outcome = 'ok') AS ok, count(*) FILTER (kind = 'final-read') AS reads, count(*) FILTER (process = 'operator') AS steps FROM ${ops}`,
    );
    expect(history?.["ok"]).toBe(verdict.outcomes.ok);
    expect(Number(history?.["reads"])).toBeGreaterThan(100);
    expect(history?.["steps"]).toBe(3); // two issues and the withdrawal
    const faults = await query(
      `SELECT name, end_ns > begin_ns AS healed FROM read_parquet(${literal(runPaths(dir).faults)}) WHERE kind <> 'operator' ORDER BY name`,
    );
    expect(faults).toEqual([
      { name: "process-kill", healed: true },
      { name: "refund-rail-down", healed: true },
    ]);
  });
});

describe("a stored run, offline", () => {
  test.each(VARIANTS)(
    "judging %s again finds what was found, invariant by invariant",
    async (side) => {
      const { dir, verdict } = of(side);
      const { code, said } = await stampede(home, "judge", dir, "--json");
      const again = JSON.parse(said) as Pick<Verdict, "invariants" | "outcomes" | "funnel" | "x0">;
      const facts = (v: Pick<Verdict, "invariants">): unknown[] =>
        v.invariants.map((one) => ({ ...one, took_ms: 0 }));
      expect(facts(again)).toEqual(facts(verdict));
      expect(again.outcomes).toEqual(verdict.outcomes);
      expect(again.funnel).toEqual(verdict.funnel);
      expect(again.x0).toEqual(verdict.x0);
      expect(code).toBe(codeThatFollows({ ...verdict, thresholds: [], slos: [] }));
    },
  );

  test("naive compared with guarded is no regression, the other way round it is", async () => {
    const forth = await stampede(home, "compare", of("naive").dir, of("guarded").dir);
    expect(forth.code, forth.said).toBe(0);
    expect(forth.said).toMatch(/fixed +C1 cap/);
    const back = await stampede(home, "compare", of("guarded").dir, of("naive").dir);
    expect(back.code, back.said).toBe(113);
    expect(back.said).toMatch(/C1 cap/);
  });

  test("its pages are written again, the same", async () => {
    const { dir } = of("naive");
    const paths = runPaths(dir);
    const pages = [paths.report, paths.junit, paths.markdown];
    const before = pages.map((path) => readFileSync(path, "utf8"));
    for (const path of pages) rmSync(path);
    const { code, said } = await stampede(home, "report", dir);
    expect(code, said).toBe(0);
    expect(pages.every((path) => existsSync(path))).toBe(true);
    expect(pages.map((path) => readFileSync(path, "utf8"))).toEqual(before);
  });
});

describe("no secret stands anywhere in a run folder", () => {
  /** What harness/determinism/seed.ts makes of 24 bytes: every password and token of the services looks like this. */
  const SECRET = /(?<![0-9a-f])[0-9a-f]{48}(?![0-9a-f])/;

  /** Every value of a Parquet file as text, so that compression hides nothing. */
  async function textOf(path: string): Promise<string> {
    const rows = await query(
      `SELECT to_json(t)::VARCHAR AS row FROM read_parquet(${literal(path)}) t`,
    );
    return rows.map((row) => String(row["row"])).join("\n");
  }

  test("the check itself finds one", () => {
    expect(`"password":"${secret()}"`).toMatch(SECRET);
  });

  test.each(VARIANTS)(
    "%s: neither the token given, nor any of the services, nor an address",
    async (side) => {
      const { dir, ended } = of(side);
      expect(ended.said).not.toContain(token);
      const found: string[] = [];
      for (const name of filesBelow(dir)) {
        const path = join(dir, name);
        const bytes = readFileSync(path, "latin1");
        const text = name.endsWith(".parquet") ? await textOf(path) : readFileSync(path, "utf8");
        for (const content of [bytes, text])
          if (content.includes(token)) found.push(`${name}: the token`);
        // Not in raw bytes: compression cuts longer digests into pieces of any length.
        if (SECRET.test(text)) found.push(`${name}: a secret of the services`);
        if (/[\w.]+@[\w-]+\.(invalid|com|kr|net)/.test(text))
          found.push(`${name}: an e-mail address`);
      }
      expect(found).toEqual([]);
    },
  );

  test.each(VARIANTS)("%s: no member is named outside the members' own table", async (side) => {
    const { dir } = of(side);
    const members = join(runPaths(dir).evidence, "members.parquet");
    const rows = await query(`SELECT DISTINCT name FROM read_parquet(${literal(members)})`);
    const names = new Set(rows.map((row) => String(row["name"])));
    const naming: string[] = [];
    for (const name of filesBelow(dir).filter((file) => !file.endsWith("members.parquet"))) {
      const path = join(dir, name);
      const text = name.endsWith(".parquet") ? await textOf(path) : readFileSync(path, "utf8");
      // Korean text of the pages is no name: only whole words that are one count.
      const words = new Set(text.match(/(?<![가-힣])[가-힣]{3}(?![가-힣])/g) ?? []);
      naming.push(
        ...[...words].filter((word) => names.has(word)).map((word) => `${name}: ${word}`),
      );
    }
    expect(naming).toEqual([]);
  });
});
