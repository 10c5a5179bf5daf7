/** `stampede report`: writes a stored run's pages again, from what its folder holds. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { EXIT } from "../errors.ts";
import { runPaths } from "../history/run-folder.ts";
import { writeDemoReports, writeRunReports } from "../rehearsal/reports.ts";
import { readDemo } from "../../reports/demo.ts";
import { loadRunView } from "../../reports/run-view.ts";

export async function reportCommand(dir: string): Promise<number> {
  if (existsSync(join(dir, "demo.json"))) {
    const demo = readDemo(dir);
    writeDemoReports(
      dir,
      await loadRunView(join(dir, demo.naive)),
      await loadRunView(join(dir, demo.guarded)),
      demo,
    );
    console.log(resolve(dir, "comparison.html"));
    return EXIT.pass;
  }
  await writeRunReports(dir);
  console.log(resolve(runPaths(dir).report));
  return EXIT.pass;
}
