/** What a policy's compensation is worth, on a real PostgreSQL. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestDatabase, withClient, type TestDatabase } from "../../test-database.ts";
import { compensationSql } from "./compensation.ts";

let cluster: TestDatabase;
beforeAll(async () => {
  cluster = await startTestDatabase();
});
afterAll(() => cluster[Symbol.asyncDispose]());

async function worth(compensation: string | null, captured: number): Promise<number> {
  const parameters: unknown[] = [captured];
  const sql = `SELECT ${compensationSql(compensation, "captured", parameters)} AS worth FROM (SELECT $1::bigint AS captured) AS o`;
  const { rows } = await withClient(cluster.db, (client) =>
    client.query<{ worth: string }>(sql, parameters),
  );
  return Number(rows[0]?.worth);
}

test.each([
  ["rate:10%", 109_000, 10_900],
  ["rate:10%", 109_009, 10_900], // rounded down
  ["rate:2.5%", 39, 0],
  ["rate:2.5%", 40, 1],
  ["rate:0.07%", 10_000, 7], // in binary fractions this would be 6.999…
  ["flat:5000", 109_000, 5_000],
  [null, 109_000, 0],
])("%s of %i is %i won", async (compensation, captured, expected) => {
  expect(await worth(compensation, captured)).toBe(expected);
});

test("anything else is refused, and is never taken for nothing", () => {
  for (const wrong of ["10%", "rate:10", "flat:-1", "rate:100%; DROP TABLE orders", ""])
    expect(() => compensationSql(wrong, "captured", [])).toThrow("expected a compensation");
});
