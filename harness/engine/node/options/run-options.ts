/** The whole `options` export of a script: k6's names and rules, every problem named at once. */
import { StampedeError } from "../../../errors.ts";
import { readThresholds, type ThresholdKey } from "../metrics/threshold-syntax.ts";
import { isRecord, OptionReader } from "./option-reader.ts";
import { readScenario, readScenarios, vusNeeded, type ScenarioPlan } from "./scenario-plan.ts";

export interface RunOptions {
  readonly scenarios: readonly ScenarioPlan[];
  readonly thresholds: readonly ThresholdKey[];
  readonly tags: Readonly<Record<string, string>>;
  readonly batch: number;
  readonly batchPerHost: number;
  readonly discardResponseBodies: boolean;
  readonly insecureSkipTLSVerify: boolean;
  readonly maxRedirects: number;
  readonly noConnectionReuse: boolean;
  readonly noVUConnectionReuse: boolean;
  readonly noCookiesReset: boolean;
  readonly noSetup: boolean;
  readonly noTeardown: boolean;
  readonly setupTimeoutMs: number;
  readonly teardownTimeoutMs: number;
  readonly summaryTrendStats: readonly string[];
  readonly summaryTimeUnit: string;
  readonly throw: boolean;
  readonly userAgent: string;
  /** Options that were understood and change nothing here; said once, in the log. */
  readonly withoutEffect: readonly string[];
}

const WITHOUT_EFFECT = ["systemTags", "noUsageReport", "ext", "cloud", "metricSamplesBufferSize"];
/** Known to k6 and meaningful: refused by name, never silently ignored. */
const NOT_BUILT = [
  "hosts",
  "blacklistIPs",
  "blockHostnames",
  "dns",
  "rps",
  "tlsAuth",
  "tlsCipherSuites",
  "tlsVersion",
  "executionSegment",
  "executionSegmentSequence",
  "localIPs",
  "httpDebug",
  "paused",
  "linger",
  "minIterationDuration",
  "noThresholds",
  "consoleOutput",
];
const BUILT = [
  "scenarios",
  "vus",
  "duration",
  "iterations",
  "stages",
  "thresholds",
  "tags",
  "batch",
  "batchPerHost",
  "discardResponseBodies",
  "insecureSkipTLSVerify",
  "maxRedirects",
  "noConnectionReuse",
  "noVUConnectionReuse",
  "noCookiesReset",
  "noSetup",
  "noTeardown",
  "setupTimeout",
  "teardownTimeout",
  "summaryTrendStats",
  "summaryTimeUnit",
  "throw",
  "userAgent",
];
const TREND_STAT = /^(avg|min|med|max|count|p\(\d+(\.\d+)?\))$/;
/** More VUs than one process can hold: a limit with a name instead of a machine that swaps. */
export const MAX_VUS = 20_000;

function shortcutScenario(reader: OptionReader): ScenarioPlan | null {
  const { source } = reader;
  const given = ["iterations", "duration", "stages", "scenarios"].filter((name) =>
    reader.has(name),
  );
  if (
    given.length > 1 &&
    !(given.length === 2 && given.includes("iterations") && given.includes("duration"))
  ) {
    reader.problems.push(
      `${given.join(" and ")}: only one of iterations, duration, stages and scenarios may be used at once`,
    );
    return null;
  }
  const named = (executor: string, fields: Record<string, unknown>): ScenarioPlan | null => {
    const present = Object.fromEntries(
      Object.entries({ executor, ...fields }).filter(
        ([, value]) => value !== undefined && value !== null,
      ),
    );
    return readScenario("default", new OptionReader("", present, reader.problems));
  };
  if (reader.has("iterations"))
    return named("shared-iterations", {
      vus: source["vus"],
      iterations: source["iterations"],
      maxDuration: source["duration"],
    });
  if (reader.has("duration"))
    return named("constant-vus", { vus: source["vus"], duration: source["duration"] });
  if (reader.has("stages"))
    return named("ramping-vus", { startVUs: source["vus"], stages: source["stages"] });
  return named("per-vu-iterations", {});
}

function checkKeys(source: Readonly<Record<string, unknown>>, problems: string[]): void {
  for (const name of Object.keys(source)) {
    if (NOT_BUILT.includes(name))
      problems.push(
        `${name}: k6 knows this option, the embedded engine does not have it yet; run the script with k6 itself`,
      );
    else if (!BUILT.includes(name) && !WITHOUT_EFFECT.includes(name))
      problems.push(`${name}: unknown option`);
  }
}

/** Reads and checks; problems are collected in `problems`, and the result is only meaningful when there are none. */
export function readOptions(exported: unknown, problems: string[]): RunOptions {
  if (exported !== undefined && !isRecord(exported)) problems.push("options: expected an object");
  const source = isRecord(exported) ? exported : {};
  const reader = new OptionReader("", source, problems);
  checkKeys(source, problems);
  const shortcut = shortcutScenario(reader);
  const scenarios = reader.has("scenarios")
    ? readScenarios(
        source["scenarios"],
        (where, item) => new OptionReader(where, item, problems),
        problems,
      )
    : shortcut === null
      ? []
      : [shortcut];
  if (reader.has("scenarios") && scenarios.length === 0 && problems.length === 0)
    problems.push("scenarios: at least one scenario is needed");
  const vus = scenarios.reduce((sum, plan) => sum + vusNeeded(plan), 0);
  if (vus > MAX_VUS)
    problems.push(`scenarios: at most ${MAX_VUS} VUs in one process; the scenarios ask for ${vus}`);
  const summaryTrendStats = reader.strings("summaryTrendStats", [
    "avg",
    "min",
    "med",
    "max",
    "p(90)",
    "p(95)",
  ]);
  for (const stat of summaryTrendStats)
    if (!TREND_STAT.test(stat))
      reader.problem(
        "summaryTrendStats",
        `expected avg, min, med, max, count or p(N); got ${stat}`,
      );
  const summaryTimeUnit = reader.string("summaryTimeUnit", "");
  if (!["", "s", "ms", "us"].includes(summaryTimeUnit))
    reader.problem("summaryTimeUnit", `expected s, ms or us; got ${summaryTimeUnit}`);
  return {
    scenarios,
    thresholds: readThresholds(source["thresholds"], problems),
    tags: reader.texts("tags"),
    batch: reader.integer("batch", { fallback: 20, min: 1 }),
    batchPerHost: reader.integer("batchPerHost", { fallback: 6, min: 0 }),
    discardResponseBodies: reader.boolean("discardResponseBodies", false),
    insecureSkipTLSVerify: reader.boolean("insecureSkipTLSVerify", false),
    maxRedirects: reader.integer("maxRedirects", { fallback: 10, min: 0 }),
    noConnectionReuse: reader.boolean("noConnectionReuse", false),
    noVUConnectionReuse: reader.boolean("noVUConnectionReuse", false),
    noCookiesReset: reader.boolean("noCookiesReset", false),
    noSetup: reader.boolean("noSetup", false),
    noTeardown: reader.boolean("noTeardown", false),
    setupTimeoutMs: reader.duration("setupTimeout", { fallback: 60_000 }),
    teardownTimeoutMs: reader.duration("teardownTimeout", { fallback: 60_000 }),
    summaryTrendStats,
    summaryTimeUnit,
    throw: reader.boolean("throw", false),
    userAgent: reader.string("userAgent", "stampede/0.1"),
    withoutEffect: WITHOUT_EFFECT.filter((name) => name in source),
  };
}

/** Throws one configuration error that lists every problem (exit 104); does nothing when there is none. */
export function refuseProblems(problems: readonly string[], where: string): void {
  if (problems.length === 0) return;
  const list = problems.map((problem) => `  - ${problem}`).join("\n");
  throw new StampedeError(
    "configuration",
    `the options of ${where} must be valid k6 options; ${problems.length === 1 ? "one is" : `${problems.length} are`} not:\n${list}`,
    {
      hint: "each line names the option, what was expected and what came",
    },
  );
}
