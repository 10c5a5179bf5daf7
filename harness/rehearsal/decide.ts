/** From history and books to a verdict: the judge, the analysis, and their merge into verdict.json. */
import { collapseVerdict } from "../analysis/collapse-verdict.ts";
import { courseOf } from "../analysis/course.ts";
import { writeSeries } from "../analysis/goodput.ts";
import { judgeSlos } from "../analysis/slos.ts";
import type { ExitCode } from "../errors.ts";
import { runPaths, writeWhole, type RunJson, type Verdict } from "../history/run-folder.ts";
import { judge } from "../judge/judge.ts";
import { mergeVerdict } from "../judge/verdict.ts";
import type { EventDeclaration } from "../scenario/event.ts";
import type { CrowdLeft } from "./crowd.ts";
import type { Settled } from "./settle.ts";

export interface DecideOptions {
  readonly dir: string;
  readonly described: RunJson;
  readonly event: EventDeclaration;
  readonly left: CrowdLeft;
  readonly settled: Settled;
  readonly interrupted: boolean;
  /** Where large sorts may spill. */
  readonly scratch: string;
}

/** Why nothing can be concluded from the curves, beside the generator's own word. */
function gaps({ left, interrupted }: DecideOptions): string[] {
  const { refused } = left.recorder;
  return [
    ...(refused === 0 ? [] : [`the record was full: ${refused} rows lost`]),
    ...(interrupted ? ["the run was interrupted"] : []),
  ];
}

/** Judges, analyses, writes series.parquet and verdict.json. */
export async function decide(options: DecideOptions): Promise<Verdict> {
  const { described: run, event, left, settled } = options;
  const { engine } = left;
  const { unproved } = left.timeline;
  const paths = runPaths(options.dir);
  const judged = await judge({
    evidenceDir: paths.evidence,
    opsPath: paths.ops,
    judges: event.judges,
    drained: settled.drained,
    tempDir: options.scratch,
    goodputKinds: event.goodputKinds,
  });
  const series = await writeSeries(paths, run, judged.contradicted);
  const course = courseOf(run, left.recorder.faults, engine.generator, gaps(options));
  const collapse = collapseVerdict(series, course);
  const slos = judgeSlos(event.slos, series, course, collapse);
  const endings: ExitCode[] = [];
  if (engine.exitCode !== 0) endings.push(engine.exitCode);
  if (options.interrupted) endings.push(105);
  if (unproved.length > 0) endings.push(114);
  const { thresholds, generator } = engine;
  const merged = mergeVerdict({
    invariants: judged.invariants,
    thresholds,
    slos,
    collapse,
    generator,
    expectPeakPerS: run.expect_peak_per_s,
    endings,
  });
  const verdict: Verdict = {
    schema: 1,
    run: run.id,
    verdict: merged.verdict,
    exit_code: merged.exit_code,
    go: merged.go,
    go_because: [...unproved.map((what) => `not proved undone: ${what}`), ...merged.go_because],
    invariants: judged.invariants,
    thresholds: merged.thresholds,
    slos: merged.slos,
    collapse: merged.collapse,
    x0: judged.x0,
    generator,
    outcomes: judged.outcomes,
    funnel: judged.funnel,
  };
  writeWhole(paths.verdict, `${JSON.stringify(verdict, null, 2)}\n`);
  return verdict;
}
