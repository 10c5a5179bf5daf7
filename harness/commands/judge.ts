/** `stampede judge`: judges a stored run again, or books exported from anywhere; no load, no network. */
import { existsSync, statSync } from "node:fs";
import { EXIT, StampedeError } from "../errors.ts";
import { readRun, readVerdict, runPaths, type InvariantVerdict } from "../history/run-folder.ts";
import { judge, type JudgeResult } from "../judge/judge.ts";
import { judgeScreen } from "../../reports/judge-screen.ts";

export interface JudgeCommandOptions {
  readonly evidence?: string;
  readonly json?: boolean;
}

/** 111 when an invariant is violated, 112 when something stays open, else 0. */
function exitCodeOf(invariants: readonly InvariantVerdict[]): number {
  if (invariants.some((invariant) => invariant.verdict === "fail")) return EXIT.invariantViolated;
  if (invariants.some((invariant) => invariant.verdict === "inconclusive"))
    return EXIT.inconclusive;
  return invariants.some((invariant) => invariant.verdict === "pass")
    ? EXIT.pass
    : EXIT.inconclusive;
}

async function judgeFolder(
  dir: string | undefined,
  options: JudgeCommandOptions,
): Promise<JudgeResult> {
  if (options.evidence !== undefined) {
    if (dir !== undefined)
      throw new StampedeError("configuration", "expected a run or --evidence DIR, came both", {
        hint: "judge one of them",
      });
    if (!existsSync(options.evidence) || !statSync(options.evidence).isDirectory())
      throw new StampedeError(
        "configuration",
        `expected a folder of canonical tables; there is no folder ${options.evidence}`,
        { hint: "export orders.csv, coupons.csv, payments.csv … there" },
      );
    return judge({ evidenceDir: options.evidence, opsPath: null, judges: [], drained: null });
  }
  if (dir === undefined)
    throw new StampedeError(
      "configuration",
      "expected a run folder or --evidence DIR, came neither",
      { hint: "stampede judge RUN, or stampede judge --evidence ./csv" },
    );
  const run = readRun(dir);
  const paths = runPaths(dir);
  return judge({
    evidenceDir: paths.evidence,
    opsPath: paths.ops,
    judges: run.judges,
    drained: null,
    goodputKinds: run.goodput_kinds,
  });
}

export async function judgeCommand(
  dir: string | undefined,
  options: JudgeCommandOptions,
): Promise<number> {
  const result = await judgeFolder(dir, options);
  const exitCode = exitCodeOf(result.invariants);
  if (options.json === true) {
    const { invariants, x0, outcomes, funnel, missing, extra } = result;
    const run = dir === undefined ? null : readRun(dir).id;
    console.log(
      JSON.stringify(
        {
          schema: 1,
          run,
          verdict:
            exitCode === 0 ? "pass" : exitCode === EXIT.invariantViolated ? "fail" : "inconclusive",
          exit_code: exitCode,
          invariants,
          x0,
          outcomes,
          funnel,
          missing,
          extra,
        },
        null,
        2,
      ),
    );
    return exitCode;
  }
  const before = dir === undefined || !existsSync(runPaths(dir).verdict) ? null : readVerdict(dir);
  for (const line of judgeScreen(result, before, {
    color: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
  }))
    console.log(line);
  return exitCode;
}
