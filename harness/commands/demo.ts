/** `stampede demo`, what `npm start` runs: the all-user coupon night on a naive and a guarded service, the same crowd. */
import { join } from "node:path";
import { freshSeed } from "../determinism/seed.ts";
import { nodeEngine } from "../engine/node/node-engine.ts";
import { EXIT, StampedeError } from "../errors.ts";
import { judgeDemo } from "../rehearsal/as-intended.ts";
import { phasesOf, replayLine } from "../rehearsal/describe.ts";
import { checkWritable, growFolder } from "../rehearsal/finish.ts";
import { givenCapacity, loadScenario } from "../rehearsal/load.ts";
import type { RunPlan } from "../rehearsal/plan.ts";
import { writeDemoReports } from "../rehearsal/reports.ts";
import { World } from "../rehearsal/world.ts";
import { run } from "../run.ts";
import { findScenario } from "../scenario/load-scenario.ts";
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
/** Beside the schedule: starting and reading the books of each variant; keeper, cluster and sample data once. */
const EACH_S = 6;
const START_S = 4;
const NOT_AS_INTENDED = 1;

export interface DemoCommandOptions {
  readonly seed?: number;
  readonly out?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What the demo is, before anything is started. Throws "configuration" when it cannot be. */
async function plan(options: DemoCommandOptions) {
  const id = newId("demo");
  const root = outputRoot(options.out);
  const seed = options.seed ?? freshSeed();
  const env = options.env ?? {};
  const script = findScenario(SCENARIO).path;
  const given = givenCapacity(env);
  const { event } = await loadScenario(nodeEngine, { script, env, seed }, given);
  if (event === null) throw new StampedeError("internal", `${SCENARIO} has no event`);
  checkWritable(root);
  return { id, dir: join(root, id), seed, env, script, given, event };
}

type DemoPlan = Awaited<ReturnType<typeof plan>>;

function announce({ event, given, seed }: DemoPlan, screen: Screen): void {
  const phases = phasesOf(event);
  const each = (phases.at(-1)?.end_s ?? 0) + EACH_S;
  const totalS = 2 * each + (given === null ? (event.probe?.seconds ?? 0) : 0) + START_S;
  const opening = { title: event.title, seed, target: "demo", phases, capacity: given, totalS };
  for (const line of openingLines(opening, { color: screen.color })) screen.say(line);
}

/** Both variants, one after the other, on one world with one capacity; then the comparison. */
async function rehearse(
  demo: DemoPlan,
  stage: Stage,
  screen: Screen,
  interrupts: Interrupts,
): Promise<number> {
  const { id, dir, seed, env, script, event } = demo;
  await using world = await World.open(stage, seed, interrupts.signal);
  const capacity =
    demo.given ?? (await world.measure(event, (line) => screen.say(line), interrupts.signal));
  using folder = growFolder(dir, stage.ownership, []);
  let finished = 0;
  for (const variant of VARIANTS) {
    const one: RunPlan = {
      id: `${id}-${variant}`,
      scenario: SCENARIO,
      script,
      variant,
      seed,
      env,
      allowHosts: [],
      outDir: join(folder.dir, variant),
    };
    try {
      await run(one, world, capacity, screen, interrupts.signal);
      finished++;
    } catch (error) {
      // Interrupted before this variant's crowd was let in: what the other one showed is kept.
      if (!interrupts.interrupted || finished === 0) throw error;
    }
    if (interrupts.interrupted) break;
  }
  screen.finish();
  if (interrupts.interrupted) {
    folder.publish();
    screen.say(`interrupted; what was measured so far is in ${dir}`);
    return EXIT.interrupted;
  }
  const naive = await loadRunView(join(folder.dir, "naive"));
  const guarded = await loadRunView(join(folder.dir, "guarded"));
  const verdicts = { naive: naive.verdict, guarded: guarded.verdict };
  const result = judgeDemo({ id, seed, capacity, judges: event.judges, ...verdicts });
  writeDemoReports(folder.dir, naive, guarded, result);
  folder.publish();
  const replay = replayLine("npm start --", { seed, env }, capacity);
  const report = join(dir, "comparison.html");
  screen.say(demoScreen(naive, guarded, result, { color: screen.color, report, replay }));
  return result.as_intended ? EXIT.pass : NOT_AS_INTENDED;
}

export async function demoCommand(options: DemoCommandOptions): Promise<number> {
  const screen = new Screen();
  let dir: string | null = null;
  using interrupts = new Interrupts(
    async () => void (dir === null ? [] : await undo(dir)),
    (line) => screen.say(line),
  );
  return await interrupts.during(async () => {
    const demo = await plan(options);
    interrupts.signal.throwIfAborted();
    announce(demo, screen);
    await using stage = await Stage.open(demo.id);
    dir = stage.dir;
    return await rehearse(demo, stage, screen, interrupts);
  });
}
