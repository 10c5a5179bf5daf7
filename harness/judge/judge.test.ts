/** The judge as a whole: folders people really hand in, what they leave undecided, and what follows from a verdict. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StampedeError } from "../errors.ts";
import { Database, literal } from "../history/duckdb.ts";
import { csvOf, judged, verdictOf, type LiteralRow, type Tables } from "./fixture.ts";
import { judge, type JudgeOptions, type JudgeResult } from "./judge.ts";
import { decide, type Findings } from "./run-invariant.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stampede-judge-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const put = (name: string, text: string): void => writeFileSync(join(dir, name), text);
const run = (more: Partial<JudgeOptions> = {}): Promise<JudgeResult> =>
  judge({ evidenceDir: dir, opsPath: null, judges: [], drained: null, ...more });
const of = (
  result: JudgeResult,
  id: string,
): { verdict: string; because: string | null; count: number } => {
  const found = result.invariants.find((verdict) => verdict.id === id);
  if (found === undefined) throw new Error(`${id} was not judged`);
  return { verdict: found.verdict, because: found.because, count: found.count };
};
const problem = async (work: Promise<unknown>): Promise<StampedeError> => {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof StampedeError))
    throw new Error(`expected a StampedeError, got ${String(error)}`);
  return error;
};

describe("a folder that cannot be judged says so in one message", () => {
  const cases: {
    readonly when: string;
    readonly files: Readonly<Record<string, string>>;
    /** Appended to the first file as they are. */
    readonly bytes?: readonly number[];
    readonly says: RegExp;
  }[] = [
    {
      when: "it is empty",
      files: {},
      says: /expected a folder with the canonical tables .*; it is empty/,
    },
    {
      when: "it holds no canonical table",
      files: { "customers.csv": "id\n1\n", "notes.txt": "x" },
      says: /it holds customers\.csv, notes\.txt/,
    },
    {
      when: "a table is an empty file",
      files: { "orders.csv": "" },
      says: /orders\.csv must hold a table; it is an empty file/,
    },
    {
      when: "a table has none of its columns",
      files: { "orders.csv": "a,b\n1,2\n" },
      says: /orders\.csv must have columns of the table orders; it has a, b/,
    },
    {
      when: "money is no integer",
      files: { "orders.csv": "id,total\n1,12.000 KRW\n" },
      says: /orders\.csv: column total must be BIGINT; "12\.000 KRW" is not/,
    },
    {
      when: "a column stands twice",
      files: { "orders.csv": "id,id\n1,2\n" },
      says: /orders\.csv:1: every column must have a name of its own; "id"/,
    },
    {
      when: "a quote never ends",
      files: { "orders.csv": 'id,intent\n1,"a\n2,b\n' },
      says: /orders\.csv: line 2: Value with unterminated quote/,
    },
    {
      when: "a row is shorter than its header",
      files: { "orders.csv": "id,intent,total\n1,i1,5\n2\n" },
      says: /orders\.csv: line 3: Expected Number of Columns: 3 Found: 1/,
    },
    {
      when: "a text is not UTF-8",
      files: { "orders.csv": "id,intent\n1,i1\n" },
      bytes: [0xff, 0xfe, 0x80],
      says: /orders\.csv: line 3: Invalid unicode/,
    },
    {
      when: "JSON is not JSON",
      files: { "orders.csv": "id,attributes\n1,{oops\n" },
      says: /orders\.csv: column attributes must be JSON; "\{oops" is not/,
    },
    {
      when: "a Parquet file is none",
      files: { "orders.parquet": "not parquet" },
      says: /orders\.parquet cannot be read as a table/,
    },
    {
      when: "a table stands there twice",
      files: { "orders.csv": "id\n1\n", "orders.parquet": "x" },
      says: /orders stands there twice: orders\.csv and orders\.parquet/,
    },
  ];
  it.each(cases)("when $when", async ({ files, bytes, says }) => {
    for (const [name, text] of Object.entries(files)) put(name, text);
    if (bytes !== undefined) appendFileSync(join(dir, "orders.csv"), Uint8Array.from(bytes));
    const error = await problem(run());
    expect(error.message).toMatch(says);
    expect(error.exitCode).toBe(104);
  });

  it("when there is no folder, or no history where one was named", async () => {
    expect((await problem(run({ evidenceDir: join(dir, "gone") }))).message).toMatch(
      /there is no such folder/,
    );
    put("orders.csv", "id\n1\n");
    expect((await problem(run({ opsPath: join(dir, "ops.parquet") }))).message).toMatch(
      /history at .*ops\.parquet; there is no such file/,
    );
  });
});

const twice: Tables = {
  orders: [
    { id: "1", intent: "i1" },
    { id: "2", intent: "i1" },
  ],
};

describe("books exported from anywhere are judged as far as they go", () => {
  it("CSV with the line ends of Windows and a quoted line break", async () => {
    put("orders.csv", 'id,"intent"\r\n1,"i\n1"\r\n2,"i\n1"\r\n');
    expect(of(await run(), "O2")).toMatchObject({ verdict: "fail", count: 1 });
  });

  it("CSV with a byte order mark, other case, extra columns, blank lines and floats for integers", async () => {
    put("orders.csv", '\uFEFFID,Intent,Total,Note\n1,i1,1000.0,"a,\n""b"""\n\n2,i1,,x\n');
    expect(of(await run(), "O2")).toMatchObject({ verdict: "fail", count: 1 });
  });

  it("Parquet gives the same verdicts as CSV", async () => {
    const tables: Tables = {
      ...twice,
      payments: [
        { id: "p", order_id: "1", kind: "capture", amount: 5, result: "ok", seq: 1, at_us: 1000 },
        { id: "q", order_id: "1", kind: "capture", amount: 5, result: "ok", seq: 2, at_us: 9000 },
      ],
      ops: [
        {
          intent: "i1",
          kind: "order",
          outcome: "ok",
          request: { user_id: "u" },
          response: { order_id: "3" },
        },
      ],
    };
    await using db = await Database.open();
    mkdirSync(join(dir, "csv"));
    for (const [name, rows] of Object.entries(tables)) {
      const csv = join(dir, "csv", `${name}.csv`);
      writeFileSync(csv, csvOf(name, rows));
      await db.run(
        `COPY (SELECT * FROM read_csv(${literal(csv)})) TO ${literal(join(dir, `${name}.parquet`))} (FORMAT parquet)`,
      );
    }
    const short = (result: JudgeResult): unknown =>
      result.invariants.map(({ id, verdict, count, because }) => ({ id, verdict, count, because }));
    const parquet = await run();
    expect(short(parquet)).toEqual(short(await judged(tables)));
    expect(["O1", "O2", "P1"].map((id) => of(parquet, id).verdict)).toEqual([
      "fail",
      "fail",
      "fail",
    ]);
  });

  it("what is missing is named, table and column, and never passed", async () => {
    const result = await judged(twice, { without: ["orders.coupon_id"] });
    expect(of(result, "C1")).toMatchObject({
      verdict: "not-applicable",
      because: "missing: campaigns, coupons, coupon_events",
    });
    expect(of(result, "O4").because).toBe("missing: coupons, orders(coupon_id)");
    expect(result.missing).toContainEqual({
      invariant: "O4",
      missing: ["coupons", "orders(coupon_id)"],
    });
    expect(of(result, "O2").because).toBe("judged without ops");
    expect(
      result.invariants
        .filter((verdict) => verdict.verdict === "pass")
        .map((verdict) => verdict.id),
    ).toEqual([]);
  });

  it("a status outside the vocabulary takes the pass away, not the fail", async () => {
    const word = await verdictOf("P4", {
      orders: [{ id: "1", status: "completed", captured: 5, refunded: 0 }],
      refunds: [],
    });
    expect(word).toMatchObject({
      verdict: "not-applicable",
      because: 'words outside the vocabulary: orders.status "completed"; judged without payments',
    });
    const broken = await verdictOf("P4", {
      orders: [{ id: "1", status: "completed", captured: 5, refunded: 9 }],
      refunds: [],
    });
    expect(broken.verdict).toBe("fail");
  });

  it("unknown files beside canonical ones are left aside and told", async () => {
    put("orders.csv", csvOf("orders", twice.orders ?? []));
    put("customers.csv", "id\n1\n");
    const result = await run();
    expect(of(result, "O2").verdict).toBe("fail");
    expect(result.extra).toEqual(["customers.csv"]);
  });

  it("rows that name what went wrong come as a witness, five a table", async () => {
    const verdict = await verdictOf("O2", {
      orders: Array.from({ length: 9 }, (_, n): LiteralRow => ({ id: String(n), intent: "i" })),
      ops: [{ intent: "i", kind: "order", outcome: "ok" }],
    });
    expect(verdict.worst).toMatchObject({ subject: "i", size: 9 });
    expect(
      Object.fromEntries(
        Object.entries(verdict.witness ?? {}).map(([table, rows]) => [table, rows.length]),
      ),
    ).toEqual({ orders: 5, ops: 1 });
  });
});

const own = (more: string, violations: string): string =>
  `-- id: Z1\n-- name: own\n-- class: S\n-- holds: ours\n-- subject: order\n-- needs: orders(id)${more}\n-- statement: sample\nSELECT count(*) AS considered, 0 AS unknown FROM orders\n-- statement: violations\n${violations}\n`;

describe("invariants of one's own", () => {
  it("stand beside the others and may read tables of one's own", async () => {
    put("orders.csv", csvOf("orders", [{ id: "1" }]));
    put("stores.csv", "id,name\n1,x\n");
    mkdirSync(join(dir, "own"));
    put(
      "own/z1.sql",
      own(
        " stores(id)",
        "SELECT 'definite' AS certainty, 1 AS seq, id AS subject, 'store ' || name AS detail FROM stores",
      ),
    );
    expect(of(await run({ extraDir: join(dir, "own") }), "Z1")).toMatchObject({
      verdict: "fail",
      count: 1,
    });
  });

  it("a query that crashes, or takes too long, is inconclusive and spares the others", async () => {
    put("orders.csv", csvOf("orders", twice.orders ?? []));
    mkdirSync(join(dir, "own"));
    put("own/z1.sql", own("", "SELECT no_such_column FROM orders"));
    put(
      "own/z2.sql",
      own(
        "",
        "SELECT 'definite' AS certainty, count(*) AS seq, '1' AS subject, 'x' AS detail FROM range(100000000) a, range(100000) b",
      ).replace("Z1", "Z2"),
    );
    const result = await run({
      extraDir: join(dir, "own"),
      queryTimeoutMs: 400,
      only: ["Z1", "Z2", "O2"],
    });
    expect(of(result, "Z1").because).toMatch(/the query did not finish: .*no_such_column/);
    expect(of(result, "Z2")).toMatchObject({
      verdict: "inconclusive",
      because: "the query did not finish: longer than 400 ms",
    });
    expect(of(result, "O2").verdict).toBe("fail");
  });

  it("cannot reach files or the network", async () => {
    put("orders.csv", csvOf("orders", [{ id: "1" }]));
    mkdirSync(join(dir, "own"));
    put(
      "own/z1.sql",
      own(
        "",
        "SELECT 'definite' AS certainty, 1 AS seq, content AS subject, '' AS detail FROM read_text('/etc/hostname')",
      ),
    );
    expect(of(await run({ extraDir: join(dir, "own") }), "Z1").because).toMatch(
      /the query did not finish: Permission Error/,
    );
  });
});

const order = (n: number, intent: string): LiteralRow => ({
  id: `o${n}`,
  intent,
  status: "paid",
  captured: 10,
  refunded: 0,
});
const op = (intent: string, outcome: string, order_id: string | null, attempt = 1): LiteralRow => ({
  intent,
  kind: "order",
  outcome,
  attempt,
  process: "1.1.0",
  request: { user_id: "u" },
  response: order_id === null ? {} : { order_id },
});
const night: Tables = {
  orders: [order(1, "i1"), order(2, "i2"), order(3, "i3")],
  payments: [1, 2, 3]
    .map((n) => ({
      id: `p${n}`,
      order_id: `o${n}`,
      kind: "capture",
      amount: 10,
      result: "ok",
      seq: n,
      at_us: n * 9000,
    }))
    .concat({
      id: "p4",
      order_id: "o2",
      kind: "capture",
      amount: 10,
      result: "ok",
      seq: 9,
      at_us: 90_000,
    }),
  ops: [
    op("i1", "ok", "o1"),
    op("i2", "info", null),
    op("i2", "ok", "o2", 2),
    op("i3", "info", null),
    op("i4", "info", null),
    op("i5", "fail", null),
    op("i6", "ok", "o6"),
    { intent: "r1", kind: "lookup", outcome: "ok", process: "1.1.0" },
    { intent: "x", kind: "issue", outcome: "ok", process: "operator" },
  ],
};

describe("what the books say of the client's history", () => {
  it("the funnel loses whoever was lost, and whoever was charged twice", async () => {
    const result = await judged(night);
    expect(result.funnel).toEqual({
      intents: 6,
      attempts: 7,
      acknowledged: 3,
      in_books: 2,
      kept: 1,
    });
    expect(result.contradicted).toEqual(["i2", "i6"]);
  });

  it("an unknown is resolved by being found, and by surely not being there once the services are stopped", async () => {
    expect((await judged(night)).outcomes).toEqual({ ok: 5, fail: 1, info: 3, info_resolved: 3 });
    expect((await judged(night, { drained: false })).outcomes).toMatchObject({
      info: 3,
      info_resolved: 2,
    });
    const { orders: _gone, ...rest } = night;
    expect((await judged(rest)).outcomes).toMatchObject({ info: 3, info_resolved: 1 });
  });

  it("without a history there is no funnel", async () => {
    expect((await judged({ orders: night.orders ?? [] })).funnel).toBeNull();
  });

  it("nobody is contradicted by what is only possible, or by a coupon's fault", async () => {
    const result = await judged({
      ...night,
      orders: [order(1, "i1")],
      payments: [{ id: "p", order_id: "o1", kind: "capture", amount: 10, result: "unknown" }],
      ops: [op("i1", "ok", "o1")],
      coupons: [
        { id: "k", code: "x" },
        { id: "l", code: "x" },
      ],
    });
    expect(of(result, "C5").verdict).toBe("fail");
    expect(result.contradicted).toEqual([]);
  });
});

describe("a verdict", () => {
  const found: Findings = {
    class: "S",
    missing: [],
    foreign: [],
    without: [],
    crash: null,
    drained: true,
    definite: 0,
    possible: 0,
    considered: 9,
    leastSample: 1,
    judged: false,
    possibleWhen: "",
  };
  const cases: { readonly when: string; readonly is: string; readonly found: Partial<Findings> }[] =
    [
      { when: "nothing is wrong", is: "pass", found: {} },
      { when: "one violation is definite", is: "fail", found: { definite: 1, possible: 5 } },
      { when: "violations are only possible", is: "inconclusive", found: { possible: 1 } },
      { when: "the query crashed", is: "inconclusive", found: { crash: "x" } },
      {
        when: "the sample is small and the scenario says it must be exercised",
        is: "inconclusive",
        found: { considered: 0, judged: true },
      },
      {
        when: "the sample is small and nobody asked",
        is: "not-applicable",
        found: { considered: 0 },
      },
      {
        when: "the sample is small and still something is wrong",
        is: "fail",
        found: { considered: 0, definite: 1 },
      },
      {
        when: "something is missing, whatever else",
        is: "not-applicable",
        found: { missing: ["jobs"], definite: 3 },
      },
      {
        when: "the service had not drained and the class is Q",
        is: "inconclusive",
        found: { class: "Q", drained: false, definite: 3 },
      },
      {
        when: "the service had not drained and the class is B",
        is: "inconclusive",
        found: { class: "B", drained: false },
      },
      {
        when: "the service had not drained and the class is S",
        is: "fail",
        found: { class: "S", drained: false, definite: 3 },
      },
      {
        when: "a word is foreign",
        is: "not-applicable",
        found: { foreign: ['orders.status "done"'] },
      },
    ];
  it.each(cases)("is $is when $when", ({ is, found: more }) => {
    const { verdict, because } = decide({ ...found, ...more });
    expect(verdict).toBe(is);
    if (verdict !== "pass" && verdict !== "fail")
      expect(because, "what is undecided says why").toMatch(/\w/);
  });

  it("that must be exercised and was not says by how much", async () => {
    const verdict = await verdictOf("O2", { orders: [] }, { judges: ["O2"] });
    expect(verdict).toMatchObject({
      verdict: "inconclusive",
      because: "not exercised: 0 of at least 1; judged without ops",
    });
  });
});
