/** A scenario is found by name or path, and every mistake in its event is named at once, before anything is started. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StampedeError } from "../errors.ts";
import type { Event } from "./event.ts";
import { findScenario, parseEvent, phaseWindows, shippedScenarios } from "./load-scenario.ts";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "stampede-scenario-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

const whole: Event = {
  title: "a quiet day",
  expectPeakPerS: 10,
  goodputKinds: ["order"],
  goodputScenarios: ["buyers"],
  customer: { attemptTimeoutS: 1, retries: 3, deadlineS: 4 },
  phases: [
    { name: "baseline", durationS: 5, role: "baseline" },
    { name: "surge", durationS: 3, role: "trigger" },
  ],
};
const facts = { at: "day.ts:7", scenarios: ["buyers"], durationS: 8, invariants: ["C1", "X0"] };
const parse = (change: Readonly<Record<string, unknown>>): ReturnType<typeof parseEvent> =>
  parseEvent({ ...whole, ...change }, facts);

/** What is said of a wrong event; "" when nothing is. */
function complaint(change: Readonly<Record<string, unknown>>, about = facts): string {
  try {
    parseEvent({ ...whole, ...change }, about);
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(StampedeError);
    expect((error as StampedeError).exitCode).toBe(104);
    return (error as StampedeError).message;
  }
}

describe("finding a scenario", () => {
  test("by the name of a shipped one, by a path, relative or not", () => {
    expect(Object.keys(shippedScenarios())).toContain("musinsa-all-user-blast");
    expect(findScenario("musinsa-all-user-blast").path).toMatch(/musinsa-all-user-blast\.ts$/);
    const path = join(dir, "mine.js");
    writeFileSync(path, "");
    expect(findScenario(path)).toEqual({ name: "mine", path });
  });

  test("probes are no scenarios for the list, but can be run by path", () => {
    expect(Object.keys(shippedScenarios())).not.toContain("short-night");
    expect(findScenario("scenarios/probes/short-night.ts").name).toBe("short-night");
  });

  test("what is not there is named, with the names there are; what is no script as well", () => {
    expect(() => findScenario("no-such-night")).toThrow(/there is no no-such-night/);
    expect(() => findScenario(dir)).toThrow(/expected a script/);
    writeFileSync(join(dir, "notes.txt"), "");
    expect(() => findScenario(join(dir, "notes.txt"))).toThrow(/expected a script/);
  });
});

describe("an event that fits", () => {
  test("gets its defaults", () => {
    const event = parse({});
    expect(event).toMatchObject({ drainS: 8, timeline: [], judges: [], slos: [], campaigns: [] });
    expect(event.customer).toMatchObject({ backoff: "none", doubleTapShare: 0, botShare: 0 });
  });

  test("has its phases one after the other", () => {
    expect(phaseWindows(parse({}))).toEqual([
      { name: "baseline", role: "baseline", startS: 0, endS: 5 },
      { name: "surge", role: "trigger", startS: 5, endS: 8 },
    ]);
  });

  test("may leave half a second of its schedule without a phase, not more", () => {
    expect(complaint({}, { ...facts, durationS: 8.5 })).toBe("");
    expect(complaint({}, { ...facts, durationS: 9 })).toMatch(/no phase/);
  });
});

describe("an event that does not fit", () => {
  test("is told where it stands and every one of its mistakes", () => {
    const said = complaint({ expectPeakPerS: "many", title: "", speed: 3 });
    expect(said).toMatch(/^day\.ts:7/);
    for (const word of [/expectPeakPerS/, /title/, /speed/]) expect(said).toMatch(word);
  });

  test("is told every contradiction, each in a sentence", () => {
    const said = complaint({
      phases: [
        { name: "surge", durationS: 3, role: "trigger" },
        { name: "surge", durationS: 5, role: "baseline" },
      ],
      goodputScenarios: ["sellers"],
      judges: ["Z9"],
      slos: [{ name: "s", measure: "goodput_share", phase: "dawn", op: ">", value: 0.5 }],
      timeline: [{ at: 9, fault: "refund-rail-down", target: "gateway" }],
      customer: { attemptTimeoutS: 1, retries: 0, deadlineS: 4, patienceS: 2 },
    });
    for (const words of [
      /"surge" stands twice/,
      /a baseline \("surge"\) cannot follow a trigger/,
      /has no "sellers" \(it has buyers\)/,
      /no invariant Z9/,
      /speaks of the phase "dawn"/,
      /refund-rail-down at 9 s lies after the last phase \(8 s\)/,
      /needs forS, or it would never heal/,
      /patienceS is shorter than deadlineS/,
    ])
      expect(said).toMatch(words);
  });

  test.each([
    [
      "a fault longer than a lease",
      { timeline: [{ at: 1, fault: "no-fault", target: "x", forS: 121 }] },
    ],
    ["a step before the start", { timeline: [{ at: -1, operator: "restart" }] }],
    ["an operator's word nobody knows", { timeline: [{ at: 1, operator: "pray" }] }],
    ["a share above one", { customer: { ...whole.customer, botShare: 2 } }],
    ["no phase at all", { phases: [] }],
    ["a probe whose order is no function", { probe: { path: "/orders", order: {} } }],
  ])("%s is refused", (_what, change) => {
    expect(complaint(change)).toMatch(/does not fit/);
  });
});
