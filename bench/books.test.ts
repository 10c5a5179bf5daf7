/** The synthetic books are correct books: judged whole, they break no rule, and what they exercise is exercised. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { judge } from "../harness/judge/judge.ts";
import { writeBooks } from "./books.ts";

const dir = mkdtempSync(join(tmpdir(), "stampede-bench-books-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("2,000 synthetic orders pass every rule they exercise, X0 to X3 among them", async () => {
  const evidenceDir = join(dir, "evidence");
  mkdirSync(evidenceDir);
  const opsPath = join(dir, "ops.parquet");
  const rows = await writeBooks(2_000, evidenceDir, opsPath);
  expect(rows).toBeGreaterThan(20_000);
  const exercised = ["X0", "X1", "X2", "X3"];
  const { invariants, x0 } = await judge({
    evidenceDir,
    opsPath,
    judges: exercised,
    drained: true,
  });
  expect(
    invariants
      .filter((one) => one.verdict === "fail" || one.verdict === "inconclusive")
      .map((one) => `${one.id} ${one.verdict}: ${one.because ?? ""} ${JSON.stringify(one.first)}`),
  ).toEqual([]);
  expect(
    invariants.filter((one) => exercised.includes(one.id)).map((one) => [one.id, one.verdict]),
  ).toEqual(exercised.map((id) => [id, "pass"]));
  expect(x0).toMatchObject({
    label: "none",
    index_low: 0,
    index_high: 0,
    cancelled: 180,
    without_rule: 0,
  });
});
