/** `stampede compare`: two runs of one schedule side by side; 113 when something that held no longer does. */
import { compareRuns } from "../analysis/compare-runs.ts";
import { readRun, readVerdict } from "../history/run-folder.ts";
import { compareScreen } from "../../reports/compare-screen.ts";

export function compareCommand(dirA: string, dirB: string): Promise<number> {
  const comparison = compareRuns(
    { run: readRun(dirA), verdict: readVerdict(dirA) },
    { run: readRun(dirB), verdict: readVerdict(dirB) },
  );
  for (const line of compareScreen(comparison)) console.log(line);
  return Promise.resolve(comparison.exit_code);
}
