/** The course of a run beside its curves: when what began and ended, who stepped in, and what makes it undecidable. */
import { existsSync } from "node:fs";
import { StampedeError } from "../errors.ts";
import { Database, literal } from "../history/duckdb.ts";
import type { FaultRecord } from "../history/operation.ts";
import type { GeneratorHealth, Phase, RunJson } from "../history/run-folder.ts";
import type { Span } from "./series.ts";

/** Something an operator did after the trigger's end. Seconds since T0. */
export interface Intervention {
  readonly name: string;
  readonly beginS: number;
  /** When it was done; its begin where that is not known. */
  readonly endS: number;
}

export interface Course {
  readonly phases: readonly Phase[];
  /** μ, per second: goodput at the best sustained rate; null when nobody measured it. */
  readonly capacityPerS: number | null;
  readonly deadlineS: number;
  /** The last baseline phase before the trigger (the last of all when nothing triggers). */
  readonly baseline: Span | null;
  /** From the first trigger phase's start to the moment the last of it is gone, faults begun in it included. */
  readonly trigger: Span | null;
  /** False when a fault of the trigger was never proved undone. */
  readonly triggerGone: boolean;
  /** From the trigger's end to the first intervention, or to the end of the schedule. */
  readonly watch: Span | null;
  /** In order of time; the first one ended the watch. */
  readonly interventions: readonly Intervention[];
  /** End of the schedule. */
  readonly endS: number;
  /** Why nothing can be concluded: the generator was the bottleneck, or data are missing. Empty when all is well. */
  readonly doubts: readonly string[];
}

const seconds = (ns: number): number => ns / 1e9;

function triggerOf(
  phases: readonly Phase[],
  faults: readonly FaultRecord[],
): { trigger: Span | null; gone: boolean } {
  const triggers = phases.filter((p) => p.role === "trigger");
  if (triggers.length === 0) return { trigger: null, gone: true };
  const startS = Math.min(...triggers.map((p) => p.start_s));
  const plannedEndS = Math.max(...triggers.map((p) => p.end_s));
  // An operator's step of the trigger (the mis-issue) is no lasting fault; a fault is part of it until it is undone.
  const lasting = faults.filter(
    (f) =>
      f.kind !== "operator" &&
      f.begin_ns >= 0 &&
      seconds(f.begin_ns) >= startS &&
      seconds(f.begin_ns) < plannedEndS,
  );
  const endS = Math.max(plannedEndS, ...lasting.map((f) => seconds(f.end_ns)));
  return { trigger: { startS, endS }, gone: lasting.every((f) => f.end_ns >= 0) };
}

function baselineOf(phases: readonly Phase[], beforeS: number): Span | null {
  const last = phases.findLast((p) => p.role === "baseline" && p.end_s <= beforeS);
  return last === undefined ? null : { startS: last.start_s, endS: last.end_s };
}

/** The operator's steps that really happened after a moment, in order. Planned ones nobody took are not among them. */
export function interventionsAfter(faults: readonly FaultRecord[], afterS: number): Intervention[] {
  return faults
    .filter((f) => f.kind === "operator" && f.begin_ns >= 0 && seconds(f.begin_ns) >= afterS)
    .map((f) => ({
      name: f.name,
      beginS: seconds(f.begin_ns),
      endS: seconds(Math.max(f.begin_ns, f.end_ns)),
    }))
    .toSorted((a, b) => a.beginS - b.beginS);
}

/** What one customer waits at most, seconds. Infinity for a plain load test, which declares no customer. */
export function deadlineOf(run: Pick<RunJson, "id" | "customer" | "goodput_kinds">): number {
  const deadline = run.customer["deadlineS"];
  if (typeof deadline === "number" && deadline > 0) return deadline;
  if (run.goodput_kinds.length === 0) return Number.POSITIVE_INFINITY;
  throw new StampedeError(
    "configuration",
    `run ${run.id}: customer.deadlineS must be a positive number of seconds; it is ${JSON.stringify(deadline)}`,
    { hint: "run.json declares goodput_kinds, so it needs the customer's deadline" },
  );
}

/**
 * Reads a run's course.
 * @param faults as recorded (faults.parquet): faults and the operator's steps
 * @param generator the generator's own health; a saturated one makes everything undecided
 * @param incomplete further reasons to conclude nothing, e.g. "the record was full: 12 rows lost"
 */
export function courseOf(
  run: Pick<RunJson, "id" | "phases" | "capacity" | "customer" | "goodput_kinds">,
  faults: readonly FaultRecord[],
  generator: Pick<GeneratorHealth, "saturated" | "because">,
  incomplete: readonly string[] = [],
): Course {
  const endS = Math.max(0, ...run.phases.map((p) => p.end_s));
  const { trigger, gone } = triggerOf(run.phases, faults);
  // A step after the schedule's end (stopping a service that does not drain) changes nothing that was watched.
  const interventions =
    trigger === null
      ? []
      : interventionsAfter(faults, trigger.endS).filter((step) => step.beginS < endS);
  const watchEndS = Math.min(endS, interventions[0]?.beginS ?? endS);
  const saturated = generator.saturated
    ? [
        `the load generator was the bottleneck (${generator.because.join(", ") || "it said so itself"})`,
      ]
    : [];
  return {
    phases: run.phases,
    capacityPerS: run.capacity,
    deadlineS: deadlineOf(run),
    baseline: baselineOf(run.phases, trigger?.startS ?? endS),
    trigger,
    triggerGone: gone,
    watch:
      trigger === null ? null : { startS: trigger.endS, endS: Math.max(trigger.endS, watchEndS) },
    interventions,
    endS,
    doubts: [...saturated, ...incomplete],
  };
}

/** Reads faults.parquet; a run without the file had none. */
export async function readFaults(path: string): Promise<FaultRecord[]> {
  if (!existsSync(path)) return [];
  await using db = await Database.open();
  const rows = await db.all(`SELECT * FROM read_parquet(${literal(path)}) ORDER BY begin_ns, id`);
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return rows.map((row) => ({
    id: text(row["id"]),
    kind: text(row["kind"]),
    name: text(row["name"]),
    target: text(row["target"]),
    planned_ns: Number(row["planned_ns"]),
    begin_ns: Number(row["begin_ns"]),
    end_ns: Number(row["end_ns"]),
    detail: text(row["detail"]),
  }));
}
