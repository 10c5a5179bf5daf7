/** From a script file to a run that could start: init code evaluated, options read, every problem named. */
import { EXIT, messageOf, StampedeError } from "../../../errors.ts";
import type { EngineOptions } from "../../engine.ts";
import { AddressRule } from "../http/address-rule.ts";
import { laneSettings } from "../http/lane.ts";
import { MetricRegistry } from "../metrics/registry.ts";
import { NO_TAGS } from "../metrics/metric.ts";
import { thresholdProblems } from "../metrics/thresholds.ts";
import { TestAborted } from "../modules/k6-execution.ts";
import { BUILTIN_MODULES, scriptScope } from "../modules/script-scope.ts";
import { isRecord } from "../options/option-reader.ts";
import { readOptions, refuseProblems, type RunOptions } from "../options/run-options.ts";
import type { ScenarioPlan } from "../options/scenario-plan.ts";
import { compileScript } from "../script/compile-script.ts";
import type { CompiledScript } from "../script/compiled-script.ts";
import { isUserAsync } from "../script/rewrite-marks.ts";
import { Vu } from "../vu/vu.ts";
import { GroupNode } from "./group-tree.ts";
import { HistoryPort } from "./history-port.ts";
import { RunClock } from "./run-clock.ts";
import type { RunContext } from "./run-context.ts";
import { RunControl } from "./run-control.ts";
import { RunLog } from "./run-log.ts";
import { ScriptFiles } from "./script-files.ts";

export interface OpenScript {
  readonly compiled: CompiledScript;
  readonly run: RunContext;
  /** The VU whose init code told the options; later that of setup, teardown and handleSummary. */
  readonly firstVu: Vu;
}

/** Compiles, or throws StampedeError("configuration") with file:line. */
export function compile(path: string): Promise<CompiledScript> {
  return compileScript({ path, builtins: BUILTIN_MODULES });
}

/** Gives a VU its own instance of the script. What the init code throws is the script's fault: exit 107. */
export function instantiate(
  vu: Vu,
  compiled: CompiledScript,
  env: Readonly<Record<string, string>>,
): void {
  try {
    vu.exports = compiled.instantiate(scriptScope(vu, env, isUserAsync));
  } catch (cause) {
    if (cause instanceof StampedeError) throw cause;
    if (cause instanceof TestAborted)
      throw new StampedeError(
        "script",
        `the script's init code called test.abort(): ${cause.message}`,
        { cause, exitCode: EXIT.testAbort },
      );
    throw new StampedeError(
      "script",
      `the script's init code must run to its end; it threw\n${compiled.mapStack(cause)}`,
      { cause },
    );
  }
}

/** The options of a script whose init code has not run yet. */
function defaultOptions(): RunOptions {
  return readOptions({}, []);
}

function makeContext(options: EngineOptions): RunContext {
  const registry = new MetricRegistry();
  const control = new RunControl();
  const log = new RunLog(options.log);
  const counters = {
    inFlight: 0,
    vusBusy: 0,
    vusMade: 0,
    completed: 0,
    interrupted: 0,
    dropped: 0,
    ownLimits: 0,
  };
  const onBytes = (sent: number, received: number): void => {
    registry.dataSent.add(sent, NO_TAGS);
    registry.dataReceived.add(received, NO_TAGS);
  };
  const rule = new AddressRule(options.allowHosts);
  return {
    options: defaultOptions(),
    exportedOptions: {},
    seed: options.seed,
    env: options.env,
    registry,
    clock: new RunClock(options.phases),
    control,
    history: new HistoryPort(options.history, options.log),
    log,
    groups: GroupNode.root(),
    files: new ScriptFiles(options.script),
    lanes: laneSettings(rule, false, onBytes),
    listener: {
      refused: (error) => control.refuse(error),
      ownLimit: () => (counters.ownLimits += 1),
      inFlight: (change) => (counters.inFlight += change),
    },
    counters,
    setupData: null,
  };
}

/** Exports that a scenario names and that are no functions. */
function execProblems(
  scenarios: readonly ScenarioPlan[],
  exports: Readonly<Record<string, unknown>>,
): string[] {
  const functions = Object.keys(exports).filter((name) => typeof exports[name] === "function");
  return scenarios
    .filter((plan) => !functions.includes(plan.exec))
    .map(
      (plan) =>
        `scenarios.${plan.name}.exec: the script exports no function ${plan.exec}; it exports ${functions.length === 0 ? "none" : functions.join(", ")}`,
    );
}

/** Evaluates the init code in a first VU and reads its options. Throws configuration errors (104) and script errors (107). */
export function openScript(compiled: CompiledScript, options: EngineOptions): OpenScript {
  const run = makeContext(options);
  const firstVu = new Vu(0, run);
  run.control.onRefusal = () => firstVu.interrupt();
  instantiate(firstVu, compiled, options.env);
  const exported = firstVu.exports["options"];
  const problems: string[] = [];
  const read = readOptions(exported, problems);
  problems.push(
    ...thresholdProblems(read.thresholds, run.registry),
    ...execProblems(read.scenarios, firstVu.exports),
  );
  refuseProblems(problems, compiled.locate("options") ?? options.script);
  run.options = read;
  run.exportedOptions = isRecord(exported) ? exported : {};
  if (read.insecureSkipTLSVerify) run.lanes = laneSettings(run.lanes.rule, true, run.lanes.onBytes);
  for (const name of read.withoutEffect)
    run.log.line(`option ${name} has no effect in the embedded engine`);
  return { compiled, run, firstVu };
}

/** The sentence of an exception in the script's own code. */
export function scriptError(compiled: CompiledScript, where: string, error: unknown): string {
  return `${where}: ${error instanceof StampedeError ? messageOf(error) : compiled.mapStack(error)}`;
}
