/**
 * Whether a finished demo showed what it must, read from its folders again and not from its own word alone.
 * Run: node .ci/demo-verdict.ts RESULTS_DIR EXIT_CODE SECONDS. Exit 0: as intended. 75: not, but the load generator was
 * the bottleneck and nothing that does not depend on it was wrong, so it may be repeated. 1: not as intended.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readVerdict, type Verdict } from "../harness/history/run-folder.ts";
import { readDemo } from "../reports/demo.ts";

const SECONDS_MAX = 150;
const SATURATED = 75;
const NAIVE_BREAKS = ["C1", "C2", "X0"];
const NAIVE_BREAKS_MIN = 8;

const [, , results = "", exitCode = "", seconds = ""] = process.argv;

const broken = (verdict: Verdict): string[] =>
  verdict.invariants.filter((one) => one.verdict === "fail").map((one) => one.id);

/** What the books say, whoever was the bottleneck. */
function booksProblems(naive: Verdict, guarded: Verdict): string[] {
  const ids = broken(naive);
  return [
    ...NAIVE_BREAKS.filter((id) => !ids.includes(id)).map((id) => `naive did not violate ${id}`),
    ...(ids.length < NAIVE_BREAKS_MIN
      ? [`naive violated ${ids.length} invariants, at least ${NAIVE_BREAKS_MIN} were expected`]
      : []),
    ...broken(guarded).map((id) => `guarded violated ${id}`),
  ];
}

/** What the curves say, and the verdicts as a whole. */
function courseProblems(naive: Verdict, guarded: Verdict): string[] {
  const expected: [string, unknown, unknown][] = [
    ["naive's verdict", naive.verdict, "fail"],
    ["naive's exit code", naive.exit_code, 111],
    ["naive's GO", naive.go, false],
    ["naive's collapse", naive.collapse.collapsed, true],
    ["naive's metastability", naive.collapse.metastable, "yes"],
    ["guarded's verdict", guarded.verdict, "pass"],
    ["guarded's exit code", guarded.exit_code, 0],
    ["guarded's GO", guarded.go, true],
  ];
  return expected
    .filter(([, came, wanted]) => came !== wanted)
    .map(([what, came, wanted]) => `${what} is ${String(came)}, expected ${String(wanted)}`);
}

function look(): { readonly problems: readonly string[]; readonly saturated: boolean } {
  const ended = [
    ...(exitCode === "0" ? [] : [`the demo exited ${exitCode}, expected 0`]),
    ...(Number(seconds) <= SECONDS_MAX
      ? []
      : [`it took ${seconds} s, at most ${SECONDS_MAX} are promised`]),
  ];
  const folders = readdirSync(results).filter((name) => !name.startsWith("."));
  const [folder] = folders;
  if (folder === undefined || folders.length > 1)
    return {
      problems: [...ended, `expected one demo in ${results}; there are ${folders.length}`],
      saturated: false,
    };
  const demo = readDemo(join(results, folder));
  const naive = readVerdict(join(results, folder, demo.naive));
  const guarded = readVerdict(join(results, folder, demo.guarded));
  const books = booksProblems(naive, guarded);
  const because = demo.as_intended ? [] : demo.because;
  const bottleneck = naive.generator.saturated || guarded.generator.saturated;
  process.stdout.write(
    `demo ${demo.id}, seed ${demo.seed}, capacity ${demo.capacity}/s, ${seconds} s\n`,
  );
  return {
    problems: [...ended, ...books, ...courseProblems(naive, guarded), ...because],
    // The demo's own 1 says "not as intended"; any other code is an accident that no bottleneck explains.
    saturated: bottleneck && books.length === 0 && exitCode === "1",
  };
}

const { problems, saturated } = look();
for (const problem of problems) process.stdout.write(`  ${problem}\n`);
process.stdout.write(
  problems.length === 0
    ? "as intended\n"
    : saturated
      ? "not as intended: the generator was the bottleneck\n"
      : "not as intended\n",
);
process.exitCode = problems.length === 0 ? 0 : saturated ? SATURATED : 1;
