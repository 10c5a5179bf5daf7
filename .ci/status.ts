/**
 * Writes docs/status.md: every promise of docs/promises.json with the test that proves it and what it said last.
 * Run: node .ci/status.ts TESTS.json [STEPS.tsv]. A promise without a test is listed as unproved; one whose test or step
 * is named and nowhere to be found fails the run. What was not run this time says so.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

interface Promised {
  readonly part: string;
  readonly promise: string;
  /** Test file, or "file > words of the test's full name", or "step: name" of .ci/run; null when nothing proves it yet. */
  readonly test: string | null;
}

interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

interface Row extends Promised {
  readonly result: string;
}

const MISSING = "missing";
const NOT_RUN = "not run";
const UNPROVED = "**unproved**";

const root = join(import.meta.dirname, "..");
const [, , reportPath = "", stepsPath = ""] = process.argv;
const read = (path: string): string => readFileSync(path, "utf8");
const promises = JSON.parse(read(join(root, "docs/promises.json"))) as Promised[];
const report = JSON.parse(read(reportPath)) as TestReport;
const steps = new Map(
  (existsSync(stepsPath) ? read(stepsPath) : "")
    .split("\n")
    .filter((line) => line.includes("\t"))
    .map((line) => line.split("\t"))
    .map(([result = "", name = ""]) => [name, result] as const),
);

function stepResult(name: string): string {
  if (!read(join(root, ".ci/run")).includes(`step "${name}"`)) return MISSING;
  return steps.get(name) ?? NOT_RUN;
}

function testResult(test: string): string {
  const [file = "", words] = test.split(" > ");
  if (!existsSync(join(root, file))) return MISSING;
  const suites = report.testResults.filter((suite) => relative(root, suite.name) === file);
  if (suites.length === 0) return NOT_RUN;
  const found = suites.flatMap((suite) => suite.assertionResults);
  const named = words === undefined ? found : found.filter((one) => one.fullName.includes(words));
  if (named.length === 0) return MISSING;
  if (named.some((one) => one.status === "failed")) return "**failed**";
  const passed = named.filter((one) => one.status === "passed").length;
  return passed === 0 ? "skipped" : `passed (${passed})`;
}

function resultOf({ test }: Promised): string {
  if (test === null) return UNPROVED;
  return test.startsWith("step: ") ? stepResult(test.slice("step: ".length)) : testResult(test);
}

const rows: Row[] = promises.map((promised) => ({ ...promised, result: resultOf(promised) }));
const count = (of: (row: Row) => boolean): number => rows.filter(of).length;
const summary = [
  `${rows.length} promises`,
  `${count((row) => row.result.startsWith("passed"))} proved`,
  `${count((row) => row.result === "**failed**" || row.result === "failed")} failed`,
  `${count((row) => row.result === UNPROVED)} unproved`,
  `${count((row) => row.result === NOT_RUN || row.result === "skipped")} not run`,
  `${count((row) => row.result === MISSING)} with a missing test`,
].join(", ");
const sections = [...new Set(rows.map((row) => row.part))].map((part) => {
  const lines = rows
    .filter((row) => row.part === part)
    .map(
      ({ promise, test, result }) =>
        `| ${promise} | ${test === null ? "–" : `\`${test}\``} | ${result} |`,
    );
  return `## ${part}\n\n| promise | test | last result |\n| --- | --- | --- |\n${lines.join("\n")}\n`;
});
writeFileSync(
  join(root, "docs/status.md"),
  `# Status\n\nWhat stampede promises, which test or step of \`.ci/run\` proves it, and what that said last. Written by \`.ci/status.ts\`\nfrom [promises.json](promises.json): ${summary}.\n\n${sections.join("\n")}`,
);
process.stdout.write(`${summary}\n`);
const missing = rows.filter((row) => row.result === MISSING);
for (const { promise, test } of missing) process.stdout.write(`missing: ${promise} → ${test}\n`);
process.exitCode = missing.length > 0 ? 1 : 0;
