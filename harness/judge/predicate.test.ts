/** What the predicate language promises: it says what it means, refuses precisely, and never lets text become SQL. */
import { describe, expect, test } from "vitest";
import { Database, literal } from "../history/duckdb.ts";
import { StampedeError } from "../errors.ts";
import { fieldsOf, parsePredicate, predicateSql, testsOf } from "./predicate.ts";

const textOf = (field: string): string =>
  `json_extract_string(attributes, ${literal(`$."${field}"`)})`;

async function decide(source: string, attributes: Record<string, unknown>): Promise<unknown> {
  await using db = await Database.open();
  const sql = predicateSql(parsePredicate(source, "test"), textOf);
  const [row] = await db.all(
    `SELECT ${sql} AS decided FROM (SELECT ${literal(JSON.stringify(attributes))}::JSON AS attributes)`,
  );
  return row?.["decided"];
}

const order = {
  coupon_campaign: "member-day",
  status: "paid",
  total: 129000,
  gift: false,
  seller: "O'Neill",
  note: null,
};

describe("a scope says what it means", () => {
  test.each([
    ["coupon_campaign = 'member-day'", true],
    ["coupon_campaign ≠ 'member-day'", false],
    ["coupon_campaign != 'seoulcon'", true],
    ["total >= 129000 and total ≤ 129000", true],
    ["total < 9000", false],
    ["total > 129000 or status in ('paid', 'held')", true],
    ["status not in ('paid', 'held')", false],
    ["NOT status = 'paid' AND total > 1", false],
    ["not (status = 'paid' and total < 1)", true],
    ["gift = false", true],
    ["gift = true", false],
    ["seller = 'O''Neill'", true],
    ["total in (1, 129000)", true],
    ["status = 'x' or status = 'paid' and gift = true", false],
    ["(status = 'x' or status = 'paid') and gift = false", true],
    ["not status = 'x' and gift = true or total = 129000.0", true],
  ])("%s is %s", async (source, expected) => {
    expect(await decide(source, order)).toBe(expected);
  });
});

describe("a missing attribute accuses nobody", () => {
  test.each([
    ["note = 'x'", false], // both readings: not in scope
    ["absent > 5", false],
    ["note ≠ 'x'", null], // SQL says no, everyday language says yes: undecided
    ["not note = 'x'", null],
    ["note = 'x' or status = 'paid'", true],
    ["note ≠ 'x' and status = 'held'", false],
    ["total = 'many' or gift = 'no'", false],
    ["status < 5", false], // a text is no number
  ])("%s is %s", async (source, expected) => {
    expect(await decide(source, order)).toBe(expected);
  });
});

describe("a mistake is named with its place", () => {
  test.each([
    ["", /character 1: expected the name of an attribute, came the end/],
    ["status", /character 7: expected an operator .* came the end/],
    ["status = ", /expected a value .* came the end/],
    ["status = paid", /character 10: expected a value .* came "paid"/],
    ["status == 'paid'", /character 8: expected an operator, came "=="/],
    ["status <> 'paid'", /character 8: expected an operator, came "<>"/],
    ['status = "paid"', /character 10: expected a field, a value or an operator, came """/],
    ["status = 'paid", /character 10: expected a text closed by '/],
    ["(status = 'paid'", /expected a closing \), came the end/],
    ["status = 'paid')", /character 16: expected and, or, or the end, came "\)"/],
    ["status in 'paid'", /expected \( and a list of values/],
    ["status in ()", /expected a value/],
    ["status in ('a' 'b')", /expected a , or a closing \)/],
    ["status not 'paid'", /expected in, came/],
    ["status = 'a' status = 'b'", /character 14: expected and, or, or the end/],
    ["in = 'a'", /expected the name of an attribute, came "in"/],
    ["status = null", /expected a value .* came "null"/],
    ["status = 'a'; DROP TABLE orders", /came ";"/],
    ["total = 12abc", /came "1"/],
  ])("%s", (source, message) => {
    expect(() => parsePredicate(source, "withdraw@1, scope")).toThrow(message);
    try {
      parsePredicate(source, "withdraw@1, scope");
    } catch (error) {
      expect(error).toBeInstanceOf(StampedeError);
      expect(String(error)).toContain("withdraw@1, scope");
    }
  });

  test("limits are limits: text, comparisons and nesting", () => {
    expect(() => parsePredicate(`a = '${"x".repeat(10_001)}'`, "t")).toThrow(
      /at most 10000 characters/,
    );
    expect(() =>
      parsePredicate(Array.from({ length: 201 }, () => "a = 1").join(" or "), "t"),
    ).toThrow(/at most 200 comparisons/);
    expect(() => parsePredicate(`${"(".repeat(70)}a = 1${")".repeat(70)}`, "t")).toThrow(
      /at most 64 brackets/,
    );
    expect(() => parsePredicate(`${"not ".repeat(70)}a = 1`, "t")).toThrow(/at most 64 brackets/);
  });
});

test("text in a policy stays text: quotes cannot become SQL", async () => {
  expect(await decide("seller = ''' OR true --'", order)).toBe(false);
});

test("fields and single comparisons are told apart", () => {
  const predicate = parsePredicate("a = 1 and (b in ('x','y') or not a > 3)", "t");
  expect(fieldsOf(predicate)).toEqual(["a", "b"]);
  expect(testsOf(predicate)).toHaveLength(3);
});
