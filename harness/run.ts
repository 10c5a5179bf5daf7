/** The whole story of one run, in order: target up, crowd in, heal and drain, books read, judged, reported. */
import type { Verdict } from "./history/run-folder.ts";
import { Crowd } from "./rehearsal/crowd.ts";
import { decide } from "./rehearsal/decide.ts";
import { writeRecord } from "./rehearsal/describe.ts";
import { growFolder } from "./rehearsal/finish.ts";
import { loadJudged } from "./rehearsal/load.ts";
import type { RunPlan, Show } from "./rehearsal/plan.ts";
import { writeRunReports } from "./rehearsal/reports.ts";
import { settle } from "./rehearsal/settle.ts";
import type { World } from "./rehearsal/world.ts";

/** Runs one scenario with an event on one variant, at a measured or given capacity. The folder appears when it is whole. */
export async function run(
  plan: RunPlan,
  world: World,
  capacity: number,
  show: Show,
  signal: AbortSignal,
): Promise<Verdict> {
  const { script, event } = await loadJudged(plan, capacity);
  using folder = growFolder(plan.outDir, world.stage.ownership);
  const { logsDir, dir } = folder;

  await using target = await world.target(plan.id, plan.variant, logsDir);
  await using crowd = await Crowd.gather({ plan, event, target, capacity, logsDir, show, signal });

  const left = await crowd.drive();
  const settled = await settle(target, left, { event, seed: plan.seed, dir, show });

  const described = await writeRecord(dir, plan, { event, script, capacity, left });
  const scratch = world.stage.dir;
  const interrupted = signal.aborted;
  const verdict = await decide({ dir, described, event, left, settled, interrupted, scratch });
  await writeRunReports(dir);
  world.keepLogs(logsDir);
  folder.publish();
  return verdict;
}
