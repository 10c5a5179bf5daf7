/** A plain k6 script without `event`: simply a load test, with k6's own summary, thresholds and exit codes. */
import { monotonicNs, wallUs } from "../determinism/clock.ts";
import type { LoadedScript } from "../engine/engine.ts";
import { nodeEngine } from "../engine/node/node-engine.ts";
import { EXIT } from "../errors.ts";
import { Recorder } from "../history/recorder.ts";
import { runPaths } from "../history/run-folder.ts";
import { Stage } from "../target/stage.ts";
import { summaryText } from "../../reports/summary-text.ts";
import { describeRun, writeRunJson } from "./describe.ts";
import { growFolder } from "./finish.ts";
import type { RunPlan, Show } from "./plan.ts";

/** Drives the script and prints k6's summary; there are no books, so nothing is judged. Returns k6's exit code. */
export async function plainRun(
  plan: RunPlan,
  script: LoadedScript,
  show: Show,
  signal: AbortSignal,
): Promise<number> {
  show.say(`${plan.scenario}: a plain k6 script (no event export): a load test, nothing is judged`);
  await using stage = await Stage.open(plan.id);
  using folder = growFolder(plan.outDir, stage.ownership);
  const recorder = new Recorder();
  await using prepared = await nodeEngine.prepare({
    script: plan.script,
    env: plan.env,
    seed: plan.seed,
    phases: [],
    allowHosts: plan.allowHosts,
    history: recorder,
    log: (line) => show.say(line),
    signal,
  });
  const t0WallUs = wallUs();
  const result = await prepared.start(monotonicNs());
  const paths = runPaths(folder.dir);
  await recorder.write(paths);
  writeRunJson(folder.dir, describeRun(plan, null, script, { capacity: null, t0WallUs }), result);
  folder.publish();
  show.say(result.summaryFiles["stdout"] ?? summaryText(result.summary));
  if (result.because !== null) show.say(result.because);
  if (result.exitCode !== EXIT.pass) return result.exitCode;
  return result.thresholds.some((threshold) => threshold.verdict === "fail")
    ? EXIT.threshold
    : result.thresholds.some((threshold) => threshold.verdict === "inconclusive")
      ? EXIT.inconclusive
      : EXIT.pass;
}
