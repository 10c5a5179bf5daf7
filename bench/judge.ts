/**
 * `npm run bench`: how long the judge takes over synthetic books of 100 k and 1 M orders (about 13 rows an order), with
 * the 2 threads and 2 GB it always has. Prints seconds per invariant, the total, and the ratio of the two totals;
 * writes only to a temporary folder. Success: under 20 s for 1 M orders and a ratio of at most 11 (exit 1 otherwise).
 * Making the books is not counted; loading them is. The books are correct, so this measures passes, not failures.
 *
 *     node bench/judge.ts [ORDERS ORDERS]
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monotonicNs } from "../harness/determinism/clock.ts";
import { judge } from "../harness/judge/judge.ts";
import { writeBooks } from "./books.ts";

const SECONDS_MAX = 20;
const RATIO_MAX = 11;

interface Measured {
  readonly orders: number;
  readonly rows: number;
  readonly seconds: number;
  readonly failed: readonly string[];
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function measure(orders: number): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), "stampede-bench-"));
  try {
    const evidenceDir = join(dir, "evidence");
    mkdirSync(evidenceDir);
    const opsPath = join(dir, "ops.parquet");
    const rows = await writeBooks(orders, evidenceDir, opsPath);
    const began = monotonicNs();
    const before = process.cpuUsage();
    const result = await judge({
      evidenceDir,
      opsPath,
      judges: [],
      drained: true,
      tempDir: join(dir, "spill"),
    });
    const seconds = (monotonicNs() - began) / 1e9;
    // Far less processor time than twice the seconds: the machine was busy with something else.
    const used = process.cpuUsage(before);
    const processor = ((used.user + used.system) / 1e6).toFixed(1);
    say(
      `${orders} orders, ${rows} rows: ${seconds.toFixed(2)} s, ${processor} s of processor time`,
    );
    for (const verdict of result.invariants)
      say(
        `  ${verdict.id.padEnd(4)} ${(verdict.took_ms / 1e3).toFixed(2).padStart(6)} s  ${verdict.verdict}${verdict.because === null ? "" : ` (${verdict.because})`}`,
      );
    const judged = result.invariants.reduce((sum, verdict) => sum + verdict.took_ms / 1e3, 0);
    say(
      `  rest ${(seconds - judged).toFixed(2).padStart(6)} s  loading, derived tables, witnesses, figures of X0`,
    );
    return {
      orders,
      rows,
      seconds,
      failed: result.invariants
        .filter((verdict) => verdict.verdict === "fail")
        .map((verdict) => verdict.id),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const [small = 100_000, large = 1_000_000] = process.argv.slice(2).map(Number);
const first = await measure(small);
const second = await measure(large);
const ratio = second.seconds / first.seconds;
const allowed = (RATIO_MAX * large) / small / 10;
say(
  `time ratio ${ratio.toFixed(2)} for ${large / small} times the orders (at most ${allowed}); ${second.seconds.toFixed(2)} s for ${large} orders (at most ${SECONDS_MAX})`,
);
const failed = [...first.failed, ...second.failed];
if (failed.length > 0) say(`correct books were found wrong: ${[...new Set(failed)].join(", ")}`);
process.exitCode = ratio <= allowed && second.seconds < SECONDS_MAX && failed.length === 0 ? 0 : 1;
