/** Objectives against literal curves: what passes, what fails, and what is not known. */
import { describe, expect, test } from "vitest";
import { collapseVerdict } from "./collapse-verdict.ts";
import { courseFor, curves, type CourseOptions, type Stretch } from "./curves.fixture.ts";
import { judgeSlos, type Slo } from "./slos.ts";
import type { LimitVerdict } from "../history/run-folder.ts";

const BASELINE: Stretch = {
  name: "baseline",
  role: "baseline",
  forS: 8,
  offered: 150,
  good: 150,
  queue: () => 3,
};
const SURGE: Stretch = {
  name: "surge",
  role: "trigger",
  forS: 3,
  offered: 600,
  good: 300,
  refused: 300,
};
const WATCH: Stretch = {
  name: "watch",
  role: "watch",
  forS: 25,
  offered: 150,
  good: 150,
  queue: () => 3,
};
const DEAD: Stretch = { ...WATCH, good: 0, queue: (s) => 100 * s };

function judge(
  slo: Omit<Slo, "name">,
  stretches: readonly Stretch[],
  options: CourseOptions = {},
  orphans = 0,
): LimitVerdict {
  const series = { ...curves(stretches), orphans };
  const course = courseFor(stretches, options);
  const [verdict] = judgeSlos(
    [{ name: "the objective", ...slo }],
    series,
    course,
    collapseVerdict(series, course),
  );
  if (verdict === undefined) throw new Error("one objective, one verdict");
  return verdict;
}

describe("shares", () => {
  test("goodput_share is good ÷ arrivals of the phase; lost_share the rest", () => {
    const stretches = [BASELINE, SURGE, WATCH];
    expect(
      judge({ measure: "goodput_share", phase: "surge", op: ">=", value: 0.5 }, stretches),
    ).toEqual({
      name: "the objective",
      expression: "goodput_share{phase:surge} >= 0.5",
      observed: 0.5,
      verdict: "pass",
      because: null,
    });
    expect(
      judge({ measure: "goodput_share", phase: "surge", op: ">", value: 0.5 }, stretches).verdict,
    ).toBe("fail");
    expect(
      judge({ measure: "lost_share", phase: "surge", op: "<=", value: 0.5 }, stretches).verdict,
    ).toBe("pass");
    expect(
      judge({ measure: "lost_share", phase: "surge", op: "<", value: 0.5 }, stretches).verdict,
    ).toBe("fail");
  });

  test("without a phase it is everybody after the warm-up", () => {
    const verdict = judge({ measure: "goodput_share", op: ">=", value: 1 }, [
      { ...BASELINE, name: "warm-up", role: "warm-up", good: 0 },
      BASELINE,
      WATCH,
    ]);
    expect(verdict).toMatchObject({
      observed: 1,
      verdict: "pass",
      expression: "goodput_share >= 1",
    });
  });

  test("an empty measure never passes: nobody came, or there is no such phase", () => {
    const quiet = { ...WATCH, name: "quiet", offered: 0, good: 0 };
    expect(
      judge({ measure: "lost_share", phase: "quiet", op: "<=", value: 1 }, [BASELINE, quiet]),
    ).toMatchObject({ verdict: "inconclusive", observed: null });
    expect(
      judge({ measure: "lost_share", phase: "sruge", op: "<=", value: 1 }, [BASELINE, WATCH]),
    ).toMatchObject({ verdict: "inconclusive", because: 'there is no phase "sruge"' });
  });
});

describe("latency from the intended start", () => {
  const slo = { measure: "latency_p99_ms", phase: "surge", op: "<=", value: 500 } as const;

  test("is that of the answered; those openly turned away have none", () => {
    expect(judge(slo, [BASELINE, { ...SURGE, ms: 400 }, WATCH])).toMatchObject({
      verdict: "pass",
      because: null,
    });
    expect(judge(slo, [BASELINE, { ...SURGE, ms: 600 }, WATCH]).verdict).toBe("fail");
    expect(judge(slo, [BASELINE, { ...SURGE, ms: 400 }, WATCH]).observed).toBeCloseTo(402, -1);
  });

  test("a few fast answers do not hide that the others got none", () => {
    const verdict = judge(slo, [BASELINE, { ...SURGE, refused: 0, good: 30 }, WATCH]);
    expect(verdict).toMatchObject({ verdict: "fail", observed: null });
    expect(verdict.because).toContain("1710 of 1800 customers got no answer at all");
  });

  test("nobody answered and nobody unanswered is nothing to judge", () => {
    expect(judge(slo, [BASELINE, { ...SURGE, good: 0, refused: 600 }, WATCH]).verdict).toBe(
      "inconclusive",
    );
  });
});

describe("recovered_after_s", () => {
  const slo = { measure: "recovered_after_s", op: "<=", value: 15 } as const;

  test("holds against the moment it came back", () => {
    expect(judge(slo, [BASELINE, SURGE, WATCH])).toMatchObject({ verdict: "pass", observed: 0 });
    expect(
      judge({ ...slo, value: 2 }, [BASELINE, SURGE, { ...DEAD, forS: 8 }, WATCH]).verdict,
    ).toBe("fail");
  });

  test("a service that stayed down fails, with the reason instead of a number", () => {
    const verdict = judge(slo, [BASELINE, SURGE, DEAD]);
    expect(verdict).toMatchObject({ verdict: "fail", observed: null });
    expect(verdict.because).toContain("not recovered in the 25 s watched");
  });

  test("still working it off: open when the limit could yet be met, failed when every moment below it was looked at", () => {
    const draining = { ...DEAD, queue: (s: number) => 5000 - 50 * s };
    expect(judge({ ...slo, value: 20 }, [BASELINE, SURGE, draining]).verdict).toBe("inconclusive");
    expect(judge(slo, [BASELINE, SURGE, draining]).verdict).toBe("fail");
  });

  test("without a trigger there is nothing to recover from", () => {
    expect(judge(slo, [BASELINE, WATCH]).verdict).toBe("inconclusive");
  });
});

test("a saturated generator or missing arrivals leave every objective open", () => {
  const measures = ["goodput_share", "lost_share", "latency_p99_ms", "recovered_after_s"] as const;
  for (const measure of measures) {
    expect(
      judge({ measure, op: ">=", value: 0 }, [BASELINE, SURGE, WATCH], { saturated: true }),
    ).toMatchObject({ verdict: "inconclusive", observed: null });
    expect(judge({ measure, op: ">=", value: 0 }, [BASELINE, SURGE, WATCH], {}, 2)).toMatchObject({
      verdict: "inconclusive",
      observed: null,
    });
  }
});
