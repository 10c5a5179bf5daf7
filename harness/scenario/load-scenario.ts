/** Finds a scenario and checks its `event`: every problem named at once, before anything is started. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, extname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { StampedeError } from "../errors.ts";
import { eventSchema, type EventDeclaration } from "./event.ts";

const SHIPPED = fileURLToPath(new URL("../../scenarios/", import.meta.url));

/** The scenarios that come with stampede: name → path. */
export function shippedScenarios(): Readonly<Record<string, string>> {
  const files = readdirSync(SHIPPED).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.endsWith(".d.ts"),
  );
  return Object.fromEntries(
    files.toSorted().map((name) => [basename(name, ".ts"), join(SHIPPED, name)]),
  );
}

/** A name of a shipped scenario, or a path to a k6 script. */
export function findScenario(nameOrPath: string): { readonly name: string; readonly path: string } {
  const shipped = shippedScenarios()[nameOrPath];
  if (shipped !== undefined) return { name: nameOrPath, path: shipped };
  const path = isAbsolute(nameOrPath) ? nameOrPath : resolve(nameOrPath);
  if (!existsSync(path)) {
    throw new StampedeError(
      "configuration",
      `expected a scenario's name or a path; there is no ${nameOrPath}`,
      { hint: `shipped scenarios: ${Object.keys(shippedScenarios()).join(", ")} (stampede list)` },
    );
  }
  if (!statSync(path).isFile() || ![".ts", ".js", ".mjs"].includes(extname(path))) {
    throw new StampedeError("configuration", `expected a script (.ts, .js, .mjs); came ${path}`, {
      hint: "give the file that exports options and a default function",
    });
  }
  return { name: basename(path, extname(path)), path };
}

export interface EventFacts {
  /** file:line of the `event` export, for messages. */
  readonly at: string;
  /** Names of the k6 scenarios in `options`. */
  readonly scenarios: readonly string[];
  readonly durationS: number;
  /** Ids of the invariants that exist. */
  readonly invariants: readonly string[];
}

/** Validates `event`. Throws "configuration" with all problems, each with its path inside the export. */
export function parseEvent(raw: unknown, facts: EventFacts): EventDeclaration {
  const parsed = eventSchema.safeParse(raw);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `  event.${issue.path.join(".")}: ${issue.message}`,
    );
    throw new StampedeError(
      "configuration",
      `${facts.at}: the event export does not fit:\n${problems.join("\n")}`,
      { hint: "see harness/scenario/event.ts for every field" },
    );
  }
  const problems = contradictions(parsed.data, facts);
  if (problems.length > 0)
    throw new StampedeError(
      "configuration",
      `${facts.at}: the event contradicts itself:\n${problems.map((p) => `  ${p}`).join("\n")}`,
    );
  return parsed.data;
}

/** What each field alone allows but together cannot be. */
function contradictions(event: EventDeclaration, facts: EventFacts): string[] {
  const problems: string[] = [];
  const total = event.phases.reduce((sum, phase) => sum + phase.durationS, 0);
  const names = event.phases.map((phase) => phase.name);
  for (const name of new Set(names.filter((n, i) => names.indexOf(n) !== i)))
    problems.push(`event.phases: "${name}" stands twice`);
  const order = ["warm-up", "baseline", "trigger", "watch", "intervention"];
  for (let i = 1; i < event.phases.length; i++) {
    const [before, after] = [event.phases[i - 1], event.phases[i]];
    if (before && after && order.indexOf(after.role) < order.indexOf(before.role))
      problems.push(
        `event.phases: a ${after.role} ("${after.name}") cannot follow a ${before.role} ("${before.name}")`,
      );
  }
  for (const step of event.timeline) {
    const what = "operator" in step ? step.operator : step.fault;
    if (step.at > total)
      problems.push(
        `event.timeline: ${what} at ${step.at} s lies after the last phase (${total} s)`,
      );
    if ("fault" in step && step.fault === "refund-rail-down" && step.forS === undefined)
      problems.push(`event.timeline: ${what} at ${step.at} s needs forS, or it would never heal`);
  }
  for (const name of event.goodputScenarios)
    if (!facts.scenarios.includes(name))
      problems.push(
        `event.goodputScenarios: options.scenarios has no "${name}" (it has ${facts.scenarios.join(", ")})`,
      );
  for (const id of event.judges)
    if (!facts.invariants.includes(id)) problems.push(`event.judges: there is no invariant ${id}`);
  for (const slo of event.slos)
    if (slo.phase !== undefined && !names.includes(slo.phase))
      problems.push(
        `event.slos: "${slo.name}" speaks of the phase "${slo.phase}", which is not in event.phases`,
      );
  if (facts.durationS > total + 0.5)
    problems.push(
      `event.phases last ${total} s, options.scenarios ${facts.durationS} s: the rest would have no phase`,
    );
  if (event.customer.patienceS !== undefined && event.customer.patienceS < event.customer.deadlineS)
    problems.push("event.customer: patienceS is shorter than deadlineS");
  return problems;
}

/** Phases as absolute windows. */
export function phaseWindows(event: EventDeclaration): {
  readonly name: string;
  readonly role: EventDeclaration["phases"][number]["role"];
  readonly startS: number;
  readonly endS: number;
}[] {
  let at = 0;
  return event.phases.map(({ name, role, durationS }) => {
    const startS = at;
    at += durationS;
    return { name, role, startS, endS: at };
  });
}
