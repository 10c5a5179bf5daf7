/** The embedded engine: k6 scripts on undici in this process, with nothing to install. */
import { fingerprint } from "../../determinism/seed.ts";
import { StampedeError } from "../../errors.ts";
import type { Engine, EngineOptions, LoadedScript, PreparedRun } from "../engine.ts";
import { peakRatePerS } from "./executors/peak-rate.ts";
import { plannedMs } from "./options/scenario-plan.ts";
import { compile, openScript } from "./run/open-script.ts";
import { TestRun } from "./run/test-run.ts";
import type { CompiledScript } from "./script/compiled-script.ts";

/** What load compiled last; prepare takes it instead of compiling the same file again. */
let loaded: { readonly script: string; readonly compiled: CompiledScript } | null = null;

async function compiledOf(script: string): Promise<CompiledScript> {
  const last = loaded;
  loaded = null;
  return last?.script === script ? last.compiled : compile(script);
}

async function load({
  script,
  env,
  seed,
}: Pick<EngineOptions, "script" | "env" | "seed">): Promise<LoadedScript> {
  const compiled = await compile(script);
  const { run, firstVu } = openScript(compiled, {
    script,
    env,
    seed,
    phases: [],
    allowHosts: [],
    history: { operation: () => undefined, arrival: () => undefined },
    log: () => undefined,
    signal: new AbortController().signal,
  });
  loaded = { script, compiled };
  const event = firstVu.exports["event"];
  const { scenarios } = run.options;
  return {
    options: run.exportedOptions,
    event,
    scheduleHash: fingerprint(JSON.stringify({ options: run.exportedOptions, event })),
    durationS: Math.max(0, ...scenarios.map((plan) => plan.startTimeMs + plannedMs(plan))) / 1000,
    peakPerS: peakRatePerS(scenarios),
    eventAt: compiled.locate("event"),
  };
}

/** Waits for setup(); an interrupt meanwhile ends it with StampedeError("interrupted"). */
async function prepare(options: EngineOptions): Promise<PreparedRun> {
  const script = openScript(await compiledOf(options.script), options);
  const { control } = script.run;
  const onSignal = (): void => control.stop({ kind: "signal" });
  if (options.signal.aborted)
    throw new StampedeError("interrupted", "the run was interrupted before it began");
  options.signal.addEventListener("abort", onSignal, { once: true });
  control.onStop(() => options.signal.removeEventListener("abort", onSignal));
  const run = new TestRun(script);
  try {
    run.makeVus();
    await run.setup();
    return run;
  } catch (error) {
    await run[Symbol.asyncDispose]();
    throw error;
  }
}

export const nodeEngine: Engine = { load, prepare };
