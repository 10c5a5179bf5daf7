/** Promises to pipelines: junit.xml is well-formed and counts right, summary.md cannot be broken by a name, the schema is current. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { verdictSchema } from "../harness/history/run-folder.ts";
import { junitXml } from "./junit.ts";
import { markdownText, summaryMarkdown } from "./markdown.ts";
import { writeRunFixture } from "./run.fixture.ts";
import { HOSTILE } from "./verdict.fixture.ts";
import { loadRunView, type RunView } from "./run-view.ts";
import { VERDICT_SCHEMA_FILE, verdictJsonSchema } from "./schema.ts";
import { summaryText } from "./summary-text.ts";

const dir = mkdtempSync(join(tmpdir(), "stampede-pipeline-"));
let naive: RunView;
let guarded: RunView;
let hostile: RunView;

beforeAll(async () => {
  await writeRunFixture(join(dir, "naive"), "naive");
  await writeRunFixture(join(dir, "guarded"), "guarded");
  await writeRunFixture(
    join(dir, "hostile"),
    "naive",
    `${HOSTILE}]]>\u0000\u001b|\`\`\` @all [x](https://evil.example) \ud800`,
  );
  [naive, guarded, hostile] = [
    await loadRunView(join(dir, "naive")),
    await loadRunView(join(dir, "guarded")),
    await loadRunView(join(dir, "hostile")),
  ];
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Tags must nest, attributes must be quoted, no bare & or <: what a CI server's parser refuses. */
function wellFormed(xml: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const body = xml.replace(/^<\?xml[^?]*\?>/, "").replaceAll(/<!\[CDATA\[[\s\S]*?\]\]>/g, "");
  const rest = body.replaceAll(
    /<(\/?)([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>/g,
    (_tag, closes: string, name: string, _attributes: string, empty: string) => {
      if (closes === "/") {
        if (open.pop() !== name) problems.push(`</${name}>`);
      } else if (empty === "") open.push(name);
      return "";
    },
  );
  if (open.length > 0) problems.push(`left open: ${open.join(" ")}`);
  if (/[<>]/.test(rest)) problems.push(`stray: ${/.{0,20}[<>].{0,20}/.exec(rest)?.[0] ?? ""}`);
  if (
    /&(?!(amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)/.test(
      xml.replaceAll(/<!\[CDATA\[[\s\S]*?\]\]>/g, ""),
    )
  )
    problems.push("a bare &");
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\ud800(?![\udc00-\udfff])/.test(xml))
    problems.push("a letter XML has not");
  return problems;
}

const counted = (xml: string, tag: string): number =>
  [...xml.matchAll(new RegExp(`<${tag}[ />]`, "g"))].length;

describe("junit.xml", () => {
  test("has one test case an invariant, an SLO and a threshold; broken ones fail, undecided ones are errors, absent ones are skipped", () => {
    const xml = junitXml(naive);
    const { invariants, slos, thresholds } = naive.verdict;
    expect(counted(xml, "testcase")).toBe(invariants.length + slos.length + thresholds.length);
    expect(counted(xml, "failure")).toBe(11 + 1 + 1);
    expect(counted(xml, "skipped")).toBe(1);
    expect(counted(junitXml(guarded), "error")).toBe(1);
    expect(counted(junitXml(guarded), "failure")).toBe(0);
    expect(xml).toContain("X0 no-random-cancellation: No order is cancelled at random");
    expect(xml).toContain(naive.run.replay);
  });

  test("is well-formed whatever the books hold", () => {
    expect(wellFormed(junitXml(naive))).toEqual([]);
    expect(wellFormed(junitXml(hostile))).toEqual([]);
    expect(wellFormed("<a b='c'><d></a>")).not.toEqual([]);
  });
});

describe("summary.md", () => {
  test("says the verdict, the story, the broken rules and how to run it again", () => {
    const text = summaryMarkdown(naive).replaceAll("\u00a0", " ");
    for (const part of [
      "# The all\\-user coupon night: NO-GO",
      "| ✗ | coupons above the cap | 40 | C1 C2 C3 |",
      "| X0 No order is cancelled at random | fail | 1,163 | 2,410 |",
      `\`${naive.run.replay}\``,
    ])
      expect(text).toContain(part);
    expect(summaryMarkdown(guarded)).toContain(": GO\n");
    expect(summaryMarkdown(naive, { lang: "ko" })).toContain("발송 불가");
  });

  test("a name from the books cannot become mark-up, a mention, a link or a table cell", () => {
    const text = summaryMarkdown(hostile);
    const prose = text.replaceAll(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, "");
    expect(prose).not.toMatch(/<script|<img|@all|https:\/\/|[^\\]\[x\]/);
    const tables = text.split("\n").filter((line) => line.startsWith("| "));
    const cells = (line: string): number => line.replaceAll("\\|", "").split("|").length;
    expect(
      new Set(
        tables.filter((line) => line.includes("http\\_req") || line.includes("must be")).map(cells),
      ).size,
    ).toBe(1);
    expect(markdownText("a|b`c`\n# d")).toBe("a\\|b\\`c\\`?\\# d");
  });
});

describe("verdict.schema.json", () => {
  test("is current: `node reports/schema.ts` writes it anew", () => {
    expect(readFileSync(VERDICT_SCHEMA_FILE, "utf8")).toBe(verdictJsonSchema());
  });

  test("names every key of verdict.json", () => {
    const schema = z
      .object({ properties: z.record(z.string(), z.unknown()), required: z.array(z.string()) })
      .parse(JSON.parse(verdictJsonSchema()));
    expect(Object.keys(schema.properties).toSorted()).toEqual(
      Object.keys(verdictSchema.shape).toSorted(),
    );
    expect(schema.required).toContain("invariants");
  });
});

describe("the end of a plain k6 script", () => {
  const trend = {
    type: "trend",
    contains: "time",
    values: { avg: 116.284, min: 0.5, med: 100, max: 61_000, "p(90)": 1500, "p(95)": 2000 },
  };
  const summary = {
    root_group: {
      name: "",
      path: "",
      id: "",
      groups: [{ name: "cart", groups: [], checks: [{ name: "has items", passes: 5, fails: 5 }] }],
      checks: [{ name: "status is 200", passes: 10, fails: 0 }],
    },
    options: { summaryTrendStats: ["avg", "min", "med", "max", "p(90)", "p(95)"] },
    state: { testRunDurationMs: 5000 },
    metrics: {
      http_req_duration: { ...trend, thresholds: { "p(95)<1000": { ok: false } } },
      "http_req_duration{expected_response:true}": trend,
      http_req_failed: {
        type: "rate",
        contains: "default",
        values: { rate: 0.25, passes: 5, fails: 15 },
        thresholds: { "rate<0.5": { ok: true } },
      },
      http_reqs: { type: "counter", contains: "default", values: { count: 20, rate: 4 } },
      iterations: { type: "counter", contains: "default", values: { count: 10, rate: 2 } },
      vus: { type: "gauge", contains: "default", values: { value: 1, min: 1, max: 3 } },
      data_received: {
        type: "counter",
        contains: "data",
        values: { count: 2_200_000, rate: 440_000 },
      },
      my_trend: {
        type: "trend",
        contains: "default",
        values: { avg: 3, min: 1, med: 3, max: 5, "p(90)": 5, "p(95)": 5 },
      },
      checks: { type: "rate", contains: "default", values: { rate: 0.75, passes: 15, fails: 5 } },
    },
  };

  test("has k6's sections with k6's figures", () => {
    const text = summaryText(summary);
    const order = [
      "█ THRESHOLDS",
      "✗ 'p(95)<1000' p(95)=2s",
      "✓ 'rate<0.5' rate=25.00%",
      "█ TOTAL RESULTS",
      "checks_total.......: 20 4/s",
      "checks_succeeded...: 75.00% 15 out of 20",
      "checks_failed......: 25.00% 5 out of 20",
      "✓ status is 200",
      "█ cart",
      "✗ has items",
      "↳  50% — ✓ 5 / ✗ 5",
      "CUSTOM",
      "my_trend",
      "avg=3 min=1 med=3 max=5 p(90)=5 p(95)=5",
      "HTTP",
      "avg=116.28ms min=500µs med=100ms max=1m1s p(90)=1.5s p(95)=2s",
      "{ expected_response:true }",
      "25.00% 5 out of 20",
      "20 4/s",
      "EXECUTION",
      "10 2/s",
      "1 min=1 max=3",
      "NETWORK",
      "2.2 MB 440 kB/s",
    ];
    let from = 0;
    for (const part of order) {
      const at = text.indexOf(part, from);
      expect(at, `${part} after ${text.slice(0, from).split("\n").at(-1)}`).toBeGreaterThanOrEqual(
        0,
      );
      from = at;
    }
  });

  test("a script without checks or thresholds has neither section, and colour is only given when asked", () => {
    const bare = {
      root_group: { name: "", groups: [], checks: [] },
      metrics: { iterations: summary.metrics.iterations },
    };
    expect(summaryText(bare)).not.toMatch(/THRESHOLDS|checks_total/);
    expect(summaryText(summary)).not.toContain("\u001b");
    expect(summaryText(summary, { color: true })).toContain("\u001b[31m");
  });

  test("what is not a summary is refused with what was expected", () => {
    expect(() => summaryText({ metrics: {} })).toThrow(/shape of k6's handleSummary data/);
  });
});
