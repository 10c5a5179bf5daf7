/** The module k6/execution of one VU: what the script may know of where it runs, and how it ends the test. */
import { textOf } from "../script-text.ts";
import type { IterationFacts, Vu } from "../vu/vu.ts";

/** Thrown by test.abort(): ends the iteration even where the script would go on. */
export class TestAborted extends Error {
  override readonly name = "TestAborted";
}

function iterationOf(vu: Vu, what: string): IterationFacts {
  if (vu.iteration === null)
    throw new TypeError(`getting ${what} information outside of an iteration is not supported`);
  return vu.iteration;
}

function scenarioFacts(vu: Vu): object {
  const of = (): IterationFacts => iterationOf(vu, "scenario");
  return {
    get name() {
      return of().scenario.name;
    },
    get executor() {
      return of().scenario.executor;
    },
    get startTime() {
      return of().scenario.startWallMs;
    },
    get progress() {
      return of().scenario.progress();
    },
    // One generator process: its iterations are the test's.
    get iterationInInstance() {
      return of().inTest;
    },
    get iterationInTest() {
      return of().inTest;
    },
  };
}

function instanceFacts(vu: Vu): object {
  const { counters, clock } = vu.run;
  return {
    get iterationsInterrupted() {
      return counters.interrupted;
    },
    get iterationsCompleted() {
      return counters.completed;
    },
    get vusActive() {
      return counters.vusBusy;
    },
    get vusInitialized() {
      return counters.vusMade;
    },
    get currentTestRunDuration() {
      return clock.sinceT0Ns() / 1e6;
    },
  };
}

function vuFacts(vu: Vu): object {
  const metrics = {
    get tags() {
      return vu.customTags;
    },
    metadata: {},
  };
  return {
    // A VU belongs to one scenario here, so both counts are the same.
    get iterationInInstance() {
      return vu.iterationsBegun - 1;
    },
    get iterationInScenario() {
      return vu.iterationsBegun - 1;
    },
    idInInstance: vu.id,
    idInTest: vu.id,
    get tags() {
      return vu.customTags;
    },
    metrics,
  };
}

export function executionModule(vu: Vu): Readonly<Record<string, unknown>> {
  const test = {
    abort(message?: unknown): never {
      const text = message === undefined ? "test aborted" : textOf(message);
      if (vu.stage !== "init") vu.run.control.stop({ kind: "abort", message: text });
      throw new TestAborted(text);
    },
    fail(message?: unknown): void {
      if (vu.stage === "init") throw new TypeError("test.fail() in the init code is not supported");
      const text = message === undefined ? "test marked as failed" : textOf(message);
      vu.run.log.limited("test.fail()", () => `test.fail(): ${text}`);
      vu.run.control.fail(text);
    },
    get options(): unknown {
      return vu.run.exportedOptions;
    },
  };
  const execution = {
    scenario: scenarioFacts(vu),
    instance: instanceFacts(vu),
    test,
    vu: vuFacts(vu),
  };
  return { ...execution, default: execution };
}
