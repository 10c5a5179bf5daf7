/** X0's seven rules over literal books: what breaks each, what leaves it open, and what only looks wrong. */
import { describe, expect, test } from "vitest";
import { judged } from "./fixture.ts";
import {
  at,
  cancelByCustomer,
  CANCEL,
  cancelOrder,
  drop,
  keepOrder,
  patch,
  PUBLISHED,
  row,
  withdrawal,
  type World,
} from "./withdrawal.fixture.ts";

type Expected = "pass" | "fail" | "inconclusive";
type Case = readonly [
  what: string,
  bend: (world: World) => void,
  expected: Expected,
  about?: RegExp,
  drained?: boolean,
];

/** Judges one rule and says what its rows say. */
async function rule(
  id: string,
  bend: (world: World) => void,
  drained: boolean | null = null,
): Promise<{ verdict: string; text: string }> {
  const world: World = withdrawal();
  bend(world);
  const tables: Partial<World> = world;
  for (const [name, rows] of Object.entries(world))
    if (rows.length === 1 && rows[0]?.["absent"] === true) delete tables[name as keyof World];
  const result = await judged(tables, { only: [id], drained });
  const verdict = result.invariants[0];
  const rows = result.rows.get(id) ?? [];
  return {
    verdict: verdict?.verdict ?? "none",
    text: [
      ...rows.map(
        (one) => `${String(one["certainty"])} ${String(one["subject"])}: ${String(one["detail"])}`,
      ),
      verdict?.because ?? "",
    ].join("\n"),
  };
}

/** The table was never exported. */
const without =
  (table: keyof World) =>
  (world: World): void =>
    void world[table].splice(0, Infinity, { absent: true });
const steps =
  (order: string, to?: string) =>
  (one: Record<string, unknown>): boolean =>
    one["order_id"] === order &&
    Number(one["version"]) > 2 &&
    (to === undefined || one["to_status"] === to);

function cases(id: string, list: readonly Case[]): void {
  for (const [what, bend, expected, about, drained] of list) {
    test(`${id}: ${what}`, async () => {
      const found = await rule(id, bend, drained ?? null);
      expect(found.verdict, found.text).toBe(expected);
      if (about !== undefined) expect(found.text).toMatch(about);
    });
  }
}

describe("R1: every cancel names one published policy", () => {
  cases("X0-R1", [
    ["the correct withdrawal", () => undefined, "pass"],
    [
      "a cancel that names nothing",
      (w) => patch(w.order_events, steps("a"), { policy: null }),
      "fail",
      /definite a: cancel: names no policy/,
    ],
    [
      "a policy nobody published",
      (w) => patch(w.order_events, steps("a"), { policy: "panic@1" }),
      "fail",
      /panic@1, which was never published/,
    ],
    [
      "two policies at once",
      (w) => patch(w.order_events, steps("a", "cancelled"), { policy: "other@1" }),
      "fail",
      /several policies: other@1, withdraw@1/,
    ],
    [
      "an order outside the snapshot",
      (w) => cancelOrder(w, "f"),
      "fail",
      /f: cancel: the order is not in the snapshot/,
    ],
    [
      "published only afterwards",
      (w) => patch(w.policies, () => true, { published_seq: 130, published_at_us: at(130) }),
      "fail",
      /published only afterwards/,
    ],
    [
      "a cancel by the gateway of a paid order",
      (w) => patch(w.order_events, steps("a"), { actor: "gateway", job_id: null }),
      "fail",
      /neither an operator nor a job/,
    ],
    [
      "a job no operator started",
      (w) => patch(w.jobs, (j) => j["id"] === "cancel", { actor: "gateway" }),
      "fail",
      /neither an operator nor a job/,
    ],
    [
      "a hold without a policy",
      (w) =>
        void w.order_events.push({
          order_id: "d",
          seq: 125,
          version: 3,
          at_us: at(125),
          from_status: "paid",
          to_status: "held",
          actor: "operator",
          reason: "?",
        }),
      "fail",
      /d: hold: names no policy/,
    ],
    [
      "publication and cancel in one commit",
      (w) => patch(w.policies, () => true, { published_seq: CANCEL, published_at_us: at(CANCEL) }),
      "inconclusive",
      /possible a: .* at the same moment/,
    ],
    [
      "the jobs were not exported",
      without("jobs"),
      "inconclusive",
      /who started the job is not in the books/,
    ],
    [
      "a cancelled order without any audit event",
      (w) => drop(w.order_events, steps("a")),
      "inconclusive",
      /nobody knows by whom/,
    ],
    [
      "an operator without a job",
      (w) => patch(w.order_events, steps("a"), { actor: "operator", job_id: null }),
      "pass",
    ],
    ["a customer's own cancel names no policy", (w) => cancelByCustomer(w, "a", 50), "pass"],
    [
      "a customer's cancel that a job carries out",
      (w) => {
        patch(w.order_events, steps("a"), { policy: null });
        patch(w.order_events, steps("a", "cancelling"), { actor: "customer", job_id: null });
      },
      "pass",
    ],
    [
      "an unpaid order that a job lets expire",
      (w) =>
        void w.order_events.push({
          order_id: "f",
          seq: 210,
          version: 9,
          at_us: at(210),
          from_status: "pending",
          to_status: "cancelled",
          actor: "job",
          reason: "never paid",
        }),
      "pass",
    ],
    [
      "events in another order of rows",
      (w) => void w.order_events.splice(0, Infinity, ...w.order_events.toReversed()),
      "pass",
    ],
  ]);
});

describe("R2: only what is in scope", () => {
  cases("X0-R2", [
    ["the correct withdrawal", () => undefined, "pass"],
    [
      "an order out of scope, although it names the policy",
      (w) => cancelOrder(w, "d"),
      "fail",
      /definite d: cancelled, yet out of scope of withdraw@1/,
    ],
    [
      "an order out of scope whose cancel names nothing",
      (w) => {
        cancelOrder(w, "d");
        patch(w.order_events, steps("d"), { policy: null });
      },
      "fail",
      /definite d/,
    ],
    [
      "the snapshot lacks the attribute for this order",
      (w) => {
        patch(w.policies, () => true, { scope: "coupon_campaign ≠ 'none'" });
        patch(w.policy_snapshots, (s) => s["order_id"] === "a", { attributes: { status: "paid" } });
      },
      "inconclusive",
      /possible a: .* nobody can say/,
    ],
    [
      "the final row changed after the snapshot",
      (w) => patch(w.orders, (o) => o["id"] === "a", { attributes: { coupon_campaign: "none" } }),
      "pass",
    ],
    ["a customer out of scope cancels by himself", (w) => cancelByCustomer(w, "d", 150), "pass"],
  ]);
});

const late =
  (ms: number) =>
  (w: World): void =>
    patch(w.order_events, steps("a"), { seq: 700, at_us: at(PUBLISHED) + ms * 1000 });
const cancelling = (w: World): void => {
  keepOrder(w, "b");
  row(w.orders, "id", "b")["status"] = "cancelling";
  w.order_events.push({
    order_id: "b",
    version: 3,
    seq: CANCEL,
    at_us: at(CANCEL),
    from_status: "paid",
    to_status: "cancelling",
    actor: "job",
    job_id: "cancel",
    reason: "withdrawn",
    policy: "withdraw@1",
  });
};

describe("R3: everyone in scope, by the deadline", () => {
  cases("X0-R3", [
    ["the correct withdrawal", () => undefined, "pass"],
    [
      "one in scope was kept",
      (w) => keepOrder(w, "b"),
      "fail",
      /definite b: in scope of withdraw@1, yet paid/,
    ],
    [
      "one in scope was shipped",
      (w) => {
        keepOrder(w, "b");
        row(w.orders, "id", "b")["status"] = "shipped";
      },
      "fail",
      /yet shipped/,
    ],
    [
      "one was cancelled 5.5 s after publication, 5 s are allowed",
      late(5_500),
      "fail",
      /definite a: .* 500 ms after its deadline/,
    ],
    ["within 1 ms of the deadline nobody can tell", late(5_000.5), "inconclusive", /possible a/],
    [
      "still cancelling when the service was stopped",
      cancelling,
      "inconclusive",
      /possible b/,
      false,
    ],
    [
      "still cancelling although all had come to rest",
      cancelling,
      "fail",
      /definite b: .* yet cancelling/,
    ],
    [
      "the books were read before the deadline",
      (w) => {
        keepOrder(w, "b");
        patch(w.books, () => true, { read_at_us: at(PUBLISHED) + 4_000_000 });
      },
      "inconclusive",
      /possible b/,
    ],
    ["late, but in time", late(4_900), "pass"],
    ["its own customer cancelled first", (w) => cancelByCustomer(w, "b", 50), "pass"],
    [
      "it was never paid",
      (w) => {
        keepOrder(w, "b");
        row(w.orders, "id", "b")["status"] = "failed";
      },
      "pass",
    ],
    [
      "it is carved out",
      (w) => {
        keepOrder(w, "b");
        patch(w.policies, () => true, { carve_outs: "seller = 's9'" });
        patch(w.policy_snapshots, (s) => s["order_id"] === "b", {
          attributes: { coupon_campaign: "member-day", status: "paid", seller: "s9" },
        });
      },
      "pass",
    ],
  ]);
});

describe("R4: like alike", () => {
  cases("X0-R4", [
    ["the correct withdrawal", () => undefined, "pass"],
    [
      "two equals cancelled, one kept",
      (w) => keepOrder(w, "b"),
      "fail",
      /definite b: unlike its 2 equals under withdraw@1: kept/,
    ],
    [
      "one of the cancelled got no money",
      (w) => {
        drop(w.refunds, (r) => r["order_id"] === "b");
        drop(w.payments, (p) => p["id"] === "refund-b");
      },
      "fail",
      /definite b: .* money back 0 %/,
    ],
    ["one was not told", (w) => drop(w.notifications, (n) => n["ref"] === "b"), "fail", /not told/],
    [
      "one of the kept was compensated",
      (w) => void w.compensations.push({ id: "x", user_id: "user-d", order_id: "d", amount: 5 }),
      "fail",
      /compensated/,
    ],
    [
      "held instead of cancelled",
      (w) => {
        keepOrder(w, "b");
        row(w.orders, "id", "b")["status"] = "held";
        w.order_events.push({
          order_id: "b",
          version: 3,
          seq: CANCEL,
          at_us: at(CANCEL),
          from_status: "paid",
          to_status: "held",
          actor: "operator",
          reason: "?",
          policy: "withdraw@1",
        });
      },
      "fail",
      /held/,
    ],
    [
      "a refund still under way",
      (w) => {
        patch(w.refunds, (r) => r["order_id"] === "b", { state: "requested" });
        drop(w.payments, (p) => p["id"] === "refund-b");
      },
      "inconclusive",
      /possible b/,
    ],
    [
      "the refund waits for an account, all the money is parked",
      (w) => {
        patch(w.refunds, (r) => r["order_id"] === "b", { state: "awaiting_account" });
        drop(w.payments, (p) => p["id"] === "refund-b");
      },
      "pass",
    ],
    [
      "the kept one had another seller: no equal",
      (w) => {
        keepOrder(w, "b");
        patch(w.policy_snapshots, (s) => s["order_id"] === "b", {
          attributes: { coupon_campaign: "member-day", status: "paid", seller: "s9" },
        });
      },
      "pass",
    ],
    [
      "a number no comparison looks at makes no class",
      (w) =>
        patch(w.policy_snapshots, (s) => s["order_id"] === "b", {
          attributes: { coupon_campaign: "member-day", status: "paid", seller: "s1", total: 7 },
        }),
      "pass",
    ],
    [
      "later orders are set aside",
      (w) => {
        cancelOrder(w, "f");
      },
      "pass",
    ],
  ]);
});

describe("R5: recomputable from the snapshot", () => {
  cases("X0-R5", [
    ["the correct withdrawal", () => undefined, "pass"],
    [
      "a carved-out order was cancelled",
      (w) =>
        patch(w.policies, () => true, {
          carve_outs: "coupon_campaign = 'member-day' and seller = 's1'",
        }),
      "fail",
      /definite a: by withdraw@1 it should be kept \(carved out\); it is cancelled/,
    ],
    [
      "an order in scope was kept",
      (w) => keepOrder(w, "a"),
      "fail",
      /should be cancelled; it is paid/,
    ],
    [
      "still cancelling when the service was stopped",
      cancelling,
      "inconclusive",
      /possible b/,
      false,
    ],
    [
      "a policy that only recalls coupons leaves orders alone",
      (w) => {
        for (const id of ["a", "b", "c"]) keepOrder(w, id);
        patch(w.policies, () => true, { action: "recall" });
      },
      "pass",
    ],
    [
      "a policy that holds",
      (w) => {
        patch(w.policies, () => true, { action: "hold" });
        for (const id of ["a", "b", "c"]) {
          keepOrder(w, id);
          row(w.orders, "id", id)["status"] = "held";
          w.order_events.push({
            order_id: id,
            version: 3,
            seq: CANCEL,
            at_us: at(CANCEL),
            from_status: "paid",
            to_status: "held",
            actor: "operator",
            reason: "review",
            policy: "withdraw@1",
          });
        }
      },
      "pass",
    ],
  ]);
});

describe("R6: effects are whole", () => {
  const noRefund = (w: World): void => drop(w.payments, (p) => p["id"] === "refund-a");
  cases("X0-R6", [
    ["the correct withdrawal", () => undefined, "pass"],
    [
      "no money back",
      (w) => {
        noRefund(w);
        drop(w.refunds, (r) => r["order_id"] === "a");
      },
      "fail",
      /definite a: 43005 of 43005 not refunded/,
    ],
    [
      "money back only requested, long past its deadline",
      (w) => {
        noRefund(w);
        patch(w.refunds, (r) => r["order_id"] === "a", { state: "requested" });
      },
      "fail",
      /only requested/,
    ],
    [
      "refunded twice",
      (w) =>
        void w.payments.push({
          id: "again",
          order_id: "a",
          kind: "refund",
          amount: 43_005,
          result: "ok",
          seq: 901,
          at_us: at(130),
        }),
      "fail",
      /86010 given back of 43005/,
    ],
    [
      "not told",
      (w) => drop(w.notifications, (n) => n["ref"] === "a"),
      "fail",
      /its customer was not told/,
    ],
    [
      "told before, but not of the cancel",
      (w) => patch(w.notifications, (n) => n["ref"] === "a", { event_seq: 11 }),
      "fail",
      /not told/,
    ],
    [
      "not compensated",
      (w) => drop(w.compensations, (c) => c["order_id"] === "a"),
      "fail",
      /not compensated: 4300 was promised/,
    ],
    [
      "compensated one won too much",
      (w) => patch(w.compensations, (c) => c["order_id"] === "a", { amount: 4_301 }),
      "fail",
      /compensated with 4301/,
    ],
    [
      "its coupon stays used",
      (w) => drop(w.coupon_events, (e) => e["coupon_id"] === "coupon-a" && e["version"] === 3),
      "fail",
      /coupon was not voided/,
    ],
    [
      "its coupon released where the policy voids",
      (w) =>
        patch(w.coupon_events, (e) => e["coupon_id"] === "coupon-a" && e["version"] === 3, {
          to_status: "released",
        }),
      "fail",
      /coupon was not voided/,
    ],
    [
      "shipped before",
      (w) => {
        w.order_events.push({
          order_id: "a",
          version: 3,
          seq: 90,
          at_us: at(90),
          from_status: "paid",
          to_status: "shipped",
          actor: "operator",
          reason: "shipped",
        });
        patch(w.order_events, (e) => e["order_id"] === "a" && e["seq"] === CANCEL, { version: 4 });
      },
      "fail",
      /shipped before it was cancelled/,
    ],
    [
      "the gateway never answered the refund",
      (w) => patch(w.payments, (p) => p["id"] === "refund-a", { result: "unknown" }),
      "inconclusive",
      /possible a/,
    ],
    [
      "the refund's deadline was still running",
      (w) => {
        noRefund(w);
        patch(w.refunds, (r) => r["order_id"] === "a", { state: "requested" });
        patch(w.books, () => true, { read_at_us: at(CANCEL) + 9_000_000 });
      },
      "pass",
    ],
    [
      "waits for an account",
      (w) => {
        noRefund(w);
        patch(w.refunds, (r) => r["order_id"] === "a", { state: "awaiting_account" });
      },
      "pass",
    ],
    [
      "nobody exported the messages: nothing is asked of them",
      without("notifications"),
      "pass",
      /judged without notifications/,
    ],
    [
      "a coupon released as the policy says",
      (w) => {
        patch(w.policies, () => true, { coupon_action: "release" });
        patch(w.coupon_events, (e) => e["version"] === 3, { to_status: "released" });
      },
      "pass",
    ],
  ]);
});

describe("R7: no flapping", () => {
  const back = (
    seq: number,
    version: number | null,
    to: string,
  ): Record<string, string | number | null> => ({
    order_id: "a",
    seq,
    version,
    at_us: at(seq),
    from_status: "cancelled",
    to_status: to,
    actor: "operator",
    reason: "sorry",
  });
  const hold = (version: number, to: string): Record<string, string | number> => ({
    order_id: "d",
    seq: 300 + version,
    version,
    at_us: at(300 + version),
    from_status: "paid",
    to_status: to,
    actor: "operator",
    reason: "review",
    policy: "withdraw@1",
  });
  cases("X0-R7", [
    ["the correct withdrawal", () => undefined, "pass"],
    [
      "cancelled and back",
      (w) => void w.order_events.push(back(160, 5, "paid")),
      "fail",
      /definite a: from cancelled back to paid/,
    ],
    [
      "held, let go, held again",
      (w) => void w.order_events.push(hold(3, "held"), hold(4, "paid"), hold(5, "held")),
      "fail",
      /from paid back to held/,
    ],
    [
      "nobody can say which came first",
      (w) => {
        w.order_events.push(back(CANCEL, null, "paid"));
        patch(w.order_events, steps("a"), { version: null });
      },
      "inconclusive",
      /possible a/,
    ],
    [
      "a hold that is lifted once",
      (w) => void w.order_events.push(hold(3, "held"), hold(4, "paid")),
      "pass",
    ],
    [
      "seq of one order's events swapped: its versions decide",
      (w) => {
        patch(w.order_events, steps("a", "cancelling"), { seq: CANCEL + 1 });
      },
      "pass",
    ],
    [
      "its own customer is not the system",
      (w) => {
        cancelByCustomer(w, "a", 50);
        w.order_events.push({ ...back(60, 4, "paid"), actor: "customer" });
      },
      "pass",
    ],
  ]);
});
