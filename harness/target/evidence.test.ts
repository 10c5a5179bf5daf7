/**
 * The order of the books is the order of commits, as PostgreSQL itself kept it: two transactions that overlap on a real
 * server stand in the order they became true, whatever order their rows or their numbers were made in.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Home } from "../commands/cli.fixture.ts";
import { sleepMs } from "../determinism/clock.ts";
import { Database, literal, type Row } from "../history/duckdb.ts";
import { startTestDatabase, type TestDatabase } from "../../target-app/test-database.ts";
import { readBooks } from "./evidence.ts";
import type { DatabaseEntry } from "./postgres.ts";

const MIGRATIONS = join(import.meta.dirname, "../../target-app/gateway/migrations");
const home = new Home("evidence");
const evidenceDir = join(home.out, "evidence");
let server: TestDatabase;
let gateway: DatabaseEntry;

const pay = (id: string): string =>
  `INSERT INTO payments (id, order_id, merchant_ref, kind, amount, result, idempotency_key, rail) VALUES ('${id}', 'o-${id}', 'm-${id}', 'authorize', 1000, 'ok', 'k-${id}', 'a')`;

async function connected(): Promise<Client> {
  const client = new Client(gateway);
  await client.connect();
  return client;
}

/** first begins and writes before second does, and commits after it; third writes two rows at once. */
async function overlap(): Promise<void> {
  const [first, second] = [await connected(), await connected()];
  await first.query("BEGIN");
  await first.query(pay("first"));
  await second.query("BEGIN");
  await second.query(pay("second"));
  await second.query("COMMIT");
  await sleepMs(5); // commits less than a millisecond apart would rightly count as concurrent
  await first.query("COMMIT");
  await sleepMs(5);
  await first.query(`BEGIN; ${pay("third-a")}; ${pay("third-b")}; COMMIT`);
  await Promise.all([first.end(), second.end()]);
}

async function table(name: string, sql: string): Promise<Row[]> {
  await using db = await Database.open();
  const path = join(evidenceDir, `${name}.parquet`);
  return await db.all(`SELECT ${sql.replace("FROM", `FROM read_parquet(${literal(path)})`)}`);
}

beforeAll(async () => {
  server = await startTestDatabase();
  gateway = { ...(await server.create("gateway")), host: "127.0.0.1" };
  const client = await connected();
  for (const file of readdirSync(MIGRATIONS).toSorted())
    await client.query(readFileSync(join(MIGRATIONS, file), "utf8"));
  await client.end();
  await overlap();
  const scratchDir = join(home.tmp, "books");
  await readBooks({ databases: { gateway }, evidenceDir, scratchDir, drained: false });
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  home[Symbol.dispose]();
});

describe("books read at rest", () => {
  test("stand in the order of their commits, not of their writing", async () => {
    expect(await table("payments", "id, seq FROM ORDER BY seq, id")).toEqual([
      { id: "second", seq: 1 },
      { id: "first", seq: 2 },
      { id: "third-a", seq: 3 },
      { id: "third-b", seq: 3 },
    ]);
  });

  test("name the microsecond of every commit once", async () => {
    const commits = await table("commits", "book, seq, at_us FROM ORDER BY seq");
    expect(commits.map((row) => [row["book"], row["seq"]])).toEqual([
      ["gateway", 1],
      ["gateway", 2],
      ["gateway", 3],
    ]);
    const times = commits.map((row) => Number(row["at_us"]));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const [payment] = await table("payments", "at_us FROM WHERE id = 'first'");
    expect(payment?.["at_us"]).toBe(times[1]);
  });

  test("say how they were read: drained or not, up to which commit, on whose clock", async () => {
    const [book, ...more] = await table("books", "* FROM");
    expect(more).toEqual([]);
    expect(book).toMatchObject({
      book: "gateway",
      clock: "postgres",
      seq_quality: "exact",
      drained: false,
      read_seq: 3,
    });
    const [last] = await table("commits", "max(at_us) AS at_us FROM");
    expect(Number(book?.["read_at_us"])).toBeGreaterThan(Number(last?.["at_us"]));
  });

  test("leave no copy behind on the way", () => {
    expect(readdirSync(home.tmp)).toEqual([]);
  });
});
