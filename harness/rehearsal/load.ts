/** Loads a script twice: once to find every mistake before anything is started, once with the measured capacity. */
import type { Engine, LoadedScript } from "../engine/engine.ts";
import { nodeEngine } from "../engine/node/node-engine.ts";
import { StampedeError } from "../errors.ts";
import { BUILT_IN_INVARIANTS, loadInvariants } from "../judge/invariant-file.ts";
import type { EventDeclaration } from "../scenario/event.ts";
import { parseEvent } from "../scenario/load-scenario.ts";
import type { RunPlan } from "./plan.ts";

export interface LoadedScenario {
  readonly script: LoadedScript;
  /** Null for a plain k6 script: simply a load test. */
  readonly event: EventDeclaration | null;
}

/** The capacity a script is checked with before it is measured; any positive figure does. */
const PROVISIONAL_CAPACITY = "300";

/** The capacity given with -e CAPACITY, or null when it is to be measured. */
export function givenCapacity(env: Readonly<Record<string, string>>): number | null {
  const text = env["CAPACITY"];
  if (text === undefined) return null;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 1 || value > 1e6)
    throw new StampedeError(
      "configuration",
      `expected -e CAPACITY to be a rate from 1 to 1000000 per second; came "${text}"`,
      { hint: "leave it out to have it measured" },
    );
  return value;
}

/** Evaluates the script's init code and checks its event. Throws "configuration" with file:line. */
export async function loadScenario(
  engine: Engine,
  plan: Pick<RunPlan, "script" | "env" | "seed">,
  capacity: number | null,
): Promise<LoadedScenario> {
  const env = {
    BASE_URL: "http://127.0.0.1:9",
    ...plan.env,
    CAPACITY: capacity === null ? PROVISIONAL_CAPACITY : String(capacity),
  };
  const script = await engine.load({ script: plan.script, env, seed: plan.seed });
  if (script.event === undefined) return { script, event: null };
  const scenarios = Object.keys(script.options["scenarios"] ?? {});
  const invariants = ["X0", ...loadInvariants([BUILT_IN_INVARIANTS]).map((file) => file.id)];
  return {
    script,
    event: parseEvent(script.event, {
      at: script.eventAt ?? plan.script,
      scenarios,
      durationS: script.durationS,
      invariants,
    }),
  };
}

/** The scenario of a run that is judged: with an event, at its real capacity. */
export async function loadJudged(
  plan: RunPlan,
  capacity: number,
): Promise<{ readonly script: LoadedScript; readonly event: EventDeclaration }> {
  const { script, event } = await loadScenario(nodeEngine, plan, capacity);
  if (event === null)
    throw new StampedeError(
      "configuration",
      `expected ${plan.scenario} to export an event; it is a plain k6 script`,
    );
  return { script, event };
}
