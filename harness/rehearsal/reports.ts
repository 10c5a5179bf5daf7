/** Writes everything a person or a pipeline reads of a run; only reads what the run folder holds. */
import { join } from "node:path";
import { runPaths, writeWhole } from "../history/run-folder.ts";
import { comparisonPage } from "../../reports/comparison-page.ts";
import type { Demo } from "../../reports/demo.ts";
import { writeDemo } from "../../reports/demo.ts";
import { junitXml } from "../../reports/junit.ts";
import { summaryMarkdown } from "../../reports/markdown.ts";
import { runPage } from "../../reports/page.ts";
import { loadRunView, type RunView } from "../../reports/run-view.ts";

/** report.html, junit.xml and summary.md of one run folder. */
export async function writeRunReports(dir: string): Promise<RunView> {
  const view = await loadRunView(dir);
  const paths = runPaths(dir);
  writeWhole(paths.report, runPage(view));
  writeWhole(paths.junit, junitXml(view));
  writeWhole(paths.markdown, summaryMarkdown(view));
  return view;
}

/** demo.json and comparison.html beside the demo's two runs. */
export function writeDemoReports(dir: string, naive: RunView, guarded: RunView, demo: Demo): void {
  writeDemo(dir, demo);
  writeWhole(join(dir, "comparison.html"), comparisonPage(naive, guarded, demo));
}
