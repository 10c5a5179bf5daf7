/**
 * Fills README's first screen from a finished demo: docs/demo/figures.json, docs/demo/comparison.png and the table.
 * Run: node .ci/readme.ts DEMO_DIR MINUTES. Needs Chromium.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { readDemo } from "../reports/demo.ts";
import { readmeTable, sideOf, type Figures } from "../reports/readme-table.ts";
import { loadRunView } from "../reports/run-view.ts";

const root = join(import.meta.dirname, "..");
const [, , demoDir = "", minutes = "0"] = process.argv;
const demo = readDemo(demoDir);
const naive = await loadRunView(join(demoDir, demo.naive));
const guarded = await loadRunView(join(demoDir, demo.guarded));
const disk = spawnSync("du", ["-sm", join(root, "node_modules")], { encoding: "utf8" });

const figures: Figures = {
  demo: demo.id,
  seed: demo.seed,
  capacity: demo.capacity,
  meant: naive.books.campaigns?.find((facts) => facts.id === "seoulcon")?.cap ?? 0,
  minutes: Number(minutes),
  disk_mb: Number.parseInt(disk.stdout, 10),
  machine: "Linux x64, 2 cores",
  naive: sideOf(naive, "seoulcon"),
  guarded: sideOf(guarded, "seoulcon"),
};
mkdirSync(join(root, "docs/demo"), { recursive: true });
writeFileSync(join(root, "docs/demo/figures.json"), `${JSON.stringify(figures, null, 2)}\n`);
const readme = readFileSync(join(root, "README.md"), "utf8");
writeFileSync(
  join(root, "README.md"),
  readme.replace(
    /<!-- demo:begin -->[\s\S]*?<!-- demo:end -->/,
    () => `<!-- demo:begin -->\n${readmeTable(figures)}\n<!-- demo:end -->`,
  ),
);

const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const page = await browser.newPage({
  viewport: { width: 1280, height: 2350 },
  deviceScaleFactor: 0.75,
});
await page.goto(pathToFileURL(join(resolve(demoDir), "comparison.html")).href);
await page.waitForTimeout(500);
await page.screenshot({ path: join(root, "docs/demo/comparison.png") });
await browser.close();
