/** `stampede demo`, what `npm start` runs: the all-user coupon night on a naive and a guarded service, the same crowd. */
import { join } from "node:path";
import { freshSeed } from "../determinism/seed.ts";
import { nodeEngine } from "../engine/node/node-engine.ts";
import { EXIT } from "../errors.ts";
import { judgeDemo } from "../rehearsal/as-intended.ts";
import { replayLine } from "../rehearsal/describe.ts";
import { checkWritable, growFolder } from "../rehearsal/finish.ts";
import { givenCapacity, loadScenario } from "../rehearsal/load.ts";
import type { RunPlan } from "../rehearsal/plan.ts";
import { writeDemoReports } from "../rehearsal/reports.ts";
import { World } from "../rehearsal/world.ts";
import { run } from "../run.ts";
import { findScenario, phaseWindows } from "../scenario/load-scenario.ts";
import { StampedeError } from "../errors.ts";
import { undo } from "../target/ownership.ts";
import { Stage } from "../target/stage.ts";
import { openingLines } from "../../reports/opening.ts";
import { loadRunView } from "../../reports/run-view.ts";
import { demoScreen } from "../../reports/terminal.ts";
import { Interrupts } from "./interrupt.ts";
import { Screen } from "./screen.ts";
import { newId, outputRoot } from "./where.ts";

const SCENARIO = "musinsa-all-user-blast";
const VARIANTS = ["naive", "guarded"] as const;

export interface DemoCommandOptions {
  readonly seed?: number;
  readonly out?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export async function demoCommand(options: DemoCommandOptions): Promise<number> {
  const id = newId("demo");
  const root = outputRoot(options.out);
  const seed = options.seed ?? freshSeed();
  const env = options.env ?? {};
  const script = findScenario(SCENARIO).path;
  const given = givenCapacity(env);
  const { event } = await loadScenario(nodeEngine, { script, env, seed }, given);
  if (event === null) throw new StampedeError("internal", `${SCENARIO} has no event`);
  checkWritable(root);
  const screen = new Screen();
  let stageDir = "";
  using interrupts = new Interrupts(async () => void (stageDir === "" ? [] : await undo(stageDir)), (line) => screen.say(line));
  const phases = phaseWindows(event).map((p) => ({ name: p.name, role: p.role, start_s: p.startS, end_s: p.endS }));
  const totalS = 2 * ((phases.at(-1)?.end_s ?? 0) + event.drainS + 4) + (given === null ? (event.probe?.seconds ?? 0) : 0) + 4;
  for (const line of openingLines({ title: event.title, seed, target: "demo", phases, capacity: given, totalS }, { color: screen.color })) screen.say(line);
  await using stage = await Stage.open(id);
  stageDir = stage.dir;
  await using world = await World.open(stage, seed);
  const capacity = given ?? (await world.measure(event, (line) => screen.say(line), interrupts.signal));
  const dir = join(root, id);
  using folder = growFolder(dir, stage.ownership);
  for (const variant of VARIANTS) {
    if (interrupts.interrupted) break;
    const plan: RunPlan = { id: `${id}-${variant}`, scenario: SCENARIO, script, variant, seed, env, allowHosts: [], outDir: join(folder.dir, variant) };
    await run(plan, world, capacity, screen, interrupts.signal);
  }
  screen.finish();
  if (interrupts.interrupted) {
    folder.publish();
    screen.say(`interrupted; what was measured so far is in ${dir}`);
    return EXIT.interrupted;
  }
  const [naive, guarded] = [await loadRunView(join(folder.dir, "naive")), await loadRunView(join(folder.dir, "guarded"))];
  const demo = judgeDemo({ id, seed, capacity, judges: event.judges, naive: naive.verdict, guarded: guarded.verdict });
  writeDemoReports(folder.dir, naive, guarded, demo);
  folder.publish();
  const replay = replayLine("npm start --", { seed, env }, capacity);
  screen.say(demoScreen(naive, guarded, demo, { color: screen.color, report: join(dir, "comparison.html"), replay }));
  return demo.as_intended ? EXIT.pass : 1;
}
