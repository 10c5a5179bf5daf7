/** The whole story of one run, in order: target up, crowd in, heal and drain, books read, judged, reported. */
import { LiveFigures } from "./analysis/live.ts";
import { nodeEngine } from "./engine/node/node-engine.ts";
import { Recorder } from "./history/recorder.ts";
import { runPaths, type Verdict } from "./history/run-folder.ts";
import { writeRunReports } from "./rehearsal/reports.ts";
import { decide } from "./rehearsal/decide.ts";
import { describeRun, writeRunJson } from "./rehearsal/describe.ts";
import { driveCrowd } from "./rehearsal/drive.ts";
import { engineLog, growFolder } from "./rehearsal/finish.ts";
import { loadScenario } from "./rehearsal/load.ts";
import type { RunPlan, Show } from "./rehearsal/plan.ts";
import { settle } from "./rehearsal/settle.ts";
import type { World } from "./rehearsal/world.ts";
import { phaseWindows } from "./scenario/load-scenario.ts";

/** Runs one scenario with an event on one variant; `capacity` was measured or given. The folder appears when it is whole. */
export async function run(plan: RunPlan, world: World, capacity: number, show: Show, signal: AbortSignal): Promise<Verdict> {
  const { script, event } = await loadScenario(nodeEngine, plan, capacity);
  if (event === null) throw new Error("run() needs a scenario with an event; a plain script goes to plainRun()");
  using folder = growFolder(plan.outDir, world.stage.ownership);
  const paths = runPaths(folder.dir);
  await using target = await world.target(plan.id, plan.variant, paths.logs);
  const phases = phaseWindows(event);
  const live = new LiveFigures({ goodputKinds: event.goodputKinds, goodputScenarios: event.goodputScenarios, deadlineS: event.customer.deadlineS, attemptTimeoutS: event.customer.attemptTimeoutS, phases: phases.map((p) => ({ role: p.role, start_s: p.startS, end_s: p.endS })) });
  const recorder = new Recorder(live);
  const env = { ...plan.env, BASE_URL: target.baseUrl, CAPACITY: String(capacity) };
  await using prepared = await nodeEngine.prepare({ script: plan.script, env, seed: plan.seed, phases, allowHosts: plan.allowHosts, history: recorder, log: engineLog(paths.logs), signal });
  const driven = await driveCrowd({ prepared, event, phases, target, variant: plan.variant, recorder, live, show, signal });
  const settled = await settle(target, recorder, { drainS: event.drainS, seed: plan.seed, t0Ns: driven.t0Ns, evidenceDir: paths.evidence, show });
  await recorder.write(paths);
  const described = describeRun(plan, event, script, { capacity, t0WallUs: driven.t0WallUs });
  writeRunJson(paths, described, driven.engine);
  const incomplete = recorder.refused === 0 ? [] : [`the record was full: ${recorder.refused} rows lost`];
  const verdict = await decide({ dir: folder.dir, run: described, event, engine: driven.engine, faults: recorder.faults, drained: settled.drained, unproved: driven.timeline.unproved, incomplete, interrupted: signal.aborted, tempDir: world.stage.dir });
  await writeRunReports(folder.dir);
  folder.publish();
  return verdict;
}
