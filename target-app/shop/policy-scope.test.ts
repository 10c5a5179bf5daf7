/** The scope grammar against a real PostgreSQL: what an operator writes is what is selected, and nothing else runs. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestDatabase, withClient, type TestDatabase } from "../test-database.ts";
import { parseScope, policySql, ScopeError } from "./policy-scope.ts";

let cluster: TestDatabase;
beforeAll(async () => {
  cluster = await startTestDatabase();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const ORDERS: Readonly<Record<string, unknown>> = {
  a: { coupon_campaign: "member-day", status: "paid", total: 9_000, gift: true, seller: "s1" },
  b: { coupon_campaign: "member-day", status: "shipped", total: 20_000, gift: false, seller: "s2" },
  c: { coupon_campaign: "none", status: "paid", total: 100, gift: false, seller: "o'neill" },
  d: { status: "paid", total: "9000" },
};

async function selected(scope: string, carveOuts: string | null = null): Promise<string> {
  const parameters: unknown[] = [JSON.stringify(ORDERS)];
  const sql = `SELECT key FROM jsonb_each($1::jsonb) WHERE ${policySql(scope, carveOuts, "value", parameters)} ORDER BY key`;
  const rows = await withClient(
    cluster.db,
    async (client) => (await client.query<{ key: string }>(sql, parameters)).rows,
  );
  return rows.map((row) => row.key).join("");
}

describe("a scope selects exactly what it says", () => {
  test.each([
    ["coupon_campaign = 'member-day'", "ab"],
    ["coupon_campaign != 'member-day'", "c"], // d has no such attribute: no comparison with it is true
    ["coupon_campaign ≠ 'member-day'", "c"],
    ["not coupon_campaign = 'member-day'", "cd"],
    ["total >= 9000", "ab"], // d's total is text, and text is not a number
    ["total ≥ 9000 and total < 20000", "a"],
    ["total ≤ 100 or total > 19999", "bc"],
    ["gift = true", "a"],
    ["seller in ('s1', 's2')", "ab"],
    ["seller = 'o''neill'", "c"],
    // not before and before or
    ["gift = true or status = 'paid' and seller = 'o''neill'", "ac"],
    ["(gift = true or status = 'paid') and seller = 'o''neill'", "c"],
    ["not gift = true and status = 'paid'", "cd"],
    ["NOT (status = 'paid')", "b"],
  ])("%s", async (scope, keys) => {
    expect(await selected(scope)).toBe(keys);
  });

  test("carve-outs are taken out; none, or an empty one, takes nothing out", async () => {
    expect(await selected("coupon_campaign = 'member-day'", "status = 'shipped'")).toBe("a");
    expect(await selected("coupon_campaign = 'member-day'", null)).toBe("ab");
    expect(await selected("coupon_campaign = 'member-day'", " ")).toBe("ab");
  });
});

describe("what does not follow the grammar is refused, with the place", () => {
  test.each([
    ["", "character 1: expected a field"],
    ["status", "character 7: expected a comparison"],
    ["status = paid", "character 10: expected a value"],
    ["status = 'paid", "character 10: expected a field, a value or a sign"],
    ["status = 'paid' and", "expected a field, but came the end"],
    ["status = 'paid'; DROP TABLE orders", "character 16"],
    ["(status = 'paid'", "expected )"],
    ["status = 'paid' total = 1", "character 17: expected the end, and, or"],
    ["status in ()", "expected a value"],
    ["= 'x'", "expected a field"],
    [`${"(".repeat(21)}a = 1${")".repeat(21)}`, "at most 20 levels"],
    ["a".repeat(2_001), "at most 2000 characters"],
  ])("%s", (scope, message) => {
    expect(() => parseScope(scope)).toThrow(ScopeError);
    expect(() => parseScope(scope)).toThrow(message);
  });
});

test("nothing of a policy's text becomes SQL text", () => {
  const parameters: unknown[] = [];
  const sql = policySql(
    "pg_sleep = '''; DROP TABLE orders; --'",
    "other in (1, 'x')",
    "s.attributes",
    parameters,
  );
  expect(sql).not.toMatch(/sleep|DROP|other|'x/);
  expect(parameters).toEqual([
    "pg_sleep",
    JSON.stringify("'; DROP TABLE orders; --"),
    "other",
    "1",
    '"x"',
  ]);
});
