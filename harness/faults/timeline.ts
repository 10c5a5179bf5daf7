/**
 * Plays the scenario's timeline beside the crowd: the operator's steps and the faults, each at its own time, each
 * recorded as it really happened. Whatever ends the run, every active fault is healed and the healing proved.
 */
import { monotonicNs, sleepMs } from "../determinism/clock.ts";
import { messageOf } from "../errors.ts";
import { wordOf, type FaultRecord, type Operation } from "../history/operation.ts";
import type { EventDeclaration, FaultStep, OperatorStep } from "../scenario/event.ts";
import type { OperatorAnswer, Target } from "../target/target.ts";
import { FAULTS } from "./catalogue.ts";
import type { ActiveFault } from "./fault.ts";

export interface TimelineOptions {
  readonly event: EventDeclaration;
  readonly target: Target;
  /** Monotonic ns of T0. */
  readonly t0Ns: number;
  readonly record: {
    operation(op: Omit<Operation, "index">): void;
    fault(record: FaultRecord): void;
  };
  /** For an operator who acts only when goodput has not come back. */
  readonly notRecovered: () => boolean;
  readonly phaseAt: (tNs: number) => string;
  /** Names of the faults that are in; kept up to date here, read by the live view. */
  readonly active: Set<string>;
  /** One sentence for the live view. */
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal;
}

export interface TimelineResult {
  /** Faults whose undo could not be proved: the run is unsafe. */
  readonly unproved: readonly string[];
}

/** How often a step that waits for a job looks at it. */
const WATCH_MS = 50;

/** Resolves when every step was taken (or the signal came) and everything is healed. */
export async function playTimeline(options: TimelineOptions): Promise<TimelineResult> {
  const unproved: string[] = [];
  await Promise.all(
    options.event.timeline.map(async (step, index) => {
      if (!(await waitUntil(options, step.at))) return;
      if ("operator" in step) await operate(options, step, index);
      else await breakAndHeal(options, step, index, unproved);
    }),
  );
  return { unproved };
}

/** Waits for the moment; false when the run was interrupted first. */
async function waitUntil({ t0Ns, signal }: TimelineOptions, atS: number): Promise<boolean> {
  try {
    await sleepMs(Math.max(0, (t0Ns + atS * 1e9 - monotonicNs()) / 1e6), signal);
    return true;
  } catch {
    return false;
  }
}

const since = ({ t0Ns }: TimelineOptions): number => monotonicNs() - t0Ns;

async function operate(options: TimelineOptions, step: OperatorStep, index: number): Promise<void> {
  if (step.when === "not-recovered" && !options.notRecovered()) return;
  const began = since(options);
  const intent = `operator-${index}-${step.operator}`;
  options.say(`operator: ${step.operator} ${summary(step.request)}`.trim());
  const answer =
    step.operator === "restart"
      ? await restart(options.target, step)
      : await options.target.operate(step.operator, step.request, intent);
  const ended = since(options);
  const outcome =
    answer.status >= 200 && answer.status < 300
      ? "ok"
      : answer.status >= 400 && answer.status < 500
        ? "fail"
        : "info";
  if (outcome !== "ok")
    options.say(
      `operator: ${step.operator} ${summary(step.request)} was ${outcome === "fail" ? "refused" : "not answered"}: ${answer.error}`,
    );
  options.record.operation({
    time_intended_ns: step.at * 1e9,
    time_invoke_ns: began,
    time_complete_ns: ended,
    process: "operator",
    intent,
    attempt: 1,
    kind: step.operator,
    outcome,
    status: answer.status,
    error: answer.error,
    phase: options.phaseAt(began),
    scenario: "operator",
    iteration: -1,
    final: outcome === "ok",
    request: step.request,
    response: answer.body,
  });
  options.record.fault({
    id: `step-${index}`,
    kind: "operator",
    name: step.operator,
    target:
      step.operator === "restart" ? wordOf(step.request["service"], "shop") : summary(step.request),
    planned_ns: step.at * 1e9,
    begin_ns: began,
    end_ns: ended,
    detail: answer.error === "" ? "" : `${answer.status} ${answer.error}`,
  });
}

async function restart(target: Target, step: OperatorStep): Promise<OperatorAnswer> {
  try {
    await target.restart(wordOf(step.request["service"], "shop"));
    return { status: 200, body: {}, error: "" };
  } catch (error) {
    return { status: 0, body: {}, error: messageOf(error) };
  }
}

function summary(request: Readonly<Record<string, unknown>>): string {
  const what = wordOf(request["policy"] ?? request["campaign_id"] ?? request["service"]);
  const whom = wordOf(request["audience"]);
  return whom === "" ? what : `${what} to ${whom}`;
}

async function breakAndHeal(
  options: TimelineOptions,
  step: FaultStep,
  index: number,
  unproved: string[],
): Promise<void> {
  if (step.once !== undefined && !(await jobReached(options, step.once))) return;
  const fault = FAULTS[step.fault];
  const began = since(options);
  let active: ActiveFault;
  try {
    active = await fault.inject(options.target, step);
  } catch (error) {
    options.say(`fault ${step.fault} on ${step.target} could not be injected: ${messageOf(error)}`);
    return;
  }
  options.say(
    `fault: ${step.fault} on ${step.target}${step.forS === undefined ? "" : ` for ${step.forS} s`}`,
  );
  const name = `${step.fault} on ${step.target}`;
  options.active.add(name);
  if (step.forS !== undefined) await waitUntil(options, began / 1e9 + step.forS);
  let ended = -1;
  try {
    await active.heal();
    ended = since(options);
  } catch (error) {
    unproved.push(`${step.fault} on ${step.target}: ${messageOf(error)}`);
  }
  options.active.delete(name);
  options.record.fault({
    id: `step-${index}`,
    kind: step.fault,
    name: step.fault,
    target: step.target,
    planned_ns: step.at * 1e9,
    begin_ns: began,
    end_ns: ended,
    detail: active.detail,
  });
}

/** Watches the target's jobs until one of the kind has done its share; true at the latest after `withinS`. */
async function jobReached(
  options: TimelineOptions,
  once: NonNullable<FaultStep["once"]>,
): Promise<boolean> {
  const deadline = monotonicNs() + once.withinS * 1e9;
  while (monotonicNs() < deadline) {
    if (options.signal.aborted) return false;
    const { jobs } = await options.target.vitals();
    if (
      jobs.some(
        (job) => job.kind === once.job && job.total > 0 && job.done / job.total >= once.doneShare,
      )
    )
      return true;
    await sleepMs(WATCH_MS);
  }
  return true;
}
