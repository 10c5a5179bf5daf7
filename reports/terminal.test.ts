/** Promises of everything printed: the layout of first-screen.md, 100 columns, colour only when asked, hostile names harmless. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOfPair } from "./code-difference.ts";
import { cut, fit, width, wrap } from "./columns.ts";
import { readDemo, writeDemo } from "./demo.ts";
import type { LiveSnapshot } from "./live-snapshot.ts";
import { liveLine, liveLines, LiveStory } from "./live.ts";
import { openingLines } from "./opening.ts";
import { writeRunFixture } from "./run.fixture.ts";
import { DEMO_FIXTURE, HOSTILE } from "./verdict.fixture.ts";
import { loadRunView, type RunView } from "./run-view.ts";
import { demoScreen, runScreen, SCREEN_COLUMNS } from "./terminal.ts";

const dir = mkdtempSync(join(tmpdir(), "stampede-terminal-"));
const ESCAPE = "\u001b[2J\u009b\r\n\u202e";
let naive: RunView;
let guarded: RunView;
let hostile: RunView;

beforeAll(async () => {
  await writeRunFixture(join(dir, "naive"), "naive");
  await writeRunFixture(join(dir, "guarded"), "guarded");
  await writeRunFixture(join(dir, "hostile"), "naive", HOSTILE + ESCAPE);
  [naive, guarded, hostile] = [
    await loadRunView(join(dir, "naive")),
    await loadRunView(join(dir, "guarded")),
    await loadRunView(join(dir, "hostile")),
  ];
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const isCommand = (line: string): boolean => /^(Replay|재실행|Report|보고서)/.test(line);

describe("the end of npm start", () => {
  test("is laid out as first-screen.md says, with the figures of both runs", () => {
    const lines = demoScreen(naive, guarded, DEMO_FIXTURE, {
      report: "out/comparison.html",
      replay: "npm start -- --seed 7",
    }).split("\n");
    const line = (start: RegExp): string => lines.find((one) => start.test(one)) ?? "no such line";
    expect(lines[0]).toBe(
      "THE ALL-USER COUPON NIGHT   seed 7   same crowd for both: 9,680 customers, peak 640/s",
    );
    expect(line(/^ +NAIVE/)).toMatch(/^ {37}NAIVE {27}GUARDED$/);
    expect(line(/^Send the promotion/)).toMatch(/NO-GO +GO$/);
    expect(line(/served well/)).toMatch(/served well up to 180\/s, +served well up to 590\/s,/);
    expect(line(/orders\/s/)).toMatch(
      /before > surge > after +160 > 71 > 0 \(158 restarted\) +160 > 588 > 160$/,
    );
    expect(line(/x coupons above/)).toMatch(/40 +C1 C2 C3 +0$/);
    expect(line(/x cancelled with no rule/)).toMatch(
      /1,163 of 2,410 +X0 +0 of 2,388 \(all by policy\)$/,
    );
    expect(line(/v double charges/)).toMatch(/0 +P1 +0$/);
    expect(line(/\? unknown outcomes/)).toMatch(/18 of 6,120 +0 of 12$/);
    expect(lines.join(" ").replaceAll(/ +/g, " ")).toContain(
      "customer u-004711 01:12:04 shoes ×1 129,000 coupon used -> cancelled, refund missing, no message",
    );
    expect(line(/What separates them/)).toContain(
      "a refund account on file. No published rule says so.",
    );
    expect(line(/^ {2}naive/)).toContain("26 rules judged, 0 undecided");
    expect(line(/^Report/)).toBe("Report  out/comparison.html   Replay  npm start -- --seed 7");
    expect(lines.at(-1)).toBe(
      "exit 0: naive failed and guarded held, as this demo intends (a gate would exit 111 on naive)",
    );
  });

  test("a demo that went otherwise says so and why", () => {
    const text = demoScreen(naive, guarded, {
      ...DEMO_FIXTURE,
      as_intended: false,
      because: ["naive recovered by itself"],
    });
    expect(text.split("\n").at(-1)).toBe(
      "exit 1: this demo did not go as intended: naive recovered by itself",
    );
  });

  test.each(["en", "ko"] as const)(
    "no line is wider than 100 columns in %s, with hostile names neither",
    (lang) => {
      for (const view of [naive, hostile]) {
        const text = `${demoScreen(view, guarded, DEMO_FIXTURE, { lang })}\n${runScreen(view, { lang })}`;
        const wide = text
          .split("\n")
          .filter(
            (line) =>
              width(line) > SCREEN_COLUMNS && !isCommand(line) && !line.includes("<script>"),
          );
        expect(wide).toEqual([]);
      }
    },
  );

  test("a name from the books cannot move the cursor or change the line", () => {
    const text = demoScreen(hostile, guarded, DEMO_FIXTURE) + runScreen(hostile);
    // eslint-disable-next-line no-control-regex
    expect(text.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  test("colour only when asked for, and it changes no letter", () => {
    const plain = demoScreen(naive, guarded, DEMO_FIXTURE);
    const colored = demoScreen(naive, guarded, DEMO_FIXTURE, { color: true });
    expect(plain).not.toContain("\u001b");
    expect(colored).toContain("\u001b[31m");
    expect(
      stripVTControlCharacters(colored)
        .split("\n")
        .map((line) => line.trimEnd()),
    ).toEqual(plain.split("\n"));
  });

  test("the code it points to exists", () => {
    const [pair] = naive.verdict.x0.pairs;
    const code = pair === undefined ? null : codeOfPair(pair);
    expect(
      [code?.naive, code?.guarded].map(
        (path) => path !== undefined && existsSync(new URL(`../${path}`, import.meta.url)),
      ),
    ).toEqual([true, true]);
  });
});

test("the end of one run names verdict, reasons, failed limits, story, trust, replay and exit", () => {
  const text = runScreen(naive, { report: "r.html" });
  for (const part of [
    "NO-GO",
    "- 11 rules were broken",
    "x http_req_duration{phase:surge}: p(99)<1000 (3911)",
    "What separates them",
    "Can you trust this?",
    naive.run.replay,
    "exit 111: a rule was broken",
  ]) {
    expect(text).toContain(part);
  }
  expect(runScreen(guarded)).toContain(
    "GO   served well up to 590/s, forecast 290/s, headroom 103 %",
  );
});

test("the first second says what will happen, for how long, and in which steps", () => {
  const lines = openingLines({
    title: "The night",
    seed: 7,
    target: "demo",
    phases: naive.run.phases,
    capacity: null,
    totalS: 143,
  });
  const text = lines.join("\n");
  for (const part of [
    "THE NIGHT   seed 7",
    "first the naive service, then the guarded one",
    "capacity is measured",
    "About 2 min 23 s in all",
    "13 – 16       surge",
  ])
    expect(text).toContain(part);
  expect(
    openingLines({
      title: "t",
      seed: 1,
      target: "guarded",
      phases: [],
      capacity: 320,
      totalS: 40,
    }).join("\n"),
  ).toContain("sized for a capacity of 320/s");
});

const snapshot = (over: Partial<LiveSnapshot> = {}): LiveSnapshot => ({
  elapsedS: 19,
  totalS: 65,
  phase: "watch",
  offeredPerS: 160,
  goodputPerS: 3,
  retryShare: 0.74,
  p99Ms: 3911,
  inFlight: 1712,
  faults: ["refund-rail-down"],
  variant: "naive",
  ...over,
});

describe("while the crowd is there", () => {
  test("a log gets one plain line with every figure", () => {
    expect(liveLine(snapshot())).toBe(
      "[00:19/01:05] naive   watch       offered 160/s  goodput 3/s  retries 74 %  p99 3,911 ms  in flight 1,712  faults refund-rail-down",
    );
    expect(liveLine(snapshot({ p99Ms: null, faults: [], message: "COLLAPSE\u001b[2J" }))).toMatch(
      /p99 – .*faults none {2}COLLAPSE\?\[2J$/,
    );
  });

  test("a terminal gets the same figures and the time that is left, within 100 columns", () => {
    const lines = liveLines(
      snapshot({ faults: Array.from({ length: 30 }, (_, at) => `fault-${at}`), message: "told" }),
    );
    expect(lines.join("\n")).toContain("46 s left");
    for (const part of [
      "watch",
      "160/s",
      "goodput 3/s",
      "74 %",
      "3,911 ms",
      "1,712",
      "fault-0",
      "told",
    ])
      expect(lines.join("\n")).toContain(part);
    expect(lines.filter((line) => width(line) > SCREEN_COLUMNS)).toEqual([]);
  });

  test("a collapse is told once, five seconds after it began, and so is the return", () => {
    const story = new LiveStory("baseline");
    const said = (elapsedS: number, phase: string, offeredPerS: number, goodputPerS: number) =>
      story.tell(snapshot({ elapsedS, phase, offeredPerS, goodputPerS }));
    const calm = Array.from({ length: 8 }, (_, s) => said(s, "baseline", 160, 160));
    const down = Array.from({ length: 10 }, (_, s) => said(8 + s, "watch", 160, 20));
    const back = Array.from({ length: 4 }, (_, s) => said(18 + s, "restart", 160, 158));
    expect(calm.filter(Boolean)).toEqual([]);
    expect(down.map((sentence) => sentence !== null)).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(down[5]?.replaceAll("\u00a0", " ")).toBe(
      "COLLAPSE: 160/s ask, 20/s get what they came for; it has been under half for 5 s.",
    );
    expect(back.filter(Boolean)).toEqual(["BACK: 158/s of 160/s are served well again."]);
  });

  test("a surge that is shed down to the baseline is no collapse", () => {
    const story = new LiveStory("baseline");
    const told = Array.from({ length: 20 }, (_, s) =>
      story.tell(
        snapshot({
          elapsedS: s,
          phase: s < 5 ? "baseline" : "surge",
          offeredPerS: s < 5 ? 160 : 640,
          goodputPerS: 160,
        }),
      ),
    );
    expect(told.filter(Boolean)).toEqual([]);
  });
});

describe("columns", () => {
  test("Korean letters take two cells", () => {
    expect(width("쿠폰 ab")).toBe(7);
    expect(fit("쿠폰", 6)).toBe("쿠폰  ");
    expect(cut("쿠폰이다", 5)).toBe("쿠폰…");
  });

  test("lines break at spaces, figures stay with their units, long paths are not cut", () => {
    expect(wrap("it took 20\u00a0s more", 10)).toEqual(["it took", "20 s more"]);
    expect(wrap("a reports/out/very/long/path b", 8)).toEqual([
      "a",
      "reports/out/very/long/path",
      "b",
    ]);
  });
});

test("demo.json is read back as it was written, and another file is refused with what was expected", () => {
  writeDemo(dir, DEMO_FIXTURE);
  expect(readDemo(dir)).toEqual(DEMO_FIXTURE);
  expect(() => readDemo(join(dir, "naive"))).toThrow(/expected a demo's demo\.json/);
});
