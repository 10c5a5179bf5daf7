/** Promises of the view and of the story told from it: every figure comes out of the run folder, and "not known" is not 0. */
import { rmSync } from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runPaths, writeWhole, readVerdict } from "../harness/history/run-folder.ts";
import { phaseFigures } from "./charts.ts";
import { writeParquet, writeRunFixture } from "./run.fixture.ts";
import { crowdOf, headroomOf, loadRunView, watchedS, type RunView } from "./run-view.ts";
import { speak } from "./sentences.ts";
import { customerFacts, serviceFacts, trustLine } from "./story.ts";

const say = speak("en");
const dir = mkdtempSync(join(tmpdir(), "stampede-view-"));
let naive: RunView;
let guarded: RunView;

beforeAll(async () => {
  await writeRunFixture(join(dir, "naive"), "naive");
  await writeRunFixture(join(dir, "guarded"), "guarded");
  naive = await loadRunView(join(dir, "naive"));
  guarded = await loadRunView(join(dir, "guarded"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const fact = (view: RunView, key: string): { readonly text: string; readonly mark: string } => {
  const found = [...serviceFacts(say, view), ...customerFacts(say, view)].find(
    (one) => one.key === key,
  );
  return {
    text: found?.text.replaceAll("\u00a0", " ") ?? "no such fact",
    mark: found?.mark ?? "none",
  };
};

describe("a run folder becomes a view", () => {
  test("the crowd is counted from the series: arrivals and their busiest second", () => {
    expect(crowdOf(naive)).toEqual({
      customers: 3 * 80 + 10 * 160 + 3 * 640 + 37 * 160,
      peakPerS: 640,
    });
  });

  test("coupons issued, above the cap and recalled are counted in the books, with the time until somebody stopped it", () => {
    expect(naive.books.campaigns).toEqual([
      {
        id: "member-day",
        cap: 40,
        issued: 40,
        used: 0,
        recalled: 40,
        aboveCap: 0,
        firstIssueS: 11,
        stoppedAfterS: 30.5,
      },
      {
        id: "seoulcon",
        cap: 20,
        issued: 60,
        used: 0,
        recalled: 0,
        aboveCap: 40,
        firstIssueS: 11,
        stoppedAfterS: null,
      },
    ]);
  });

  test("a refund that failed is missing, one that waits for an account is pending, and a customer's own cancel needs no notice", () => {
    expect(naive.books.cancels).toEqual({
      notRefunded: 1,
      refundPending: 1,
      refundPendingUntold: 1,
      notTold: 2,
      cancelledBySystem: 3,
    });
    expect(guarded.books.cancels).toEqual({
      notRefunded: 0,
      refundPending: 1,
      refundPendingUntold: 0,
      notTold: 0,
      cancelledBySystem: 3,
    });
  });

  test("a customer never served is one without any final answer; who was told to come back is told apart", () => {
    expect(naive.unserved).toEqual({ intents: 2, told: 1 });
  });

  test("headroom is what was served well against what is expected", () => {
    expect(headroomOf(naive)).toBeCloseTo(180 / 290 - 1);
    expect(headroomOf({ ...naive, run: { ...naive.run, expect_peak_per_s: null } })).toBeNull();
  });

  test("the watch ends where somebody stepped in", () => {
    expect(watchedS(naive)).toBe(20);
  });

  test("each phase's figures are rates over that phase", () => {
    const surge = phaseFigures(guarded).find((one) => one.phase.name === "surge");
    expect(surge?.offeredPerS).toBeCloseTo(640);
    expect(
      phaseFigures(naive).find((one) => one.phase.name === "watch")?.amplification,
    ).toBeCloseTo(4);
  });

  test("few arrivals a bucket are merged, so that a rate is not a comb, and the width is said", async () => {
    const slow = join(dir, "slow");
    await writeRunFixture(slow, "guarded");
    const columns = {
      t_ms: "BIGINT",
      phase: "VARCHAR",
      offered: "BIGINT",
      good: "BIGINT",
      kept: "BIGINT",
      attempts: "BIGINT",
      retries: "BIGINT",
      p50_ms: "DOUBLE",
      p99_ms: "DOUBLE",
      in_flight: "BIGINT",
      queue_depth: "BIGINT",
    } as const;
    await writeParquet(
      runPaths(slow).series,
      columns,
      Array.from({ length: 100 }, (_, at) => ({
        t_ms: at * 100,
        phase: "a",
        offered: at % 2,
        good: at % 2,
        kept: at % 2,
        attempts: at % 2,
        retries: 0,
      })),
    );
    const view = await loadRunView(slow);
    expect(view.series?.bucketMs).toBe(400);
    expect(view.series?.offered.reduce((sum, n) => sum + n, 0)).toBe(50);
    expect(view.series?.p99Ms.every((value) => value === null)).toBe(true);
  });
});

describe("the story", () => {
  test.each([
    ["goodput", "160 > 71 > 0 (158 restarted)", "bad", "160 > 588 > 160", "good"],
    ["recovered", "no: queue still growing (20 s)", "bad", "yes, after 0.4 s", "good"],
    ["never-served", "2 (1 told “come back”)", "bad", "2 (1 told “come back”)", "open"],
    ["above-cap", "40", "bad", "0", "good"],
    ["without-rule", "1,163 of 2,410", "bad", "0 of 2,388 (all by policy)", "good"],
    ["left-out", "310", "bad", "0", "good"],
    ["bought-twice", "214", "bad", "0", "open"],
    ["not-refunded", "1 (1 pending, 1 untold)", "bad", "0 (1 pending, all told)", "good"],
    ["not-told", "2", "bad", "0", "good"],
    ["double-charge", "0", "good", "0", "good"],
    ["unknown", "18 of 6,120", "open", "0 of 12", "good"],
    ["other-rules", "O9 37 · X3 1,163 · P3 41", "bad", "0", "good"],
  ])(
    "%s is told from figures and marked by the judge's verdict",
    (key, naiveText, naiveMark, guardedText, guardedMark) => {
      expect(fact(naive, key)).toEqual({ text: naiveText, mark: naiveMark });
      expect(fact(guarded, key)).toEqual({ text: guardedText, mark: guardedMark });
    },
  );

  test("a run without books or history says so with a dash and never with 0", async () => {
    const bare = join(dir, "bare");
    await writeRunFixture(bare, "guarded");
    rmSync(join(bare, "evidence"), { recursive: true });
    for (const path of [runPaths(bare).ops, runPaths(bare).series, runPaths(bare).faults])
      rmSync(path);
    const verdict = readVerdict(bare);
    const unjudged = verdict.invariants.map((rule) => ({
      ...rule,
      verdict: "not-applicable",
      count: 0,
    }));
    writeWhole(
      runPaths(bare).verdict,
      JSON.stringify({ ...verdict, invariants: unjudged, x0: { ...verdict.x0, cancelled: 0 } }),
    );
    const view = await loadRunView(bare);
    expect(view.series).toBeNull();
    expect(crowdOf(view)).toBeNull();
    for (const key of ["above-cap", "without-rule", "not-refunded", "not-told", "double-charge"])
      expect(fact(view, key)).toEqual({ text: "–", mark: "open" });
  });

  test("a saturated generator is not hidden", () => {
    const saturated = {
      ...naive,
      verdict: { ...naive.verdict, generator: { ...naive.verdict.generator, saturated: true } },
    };
    expect(trustLine(say, saturated)).toContain("it WAS the bottleneck");
    expect(trustLine(say, naive)).toContain("26 rules judged, 0 undecided");
  });
});
