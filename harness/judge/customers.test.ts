/** X1 notice, X2 equal compensation, X3 complete audit over literal books: what breaks, what stays open, what only looks wrong. */
import { describe, expect, test } from "vitest";
import { judged } from "./fixture.ts";
import {
  at,
  cancelByCustomer,
  CANCEL,
  COMPENSATE,
  drop,
  keepOrder,
  patch,
  row,
  withdrawal,
  type World,
} from "./withdrawal.fixture.ts";

type Verdict = "pass" | "fail" | "inconclusive" | "not-applicable";
interface Options {
  readonly drained?: boolean;
  readonly without?: readonly string[];
  readonly absent?: readonly (keyof World)[];
}
type Case = readonly [
  what: string,
  bend: (world: World) => void,
  expected: Verdict,
  about?: RegExp,
  options?: Options,
];

async function verdict(
  id: string,
  bend: (world: World) => void,
  options: Options,
): Promise<{ verdict: string; text: string }> {
  const world = withdrawal();
  bend(world);
  const tables: Partial<World> = { ...world };
  for (const name of options.absent ?? []) delete tables[name];
  const result = await judged(tables, {
    only: [id],
    drained: options.drained ?? null,
    ...(options.without === undefined ? {} : { without: options.without }),
  });
  const found = result.invariants[0];
  const rows = result.rows.get(id) ?? [];
  return {
    verdict: found?.verdict ?? "none",
    text: [
      ...rows.map(
        (one) => `${String(one["certainty"])} ${String(one["subject"])}: ${String(one["detail"])}`,
      ),
      found?.because ?? "",
    ].join("\n"),
  };
}

function cases(id: string, list: readonly Case[]): void {
  for (const [what, bend, expected, about, options] of list) {
    test(`${id}: ${what}`, async () => {
      const found = await verdict(id, bend, options ?? {});
      expect(found.verdict, found.text).toBe(expected);
      if (about !== undefined) expect(found.text).toMatch(about);
    });
  }
}

const ofOrder =
  (id: string) =>
  (one: Record<string, unknown>): boolean =>
    one["ref_kind"] === "order" && one["ref"] === id;

/** An unused coupon that the withdrawal recalled, and its notice. */
function recalledCoupon(world: World, told = true): void {
  world.coupons.push({
    id: "unused",
    campaign_id: "member-day",
    user_id: "user-z",
    amount: 10_000,
    status: "recalled",
  });
  world.jobs.push({
    id: "recall",
    kind: "recall",
    actor: "operator",
    policy: "withdraw@1",
    end_seq: 115,
  });
  world.coupon_events.push(
    {
      coupon_id: "unused",
      seq: 1,
      version: 1,
      at_us: at(1),
      from_status: null,
      to_status: "issued",
      actor: "job",
      job_id: "issue",
      reason: "member day",
    },
    {
      coupon_id: "unused",
      seq: 110,
      version: 2,
      at_us: at(110),
      from_status: "issued",
      to_status: "recalled",
      actor: "job",
      job_id: "recall",
      reason: "withdrawn",
      policy: "withdraw@1",
    },
  );
  if (told)
    world.notifications.push({
      id: "told-unused",
      user_id: "user-z",
      ref_kind: "coupon",
      ref: "unused",
      event_seq: 110,
      template: "coupon-recalled",
      reason: "withdrawn",
      seq: 3,
      at_us: at(110) + 200_000,
    });
}

describe("X1: everyone hit is told, once, with the reason, in time", () => {
  cases("X1", [
    ["the correct withdrawal", recalledCoupon, "pass"],
    [
      "a cancel nobody was told of",
      (w) => drop(w.notifications, ofOrder("a")),
      "fail",
      /definite a: cancel: nobody was told/,
    ],
    [
      "a recall nobody was told of",
      (w) => recalledCoupon(w, false),
      "fail",
      /definite unused: recall: nobody was told/,
    ],
    [
      "a compensation nobody was told of",
      (w) => drop(w.notifications, (n) => n["ref"] === "sorry-a"),
      "fail",
      /definite a: compensation: nobody was told/,
    ],
    [
      "a hold nobody was told of",
      (w) =>
        void w.order_events.push({
          order_id: "d",
          seq: 300,
          version: 3,
          at_us: at(300),
          from_status: "paid",
          to_status: "held",
          actor: "operator",
          reason: "review",
          policy: "withdraw@1",
        }),
      "fail",
      /definite d: hold: nobody was told/,
    ],
    [
      "told twice",
      (w) => void w.notifications.push({ ...row(w.notifications, "id", "told-a"), id: "again" }),
      "fail",
      /told 2 times/,
    ],
    [
      "told twice, by messages that name no event",
      (w) => {
        patch(w.notifications, ofOrder("a"), { event_seq: null });
        w.notifications.push({ ...row(w.notifications, "id", "told-a"), id: "again" });
      },
      "fail",
      /told 2 times/,
    ],
    [
      "without a reason",
      (w) => patch(w.notifications, ofOrder("a"), { reason: " " }),
      "fail",
      /without a reason/,
    ],
    [
      "somebody else was told",
      (w) => patch(w.notifications, ofOrder("a"), { user_id: "user-b" }),
      "fail",
      /somebody else was told/,
    ],
    [
      "told 10.5 s later, 10 s are allowed",
      (w) => patch(w.notifications, ofOrder("a"), { at_us: at(CANCEL) + 10_500_000 }),
      "fail",
      /told after 10500 ms/,
    ],
    [
      "two different messages, neither names its event",
      (w) => {
        patch(w.notifications, ofOrder("a"), { event_seq: null });
        w.notifications.push({
          ...row(w.notifications, "id", "told-a"),
          id: "other",
          template: "order-news",
        });
      },
      "inconclusive",
      /possible a: .*perhaps told 2 times/,
    ],
    [
      "the service had not drained",
      (w) => drop(w.notifications, ofOrder("a")),
      "inconclusive",
      /had not drained/,
      { drained: false },
    ],
    [
      "messages were not exported",
      () => undefined,
      "not-applicable",
      /notifications/,
      { absent: ["notifications"] },
    ],
    [
      "late, but in time",
      (w) => patch(w.notifications, ofOrder("a"), { at_us: at(CANCEL) + 9_900_000 }),
      "pass",
    ],
    [
      "late by the clock of another host: not comparable",
      (w) => {
        patch(w.books, (b) => b["book"] === "sink", { clock: "elsewhere" });
        patch(w.notifications, ofOrder("a"), { at_us: at(CANCEL) + 99_000_000 });
      },
      "pass",
    ],
    [
      "the deadline was still running when the books were read",
      (w) => {
        drop(w.notifications, ofOrder("a"));
        patch(w.books, () => true, { read_at_us: at(CANCEL) + 9_000_000 });
      },
      "pass",
    ],
    [
      "an order confirmation is another message",
      (w) =>
        void w.notifications.push({
          id: "thanks",
          user_id: "user-a",
          ref_kind: "order",
          ref: "a",
          event_seq: 10,
          template: "order-placed",
          reason: "order",
          seq: 0,
          at_us: at(11),
        }),
      "pass",
    ],
    [
      "… also when it names no event but came before",
      (w) =>
        void w.notifications.push({
          id: "thanks",
          user_id: "user-a",
          ref_kind: "order",
          ref: "a",
          event_seq: null,
          template: "order-placed",
          reason: "order",
          seq: 0,
          at_us: at(11),
        }),
      "pass",
    ],
    [
      "the refund may say so itself, it shares the cancel's notice",
      (w) =>
        void w.notifications.push({
          id: "money",
          user_id: "user-a",
          ref_kind: "refund",
          ref: "a",
          event_seq: 125,
          template: "refunded",
          reason: "refund",
          seq: 4,
          at_us: at(130),
        }),
      "pass",
    ],
    [
      "a compensation told by naming its coupon",
      (w) =>
        patch(w.notifications, (n) => n["ref"] === "sorry-a", {
          ref_kind: "coupon",
          ref: "gift-a",
        }),
      "pass",
    ],
    ["a customer's own cancel needs no notice", (w) => cancelByCustomer(w, "a", 50), "pass"],
  ]);
});

describe("X2: what the policy promises, once", () => {
  const sorry =
    (id: string) =>
    (one: Record<string, unknown>): boolean =>
      one["order_id"] === id;
  cases("X2", [
    ["the correct withdrawal, 10 % rounded down", () => undefined, "pass"],
    [
      "rounded up",
      (w) => patch(w.compensations, sorry("a"), { amount: 4_301 }),
      "fail",
      /definite a: got 4301; withdraw@1 promises 4300/,
    ],
    [
      "nothing",
      (w) => drop(w.compensations, sorry("a")),
      "fail",
      /got nothing; withdraw@1 promises 4300/,
    ],
    [
      "twice",
      (w) => void w.compensations.push({ ...row(w.compensations, "id", "sorry-a"), id: "again" }),
      "fail",
      /got 8600 in 2 parts/,
    ],
    [
      "to another customer",
      (w) => patch(w.compensations, sorry("a"), { user_id: "user-b" }),
      "fail",
      /went to another customer/,
    ],
    [
      "flat, but one got the rate",
      (w) => patch(w.policies, () => true, { compensation: "flat:5000" }),
      "fail",
      /got 4300; withdraw@1 promises 5000/,
    ],
    [
      "a capture nobody knows of",
      (w) => {
        w.payments.push({
          id: "second",
          order_id: "a",
          kind: "capture",
          amount: 43_005,
          result: "unknown",
          seq: 12,
          at_us: at(12),
        });
        patch(w.compensations, sorry("a"), { amount: 8_601 });
      },
      "inconclusive",
      /possible a/,
    ],
    [
      "a promise nobody can read",
      (w) => patch(w.policies, () => true, { compensation: "a nice mug" }),
      "inconclusive",
      /nobody can say what withdraw@1 promises \(a nice mug\)/,
    ],
    [
      "the service had not come to rest",
      (w) => drop(w.compensations, sorry("a")),
      "inconclusive",
      /possible a/,
      { drained: false },
    ],
    [
      "compensations were not exported",
      () => undefined,
      "not-applicable",
      /compensations/,
      { absent: ["compensations"] },
    ],
    [
      "flat",
      (w) => {
        patch(w.policies, () => true, { compensation: "flat:5000" });
        patch(w.compensations, () => true, { amount: 5_000 });
      },
      "pass",
    ],
    [
      "a rate with decimals, rounded down",
      (w) => {
        patch(w.policies, () => true, { compensation: "rate:2.5%" });
        patch(w.compensations, () => true, { amount: 1_075 });
      },
      "pass",
    ],
    [
      "nothing was promised",
      (w) => {
        patch(w.policies, () => true, { compensation: null });
        w.compensations.splice(0);
      },
      "not-applicable",
      /not exercised/,
    ],
    ["who cancelled for himself gets nothing", (w) => cancelByCustomer(w, "a", 50), "pass"],
    ["who was kept gets nothing", (w) => keepOrder(w, "a"), "pass"],
  ]);
});

describe("X3: the trail answers who, why and under which rule", () => {
  const event =
    (order: string, version: number) =>
    (one: Record<string, unknown>): boolean =>
      one["order_id"] === order && one["version"] === version;
  cases("X3", [
    ["the correct withdrawal", recalledCoupon, "pass"],
    [
      "a change by nobody",
      (w) => patch(w.order_events, event("d", 2), { actor: null }),
      "fail",
      /definite d: to paid: nobody says who/,
    ],
    [
      "a change without a reason",
      (w) =>
        patch(w.coupon_events, (e) => e["coupon_id"] === "coupon-a" && e["version"] === 2, {
          reason: "",
        }),
      "fail",
      /coupon-a: to used: nobody says why/,
    ],
    [
      "a system's cancel without a policy",
      (w) => patch(w.order_events, event("a", 4), { policy: null }),
      "fail",
      /a: to cancelled: under no policy@version/,
    ],
    [
      "a policy without its version",
      (w) => patch(w.order_events, event("a", 4), { policy: "withdraw" }),
      "fail",
      /\("withdraw"\)/,
    ],
    [
      "a recall without a policy",
      (w) => {
        recalledCoupon(w);
        patch(w.coupon_events, (e) => e["to_status"] === "recalled", { policy: null });
      },
      "fail",
      /unused: to recalled: under no policy/,
    ],
    [
      "a compensation's coupon without a policy",
      (w) => patch(w.coupon_events, (e) => e["coupon_id"] === "gift-a", { policy: null }),
      "fail",
      /gift-a: to issued: under no policy/,
    ],
    [
      "a status changed behind the trail's back",
      (w) => patch(w.orders, (o) => o["id"] === "d", { status: "shipped" }),
      "fail",
      /definite d: it is shipped, its trail ends at paid/,
    ],
    [
      "a missing version",
      (w) => drop(w.order_events, event("a", 3)),
      "fail",
      /versions are missing: 3 of 4/,
    ],
    [
      "a version twice",
      (w) => patch(w.order_events, event("a", 4), { version: 3 }),
      "fail",
      /stands twice/,
    ],
    [
      "an order without a trail",
      (w) => drop(w.order_events, (e) => e["order_id"] === "d"),
      "fail",
      /d: no change of it is in the trail/,
    ],
    [
      "a trail without its beginning",
      (w) => drop(w.order_events, event("d", 1)),
      "fail",
      /starts at version 2/,
    ],
    [
      "no versions at all",
      (w) => patch(w.order_events, (e) => e["order_id"] === "d", { version: null }),
      "inconclusive",
      /possible d: its changes carry no version/,
    ],
    [
      "the audit trail of coupons has no reasons to export",
      (w) => recalledCoupon(w),
      "pass",
      /coupon_events\(reason\)/,
      { without: ["coupon_events.reason"] },
    ],
    [
      "commits out of order: versions decide",
      (w) => {
        patch(w.order_events, event("a", 4), { seq: CANCEL - 1 });
        w.order_events.splice(0, Infinity, ...w.order_events.toReversed());
      },
      "pass",
    ],
    ["a customer's cancel needs no policy", (w) => cancelByCustomer(w, "a", 50), "pass"],
    [
      "versions that start at 5 with the creation",
      (w) => {
        for (const one of w.order_events) one["version"] = Number(one["version"]) + 4;
      },
      "pass",
    ],
    [
      "a void of a cancelled order's coupon needs no policy of its own",
      (w) =>
        patch(w.coupon_events, (e) => e["to_status"] === "void", { policy: null, seq: COMPENSATE }),
      "pass",
    ],
  ]);
});
