/**
 * Writes docs/status.md: every promise of docs/promises.json with the test that proves it and its last result.
 * Run: node .ci/status.ts TESTS.json FAILED_STEPS. A promise without a test is listed as unproved; one whose test is
 * gone fails the run.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

interface Promised {
  readonly promise: string;
  /** Test file, or "file > words of the test's name", or "step: name" of .ci/run; null when nothing proves it yet. */
  readonly test: string | null;
}

interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const root = join(import.meta.dirname, "..");
const [, , reportPath = "", failedSteps = "0"] = process.argv;
const promises = JSON.parse(readFileSync(join(root, "docs/promises.json"), "utf8")) as Promised[];
const report = JSON.parse(readFileSync(reportPath, "utf8")) as TestReport;

function resultOf(test: string): string {
  if (test.startsWith("step: ")) return failedSteps === "0" ? "passed" : "see the log";
  const [file = "", words] = test.split(" > ");
  const found = report.testResults
    .filter((r) => relative(root, r.name) === file)
    .flatMap((r) => r.assertionResults);
  const named = words === undefined ? found : found.filter((a) => a.fullName.includes(words));
  if (named.length === 0) return "missing";
  if (named.some((a) => a.status === "failed")) return "failed";
  const passed = named.filter((a) => a.status === "passed").length;
  return passed === 0 ? "skipped" : `passed (${passed})`;
}

const rows = promises.map(({ promise, test }) => ({
  promise,
  test: test ?? "–",
  result: test === null ? "unproved" : resultOf(test),
}));
const missing = rows.filter((row) => row.result === "missing");
const table = rows.map(
  (row) => `| ${row.promise} | ${row.test === "–" ? "–" : `\`${row.test}\``} | ${row.result} |`,
);
writeFileSync(
  join(root, "docs/status.md"),
  `# Status\n\nWhat stampede promises, which test proves it, and what that test said last. Written by \`.ci/run\`.\n\n| promise | test | last result |\n| --- | --- | --- |\n${table.join("\n")}\n`,
);
process.stdout.write(
  `${rows.length} promises: ${rows.filter((r) => r.result.startsWith("passed")).length} proved, ${rows.filter((r) => r.result === "unproved").length} unproved, ${missing.length} with a missing test\n`,
);
for (const row of missing) process.stdout.write(`missing: ${row.promise} → ${row.test}\n`);
process.exitCode = missing.length > 0 ? 1 : 0;
