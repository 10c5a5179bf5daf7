/** k6's scenarios: what each executor may be told, checked, with k6's defaults. */
import { isRecord, type OptionReader } from "./option-reader.ts";

/** A ramp to `target` over `durationMs`; 0 is a jump. */
export interface Stage {
  readonly durationMs: number;
  readonly target: number;
}

interface CommonPlan {
  readonly name: string;
  readonly startTimeMs: number;
  readonly gracefulStopMs: number;
  readonly exec: string;
  readonly env: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

interface PreparedVus {
  readonly preAllocatedVUs: number;
  readonly maxVUs: number;
}

export type ConstantArrivalRatePlan = CommonPlan &
  PreparedVus & {
    readonly executor: "constant-arrival-rate";
    /** Arrivals per timeUnit. */
    readonly rate: number;
    readonly timeUnitMs: number;
    readonly durationMs: number;
  };

export type RampingArrivalRatePlan = CommonPlan &
  PreparedVus & {
    readonly executor: "ramping-arrival-rate";
    readonly startRate: number;
    readonly timeUnitMs: number;
    readonly stages: readonly Stage[];
  };

export type ConstantVusPlan = CommonPlan & {
  readonly executor: "constant-vus";
  readonly vus: number;
  readonly durationMs: number;
};

export type RampingVusPlan = CommonPlan & {
  readonly executor: "ramping-vus";
  readonly startVUs: number;
  readonly stages: readonly Stage[];
  readonly gracefulRampDownMs: number;
};

export type IterationsPlan = CommonPlan & {
  readonly executor: "per-vu-iterations" | "shared-iterations";
  readonly vus: number;
  readonly iterations: number;
  readonly maxDurationMs: number;
};

export type ScenarioPlan =
  | ConstantArrivalRatePlan
  | RampingArrivalRatePlan
  | ConstantVusPlan
  | RampingVusPlan
  | IterationsPlan;

const COMMON = ["executor", "startTime", "gracefulStop", "env", "exec", "tags"];
const NAME = /^[0-9a-zA-Z_-]+$/;
const GRACEFUL_MS = 30_000;

function commonPlan(name: string, reader: OptionReader): CommonPlan {
  if (!NAME.test(name))
    reader.problem(
      "",
      `a scenario's name holds letters, digits, _ and - only; got ${JSON.stringify(name)}`,
    );
  const exec = reader.string("exec", "default");
  if (exec === "") reader.problem("exec", "must not be empty");
  return {
    name,
    exec,
    startTimeMs: reader.duration("startTime", { fallback: 0 }),
    gracefulStopMs: reader.duration("gracefulStop", { fallback: GRACEFUL_MS }),
    env: reader.texts("env"),
    tags: reader.texts("tags"),
  };
}

function stagesOf(reader: OptionReader): readonly Stage[] {
  const stages = reader.readers("stages");
  if (stages.length === 0 && Array.isArray(reader.source["stages"]))
    reader.problem("stages", "at least one stage is needed");
  return stages.map((stage) => {
    stage.onlyKnows(["duration", "target"]);
    return { durationMs: stage.duration("duration"), target: stage.integer("target", { min: 0 }) };
  });
}

function vusOf(reader: OptionReader): PreparedVus {
  const preAllocatedVUs = reader.integer("preAllocatedVUs", { min: 0 });
  const maxVUs = reader.integer("maxVUs", { fallback: preAllocatedVUs, min: 1 });
  if (maxVUs < preAllocatedVUs)
    reader.problem(
      "maxVUs",
      `must not be less than preAllocatedVUs (${preAllocatedVUs}); got ${maxVUs}`,
    );
  return { preAllocatedVUs, maxVUs };
}

const READERS: Readonly<
  Record<ScenarioPlan["executor"], (common: CommonPlan, reader: OptionReader) => ScenarioPlan>
> = {
  "constant-arrival-rate"(common, reader) {
    reader.onlyKnows([...COMMON, "rate", "timeUnit", "duration", "preAllocatedVUs", "maxVUs"]);
    return {
      ...common,
      executor: "constant-arrival-rate",
      rate: reader.integer("rate", { min: 1 }),
      timeUnitMs: timeUnitOf(reader),
      durationMs: reader.duration("duration", { minMs: 1000 }),
      ...vusOf(reader),
    };
  },
  "ramping-arrival-rate"(common, reader) {
    reader.onlyKnows([...COMMON, "startRate", "timeUnit", "stages", "preAllocatedVUs", "maxVUs"]);
    return {
      ...common,
      executor: "ramping-arrival-rate",
      startRate: reader.integer("startRate", { fallback: 0, min: 0 }),
      timeUnitMs: timeUnitOf(reader),
      stages: stagesOf(reader),
      ...vusOf(reader),
    };
  },
  "constant-vus"(common, reader) {
    reader.onlyKnows([...COMMON, "vus", "duration"]);
    return {
      ...common,
      executor: "constant-vus",
      vus: reader.integer("vus", { fallback: 1, min: 1 }),
      durationMs: reader.duration("duration", { minMs: 1000 }),
    };
  },
  "ramping-vus"(common, reader) {
    reader.onlyKnows([...COMMON, "startVUs", "stages", "gracefulRampDown"]);
    const startVUs = reader.integer("startVUs", { fallback: 1, min: 0 });
    const stages = stagesOf(reader);
    if (startVUs === 0 && stages.every((stage) => stage.target === 0))
      reader.problem("startVUs", "either startVUs or the target of a stage must be greater than 0");
    return {
      ...common,
      executor: "ramping-vus",
      startVUs,
      stages,
      gracefulRampDownMs: reader.duration("gracefulRampDown", { fallback: GRACEFUL_MS }),
    };
  },
  "per-vu-iterations": (common, reader) => iterationsPlan(common, reader, "per-vu-iterations"),
  "shared-iterations": (common, reader) => iterationsPlan(common, reader, "shared-iterations"),
};

function iterationsPlan(
  common: CommonPlan,
  reader: OptionReader,
  executor: IterationsPlan["executor"],
): IterationsPlan {
  reader.onlyKnows([...COMMON, "vus", "iterations", "maxDuration"]);
  const vus = reader.integer("vus", { fallback: 1, min: 1 });
  const iterations = reader.integer("iterations", { fallback: 1, min: 1 });
  if (executor === "shared-iterations" && iterations < vus)
    reader.problem(
      "iterations",
      `shared iterations (${iterations}) must not be fewer than VUs (${vus})`,
    );
  return {
    ...common,
    executor,
    vus,
    iterations,
    maxDurationMs: reader.duration("maxDuration", { fallback: 600_000, minMs: 1000 }),
  };
}

function timeUnitOf(reader: OptionReader): number {
  const ms = reader.duration("timeUnit", { fallback: 1000 });
  if (ms > 0) return ms;
  reader.problem("timeUnit", "must be more than 0");
  return 1000;
}

const isExecutor = (name: unknown): name is ScenarioPlan["executor"] =>
  typeof name === "string" && Object.hasOwn(READERS, name);

/** One scenario; null when its executor is none that can be built (the problem is then recorded). */
export function readScenario(name: string, reader: OptionReader): ScenarioPlan | null {
  const executor = reader.source["executor"];
  if (isExecutor(executor)) return READERS[executor](commonPlan(name, reader), reader);
  const known = Object.keys(READERS).join(", ");
  reader.problem(
    "executor",
    executor === undefined
      ? `expected one of ${known}; it is missing`
      : `expected one of ${known}; got ${JSON.stringify(executor)}`,
  );
  return null;
}

/** All scenarios of `options.scenarios`. */
export function readScenarios(
  source: unknown,
  readerOf: (where: string, source: Record<string, unknown>) => OptionReader,
  problems: string[],
): readonly ScenarioPlan[] {
  if (!isRecord(source)) {
    problems.push("scenarios: expected an object of scenarios");
    return [];
  }
  return Object.entries(source).flatMap(([name, item]) => {
    if (!isRecord(item)) {
      problems.push(`scenarios.${name}: expected an object`);
      return [];
    }
    const plan = readScenario(name, readerOf(`scenarios.${name}`, item));
    return plan === null ? [] : [plan];
  });
}

/** How long the scenario plans to start iterations, from its own start, without the graceful stop. */
export function plannedMs(plan: ScenarioPlan): number {
  if ("stages" in plan) return plan.stages.reduce((sum, stage) => sum + stage.durationMs, 0);
  return "durationMs" in plan ? plan.durationMs : plan.maxDurationMs;
}

/** How many VUs the scenario can use at once. */
export function vusNeeded(plan: ScenarioPlan): number {
  if ("maxVUs" in plan) return Math.max(plan.preAllocatedVUs, plan.maxVUs);
  if ("stages" in plan) return Math.max(plan.startVUs, ...plan.stages.map((stage) => stage.target));
  return plan.vus;
}
