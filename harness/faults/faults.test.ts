/**
 * Faults and the timeline on a real service: what a fault does is seen from outside, its undoing is complete, and
 * whatever ends the run every active fault is healed first.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Home, until } from "../commands/cli.fixture.ts";
import { monotonicNs, sleepMs } from "../determinism/clock.ts";
import type { FaultRecord, Operation } from "../history/operation.ts";
import { World } from "../rehearsal/world.ts";
import { eventSchema, type FaultStep } from "../scenario/event.ts";
import type { EmbeddedTarget } from "../target/embedded.ts";
import { findByMarker, startedAt } from "../target/processes.ts";
import { Stage } from "../target/stage.ts";
import { FAULTS } from "./catalogue.ts";
import { playTimeline, type TimelineOptions, type TimelineResult } from "./timeline.ts";

const home = new Home("faults");
const before = process.env["TMPDIR"];
const world = new AsyncDisposableStack();
let stage: Stage;
let target: EmbeddedTarget;

beforeAll(async () => {
  process.env["TMPDIR"] = home.tmp;
  stage = world.use(await Stage.open("faults"));
  const opened = world.use(await World.open(stage, 7));
  mkdirSync(join(home.out, "logs"));
  target = world.use(await opened.target("faults", "guarded", join(home.out, "logs")));
}, 60_000);
afterAll(async () => {
  await world.disposeAsync();
  if (before === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = before;
  expect(home.left()).toEqual([]);
  home[Symbol.dispose]();
});

const step = (change: Partial<FaultStep> & Pick<FaultStep, "fault" | "target">): FaultStep => ({
  at: 0,
  ...change,
});
const killedPid = (detail: string): number => Number(/process (\d+)/.exec(detail)?.[1]);

let customer = 0;
/** Orders and cancels at once, as `n` customers; returns the orders' ids. */
async function cancelledOrders(n: number): Promise<string[]> {
  return await Promise.all(
    Array.from({ length: n }, async () => {
      const user = `u${String(++customer).padStart(6, "0")}`;
      const send = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
        const answer = await fetch(`${target.baseUrl}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json", "idempotency-key": `test-${user}` },
          body: JSON.stringify(body),
        });
        return (await answer.json()) as Record<string, unknown>;
      };
      const order = { user_id: user, items: [{ sku: "shoes-01", qty: 1 }], coupon_campaign: null };
      const { order_id: id } = await send("/orders", order);
      await send(`/orders/${String(id)}/cancel`, {});
      return String(id);
    }),
  );
}

/** How many refunds the service still owes, in its own words. */
async function owed(): Promise<number> {
  const { waiting } = await target.drained();
  return Number(/(\d+) refund\(s\) requested/.exec(waiting)?.[1] ?? 0);
}
async function atRest(): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    if ((await target.drained()).drained) return true;
    await sleepMs(100);
  }
  return false;
}

interface Played extends TimelineResult {
  readonly operations: Omit<Operation, "index">[];
  readonly faults: FaultRecord[];
  readonly said: string[];
  readonly active: Set<string>;
}

/** Plays a timeline beside no crowd. */
async function play(
  timeline: readonly unknown[],
  options: Partial<Pick<TimelineOptions, "notRecovered" | "signal">> & {
    readonly on?: (said: string) => void;
  } = {},
): Promise<Played> {
  const event = eventSchema.parse({
    title: "t",
    expectPeakPerS: 1,
    goodputKinds: ["order"],
    goodputScenarios: ["buyers"],
    customer: { attemptTimeoutS: 1, retries: 0, deadlineS: 4 },
    phases: [{ name: "withdraw", durationS: 60, role: "intervention" }],
    timeline,
  });
  const played = {
    operations: [] as Omit<Operation, "index">[],
    faults: [] as FaultRecord[],
    said: [] as string[],
    active: new Set<string>(),
  };
  const result = await playTimeline({
    event,
    target,
    t0Ns: monotonicNs(),
    record: {
      operation: (op) => void played.operations.push(op),
      fault: (record) => void played.faults.push(record),
    },
    notRecovered: options.notRecovered ?? (() => true),
    phaseAt: () => "withdraw",
    active: played.active,
    say: (line) => {
      played.said.push(line);
      options.on?.(line);
    },
    signal: options.signal ?? new AbortController().signal,
  });
  return { ...result, ...played };
}

describe("a fault is seen from outside and undone completely", () => {
  test("process-kill takes the worker away; it comes back and works", async () => {
    const active = await FAULTS["process-kill"].inject(
      target,
      step({ fault: "process-kill", target: "worker" }),
    );
    expect(startedAt(killedPid(active.detail))).toBeNull();
    expect(target.running("worker")).toBe(false);
    await cancelledOrders(2); // customers are served, their refunds wait for a worker
    await active.heal();
    await active.heal();
    expect(target.running("worker")).toBe(true);
    expect(findByMarker(stage.dir)).not.toContain(killedPid(active.detail));
    expect(await atRest()).toBe(true);
  });

  test("refund-rail-down leaves refunds owed while payments go on; healed, all are paid", async () => {
    const active = await FAULTS["refund-rail-down"].inject(
      target,
      step({ fault: "refund-rail-down", target: "gateway", forS: 1 }),
    );
    const ids = await cancelledOrders(24);
    expect(new Set(ids).size).toBe(24); // every one was charged and acknowledged
    await sleepMs(1500); // the worker has tried them all meanwhile
    const still = await owed();
    expect(still).toBeGreaterThan(0);
    expect(still).toBeLessThan(24); // the other rail pays
    await active.heal();
    await active.heal();
    expect(await atRest()).toBe(true);
    expect(await owed()).toBe(0);
  });

  test("no-fault changes nothing", async () => {
    const pids = findByMarker(stage.dir).toSorted((a, b) => a - b);
    const active = await FAULTS["no-fault"].inject(
      target,
      step({ fault: "no-fault", target: "shop" }),
    );
    await active.heal();
    expect(findByMarker(stage.dir).toSorted((a, b) => a - b)).toEqual(pids);
  });
});

describe("the timeline", () => {
  const restart = {
    at: 0,
    operator: "restart",
    request: { service: "shop" },
    when: "not-recovered",
  };

  test("an operator who waits for a collapse leaves a recovered service alone", async () => {
    const { operations, faults, said } = await play([restart], { notRecovered: () => false });
    expect([operations, faults, said]).toEqual([[], [], []]);
  });

  test("and restarts one that did not come back, on record", async () => {
    const url = target.baseUrl;
    const { operations, faults } = await play([restart]);
    expect(operations).toMatchObject([
      { process: "operator", kind: "restart", outcome: "ok", status: 200, phase: "withdraw" },
    ]);
    expect(faults).toMatchObject([{ kind: "operator", name: "restart", target: "shop" }]);
    expect(target.baseUrl).toBe(url);
    expect((await target.read("/orders?user_id=u000001")).status).toBe(200);
  });

  test("an operator's refused step is recorded as refused, with the service's word", async () => {
    const { operations } = await play([
      {
        at: 0,
        operator: "issue",
        request: { campaign_id: "seoulcon", audience: "all-members", declared_audience: 20 },
      },
    ]);
    expect(operations).toMatchObject([{ outcome: "fail", error: "audience_exceeds_declared" }]);
  });

  test("interrupted while a fault is in, it heals at once and says so on record", async () => {
    const interrupt = new AbortController();
    const began = monotonicNs();
    const { unproved, faults, active } = await play(
      [
        { at: 0, fault: "refund-rail-down", target: "gateway", forS: 100 },
        { at: 50, fault: "process-kill", target: "worker" },
      ],
      { signal: interrupt.signal, on: () => setTimeout(() => interrupt.abort(), 50) },
    );
    expect(unproved).toEqual([]);
    expect(faults).toHaveLength(1); // what had not begun is not begun
    expect(Number(faults[0]?.end_ns)).toBeGreaterThan(Number(faults[0]?.begin_ns));
    expect(monotonicNs() - began).toBeLessThan(50e9);
    expect([...active]).toEqual([]);
    await cancelledOrders(6);
    expect(await atRest()).toBe(true); // both rails pay again
  });

  test("a fault that waits for a job of the service comes when its share is done", async () => {
    const issue = {
      at: 0,
      operator: "issue",
      request: { campaign_id: "member-day", audience: "eligible", declared_audience: 20_000 },
    };
    const { faults, said } = await play([
      issue,
      {
        at: 0,
        fault: "no-fault",
        target: "worker",
        once: { job: "issue", doneShare: 1, withinS: 25 },
      },
    ]);
    expect(said).toContain("fault: no-fault on worker");
    expect(faults.map((one) => one.name)).toEqual(["issue", "no-fault"]);
    const { jobs } = await target.vitals();
    expect(jobs.find((job) => job.kind === "issue")).toMatchObject({ done: 20_000, total: 20_000 });
  });

  test("a fault on a service that is not there is said, and nothing is recorded", async () => {
    const { faults, said, unproved } = await play([
      { at: 0, fault: "process-kill", target: "warehouse" },
    ]);
    expect(said.join()).toMatch(/could not be injected: .*gateway, shop, sink, worker.*warehouse/);
    expect([faults, unproved]).toEqual([[], []]);
  });

  test("an undo that cannot be proved makes the run unsafe", async () => {
    const { unproved, faults } = await play(
      [{ at: 0, fault: "refund-rail-down", target: "gateway", forS: 1 }],
      { on: () => void target.kill("gateway") },
    );
    await until(() => !target.running("gateway"));
    expect(unproved.join()).toMatch(
      /refund-rail-down on gateway: expected the gateway to take the mode/,
    );
    expect(faults).toMatchObject([{ name: "refund-rail-down", end_ns: -1 }]);
  });
});
