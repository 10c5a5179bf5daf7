/** `stampede run`: one scenario, one target, one verdict. */
import { join } from "node:path";
import { freshSeed } from "../determinism/seed.ts";
import { nodeEngine } from "../engine/node/node-engine.ts";
import { phasesOf } from "../rehearsal/describe.ts";
import { checkWritable } from "../rehearsal/finish.ts";
import { givenCapacity, loadScenario } from "../rehearsal/load.ts";
import type { RunPlan } from "../rehearsal/plan.ts";
import { plainRun } from "../rehearsal/plain.ts";
import { World } from "../rehearsal/world.ts";
import { run } from "../run.ts";
import { findScenario } from "../scenario/load-scenario.ts";
import type { Variant } from "../target/embedded.ts";
import { undo } from "../target/ownership.ts";
import { Stage } from "../target/stage.ts";
import { openingLines } from "../../reports/opening.ts";
import { loadRunView } from "../../reports/run-view.ts";
import { runScreen } from "../../reports/terminal.ts";
import { Interrupts } from "./interrupt.ts";
import { Screen } from "./screen.ts";
import { newId, outputRoot } from "./where.ts";

/** Beside schedule, drain and probe: keeper, cluster, sample data, services, and the reading of the books. */
const BESIDE_S = 8;

export interface RunCommandOptions {
  readonly target: Variant;
  readonly seed?: number;
  readonly out?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly allowHost: readonly string[];
}

export async function runCommand(scenario: string, options: RunCommandOptions): Promise<number> {
  const screen = new Screen();
  let stageDir = "";
  using interrupts = new Interrupts(
    async () => void (stageDir === "" ? [] : await undo(stageDir)),
    (line) => screen.say(line),
  );
  return await interrupts.during(async () =>
    runScenario(scenario, options, screen, interrupts.signal, (dir) => (stageDir = dir)),
  );
}

/** `onStage` hears the run's directory as soon as there is something below it to undo. */
async function runScenario(
  scenario: string,
  options: RunCommandOptions,
  screen: Screen,
  signal: AbortSignal,
  onStage: (dir: string) => void,
): Promise<number> {
  const found = findScenario(scenario);
  const id = newId(options.target);
  const root = outputRoot(options.out);
  const plan: RunPlan = {
    id,
    scenario,
    script: found.path,
    variant: options.target,
    seed: options.seed ?? freshSeed(),
    env: options.env ?? {},
    allowHosts: options.allowHost,
    outDir: join(root, id),
  };
  const given = givenCapacity(plan.env);
  const loaded = await loadScenario(nodeEngine, plan, given);
  checkWritable(root);
  signal.throwIfAborted();
  if (loaded.event === null) return plainRun(plan, loaded.script, screen, signal);
  const phases = phasesOf(loaded.event);
  const { event } = loaded;
  const totalS =
    (phases.at(-1)?.end_s ?? 0) +
    event.drainS +
    (given === null ? (event.probe?.seconds ?? 0) : 0) +
    BESIDE_S;
  for (const line of openingLines(
    { title: event.title, seed: plan.seed, target: plan.variant, phases, capacity: given, totalS },
    { color: screen.color },
  ))
    screen.say(line);
  await using stage = await Stage.open(id);
  onStage(stage.dir);
  await using world = await World.open(stage, plan.seed, signal);
  const capacity = given ?? (await world.measure(event, (line) => screen.say(line), signal));
  const verdict = await run(plan, world, capacity, screen, signal);
  screen.finish();
  screen.say(
    runScreen(await loadRunView(plan.outDir), {
      color: screen.color,
      report: join(plan.outDir, "report.html"),
    }),
  );
  return verdict.exit_code;
}
