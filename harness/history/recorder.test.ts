/** The history comes back from Parquet as it was recorded, and a reached bound is reported, not hidden. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Database, literal } from "./duckdb.ts";
import type { Operation } from "./operation.ts";
import { Recorder } from "./recorder.ts";
import { Spool } from "./spool.ts";

const dir = mkdtempSync(join(tmpdir(), "recorder-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const operation = (n: number): Omit<Operation, "index"> => ({
  time_intended_ns: n * 1e9,
  time_invoke_ns: n * 1e9 + 1,
  time_complete_ns: n * 1e9 + 25_000_000,
  process: `0.${n}.0`,
  intent: `order-${n}`,
  attempt: 2,
  kind: "order",
  outcome: n % 2 === 0 ? "ok" : "info",
  status: n % 2 === 0 ? 201 : 0,
  error: n % 2 === 0 ? "" : "timeout",
  phase: "surge",
  scenario: "buyers",
  iteration: n,
  final: n % 2 === 0,
  request: { user_id: "u1", note: '쿠폰, "quoted"\nand a line' },
  response: n % 2 === 0 ? { order_id: `o${n}`, total: 129_000 } : {},
});

describe("the recorder", () => {
  test("operations, arrivals, faults and vitals come back from Parquet as they were recorded", async () => {
    const recorder = new Recorder();
    for (let n = 0; n < 5000; n++) recorder.operation(operation(n));
    recorder.arrival({
      scenario: "buyers",
      iteration: 7,
      time_intended_ns: 12,
      time_start_ns: -1,
      state: "dropped",
    });
    recorder.fault({
      id: "f",
      kind: "process-kill",
      name: "process-kill",
      target: "worker",
      planned_ns: 1,
      begin_ns: 2,
      end_ns: -1,
      detail: "it's gone",
    });
    recorder.vitals({ t_ns: 5, queue_depth: null });
    const paths = {
      ops: join(dir, "ops.parquet"),
      arrivals: join(dir, "arrivals.parquet"),
      faults: join(dir, "faults.parquet"),
      vitals: join(dir, "vitals.parquet"),
    };
    await recorder.write(paths);
    await using db = await Database.open();
    const ops = await db.all(`SELECT * FROM read_parquet(${literal(paths.ops)}) ORDER BY "index"`);
    expect(ops).toHaveLength(5000);
    const { request, response, ...rest } = operation(4999);
    expect(ops[4999]).toEqual({
      index: 4999,
      ...rest,
      request: JSON.stringify(request),
      response: JSON.stringify(response),
    });
    expect(await db.all(`SELECT * FROM read_parquet(${literal(paths.arrivals)})`)).toEqual([
      {
        scenario: "buyers",
        iteration: 7,
        time_intended_ns: 12,
        time_start_ns: -1,
        state: "dropped",
      },
    ]);
    expect(
      await db.all(`SELECT target, end_ns, detail FROM read_parquet(${literal(paths.faults)})`),
    ).toEqual([{ target: "worker", end_ns: -1, detail: "it's gone" }]);
    expect(await db.all(`SELECT * FROM read_parquet(${literal(paths.vitals)})`)).toEqual([
      { t_ns: 5, queue_depth: null },
    ]);
    expect(recorder.refused).toBe(0);
  });

  test("rows beyond the bound are refused and counted", () => {
    const spool = new Spool({ numbers: ["n"], texts: ["t"] }, 3 << 20);
    const text = "x".repeat(1000);
    for (let n = 0; n < 5000; n++) spool.push([n], [text]);
    expect(spool.refused).toBeGreaterThan(0);
    expect(spool.rows + spool.refused).toBe(5000);
    expect([...spool.read()].length).toBe(spool.rows);
  });
});
