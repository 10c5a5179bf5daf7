/** run.json: what was asked, of whom, on which machine; without a secret. */
import { cpus, hostname, release, totalmem } from "node:os";
import { readFileSync } from "node:fs";
import { wallIso } from "../determinism/clock.ts";
import { fingerprint } from "../determinism/seed.ts";
import type { EngineResult, LoadedScript } from "../engine/engine.ts";
import { runPaths, writeWhole, type RunJson } from "../history/run-folder.ts";
import type { EventDeclaration } from "../scenario/event.ts";
import { phaseWindows } from "../scenario/load-scenario.ts";
import type { CrowdLeft } from "./crowd.ts";
import type { RunPlan } from "./plan.ts";

/** Names of variables whose values are never repeated anywhere. */
const SECRET_NAME = /pass|secret|token|key|auth|cred|dsn|url/i;

interface Package {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** This program's version and those of the parts that decide figures. */
export function versions(): Record<string, string> {
  const manifest = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as Package;
  const parts = ["undici", "@duckdb/node-api", "hono", "pg-boss", "autocannon"];
  return {
    stampede: manifest.version,
    node: process.versions.node,
    ...Object.fromEntries(parts.map((name) => [name, manifest.dependencies[name] ?? "?"])),
  };
}

/** The machine without its name: `fingerprint` is equal on one machine and says nothing about it. */
export function machine(): Record<string, unknown> {
  const model = cpus()[0]?.model ?? "unknown";
  return {
    fingerprint: fingerprint(`${hostname()} ${model}`),
    platform: process.platform,
    arch: process.arch,
    kernel: release(),
    cpu: model,
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
  };
}

/** The command that runs this again; the capacity is named, so that the schedule is the same. Secrets are left out. */
export function replayLine(
  command: string,
  plan: Pick<RunPlan, "seed" | "env">,
  capacity: number | null,
): string {
  const env = Object.entries({
    ...plan.env,
    ...(capacity === null ? {} : { CAPACITY: String(capacity) }),
  }).map(([name, value]) => `-e ${name}=${SECRET_NAME.test(name) ? "…" : value}`);
  return [command, `--seed ${plan.seed}`, ...env].join(" ");
}

/** The event's phases as run.json has them. */
export function phasesOf(event: EventDeclaration): RunJson["phases"] {
  return phaseWindows(event).map((p) => ({
    name: p.name,
    role: p.role,
    start_s: p.startS,
    end_s: p.endS,
  }));
}

/** run.json. */
export function describeRun(
  plan: RunPlan,
  event: EventDeclaration | null,
  script: LoadedScript,
  facts: { readonly capacity: number | null; readonly t0WallUs: number },
): RunJson {
  return {
    format: 1,
    id: plan.id,
    scenario: plan.scenario,
    title: event?.title ?? plan.scenario,
    target: plan.variant,
    place: event === null ? "external" : "embedded",
    engine: "node",
    seed: plan.seed,
    capacity: facts.capacity,
    schedule_hash: script.scheduleHash,
    started_at: wallIso(),
    t0_wall_us: facts.t0WallUs,
    phases: event === null ? [] : phasesOf(event),
    goodput_kinds: event?.goodputKinds ?? [],
    goodput_scenarios: event?.goodputScenarios ?? [],
    customer: event?.customer ?? {},
    expect_peak_per_s: event?.expectPeakPerS ?? null,
    judges: event?.judges ?? [],
    replay: replayLine(
      `stampede run ${plan.scenario} --target ${plan.variant}`,
      plan,
      facts.capacity,
    ),
    versions: versions(),
    machine: machine(),
  };
}

/** Writes run.json and summary.json. */
export function writeRunJson(dir: string, run: RunJson, engine: EngineResult): void {
  const paths = runPaths(dir);
  writeWhole(paths.run, `${JSON.stringify(run, null, 2)}\n`);
  writeWhole(paths.summary, `${JSON.stringify(engine.summary, null, 2)}\n`);
}

/** Puts the whole record into the run folder: the history as Parquet, run.json, summary.json. */
export async function writeRecord(
  dir: string,
  plan: RunPlan,
  facts: {
    readonly event: EventDeclaration;
    readonly script: LoadedScript;
    readonly capacity: number;
    readonly left: CrowdLeft;
  },
): Promise<RunJson> {
  const { event, script, capacity, left } = facts;
  await left.recorder.write(runPaths(dir));
  const run = describeRun(plan, event, script, { capacity, t0WallUs: left.t0WallUs });
  writeRunJson(dir, run, left.engine);
  return run;
}
