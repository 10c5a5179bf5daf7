/** The template databases and the evidence read from their clones: reproducible people, canonical columns, true times. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { prepareTemplates } from "./prepare.ts";
import { startTestDatabase, withClient, type TestDatabase } from "./test-database.ts";

const here = import.meta.dirname;
const templates = (prefix: string) => ({
  shop: `${prefix}_shop`,
  gateway: `${prefix}_gateway`,
  sink: `${prefix}_sink`,
});
let cluster: TestDatabase;

beforeAll(async () => {
  cluster = await startTestDatabase();
  await prepareTemplates({ db: cluster.db, templates: templates("a"), seed: 7, members: 100_000 });
});
afterAll(() => cluster[Symbol.asyncDispose]());

const query = async (database: string, sql: string): Promise<Record<string, unknown>[]> =>
  withClient(
    cluster.in(database),
    async (client) => (await client.query<Record<string, unknown>>(sql)).rows,
  );

describe("prepare", () => {
  test("leaves 100,000 members, 20 winners, 20,000 eligible, about 70 % with a refund account, and no session", async () => {
    await cluster.create("run_shop", "a_shop"); // refused by PostgreSQL while anybody is connected to the template
    const [counts] = await query(
      "run_shop",
      `
      SELECT count(*)::int AS members, count(DISTINCT identity_hash)::int AS identities, avg(has_refund_account::int)::float8 AS accounts,
        (SELECT count(*)::int FROM eligible WHERE campaign_id = 'seoulcon') AS winners,
        (SELECT count(*)::int FROM eligible WHERE campaign_id = 'member-day') AS eligible,
        (SELECT count(*)::int FROM products) AS products FROM members`,
    );
    expect(counts).toMatchObject({
      members: 100_000,
      identities: 100_000,
      winners: 20,
      eligible: 20_000,
      products: 40,
    });
    expect(counts?.["accounts"]).toBeGreaterThan(0.69);
    expect(counts?.["accounts"]).toBeLessThan(0.71);
  });

  test("the same seed makes the same people and winners, another seed others", async () => {
    const people = (database: string) =>
      query(
        database,
        "SELECT md5(string_agg(members::text, ',' ORDER BY id)) AS members, (SELECT string_agg(user_id, ',' ORDER BY user_id) FROM eligible WHERE campaign_id = 'seoulcon') AS winners FROM members WHERE id <= 'u020000'",
      );
    await prepareTemplates({
      db: cluster.db,
      templates: templates("b"),
      seed: 7,
      members: 100_000,
    });
    await prepareTemplates({
      db: cluster.db,
      templates: templates("c"),
      seed: 8,
      members: 100_000,
    });
    const [a, b, c] = await Promise.all(["a_shop", "b_shop", "c_shop"].map(people));
    expect(b).toEqual(a);
    expect(c?.[0]?.["members"]).not.toEqual(a?.[0]?.["members"]);
    expect(c?.[0]?.["winners"]).not.toEqual(a?.[0]?.["winners"]);
  });

  test("as a process: configuration on stdin, exit code 0", async () => {
    const child = spawn(process.execPath, [join(here, "prepare.ts"), "--run-dir", "test"], {
      stdio: ["pipe", "inherit", "inherit"],
    });
    child.stdin.write(
      `${JSON.stringify({ db: cluster.db, templates: templates("d"), seed: 1, members: 20_000 })}\n`,
    );
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(await query("d_shop", "SELECT count(*)::int AS n FROM members")).toEqual([
      { n: 20_000 },
    ]);
  });
});

/** The canonical tables as the harness declares them, read as text: this folder imports nothing of the harness. */
async function canonicalTables(): Promise<Map<string, string[]>> {
  const text = await readFile(join(here, "../harness/history/evidence-tables.ts"), "utf8");
  const tables = [...text.matchAll(/^ {2}(\w+): columns\(\s*"([^"]+)",?\s*\)/gm)];
  return new Map(
    tables.map(([, name = "", spec = ""]) => [
      name,
      spec.split(/\s+/).map((word) => word.split(":")[0] ?? ""),
    ]),
  );
}

describe("evidence", () => {
  const BOOKS = { shop: "a_shop", gateway: "a_gateway", sink: "a_sink" } as const;

  test("every SELECT runs and has exactly the canonical columns; every canonical table but the reader's own is there", async () => {
    const canonical = await canonicalTables();
    expect(canonical.size).toBeGreaterThan(20);
    const found = new Set<string>();
    for (const [book, database] of Object.entries(BOOKS)) {
      for (const file of await readdir(join(here, "evidence", book))) {
        const name = file.replace(/\.sql$/, "");
        const sql = await readFile(join(here, "evidence", book, file), "utf8");
        const { fields } = await withClient(cluster.in(database), (client) =>
          client.query(`SELECT * FROM (\n${sql}\n) AS evidence`),
        );
        const columns = fields.map((field) => field.name);
        if (name === "notification_events") expect(columns).toEqual(["id", "event_seq"]);
        else expect([name, columns]).toEqual([name, canonical.get(name)]);
        found.add(name);
      }
    }
    const missing = [...canonical.keys()].filter((name) => !found.has(name));
    expect(missing.toSorted()).toEqual(["books", "commits", "views"]);
  });

  test("seq is the commit's time in microseconds: equal within a transaction, later in a later one, and kept by a clone", async () => {
    const sql = await readFile(join(here, "evidence/shop/order_events.sql"), "utf8");
    const event = (order: number): string =>
      `INSERT INTO order_events (order_id, version, to_status, actor) VALUES (${order}, 1, 'pending', 'customer')`;
    await cluster.create("seq_shop", "a_shop");
    await query("seq_shop", `BEGIN; ${event(1)}; SELECT pg_sleep(0.01); ${event(2)}; COMMIT`);
    await query("seq_shop", event(3));
    await cluster.create("seq_clone", "seq_shop");
    const row = z.object({
      order_id: z.string(),
      seq: z.coerce.number(),
      at_us: z.coerce.number(),
    });
    const read = async (database: string) =>
      z
        .array(row)
        .parse(
          await query(
            database,
            `SELECT order_id, seq, at_us FROM (\n${sql}\n) AS e ORDER BY order_id`,
          ),
        );
    const [one, two, three] = await read("seq_shop");
    expect(two?.seq).toBe(one?.seq);
    expect(three?.seq).toBeGreaterThan(two?.seq ?? Infinity);
    expect(one?.at_us).toBe(one?.seq);
    expect(await read("seq_clone")).toEqual([one, two, three]);
  });
});
