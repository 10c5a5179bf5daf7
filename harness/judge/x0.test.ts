/** X0 as one verdict: its label, its figures, its matched pairs, and when it refuses to say anything. */
import { describe, expect, test } from "vitest";
import { uniform } from "../determinism/seed.ts";
import type { InvariantVerdict, X0Verdict } from "../history/run-folder.ts";
import { judged } from "./fixture.ts";
import {
  at,
  CANCEL,
  cancelOrder,
  crowd,
  drop,
  idOf,
  keepOrder,
  patch,
  row,
  withdrawal,
  type World,
} from "./withdrawal.fixture.ts";

async function x0Of(
  world: World,
  options: { drained?: boolean; absent?: readonly (keyof World)[]; judges?: string[] } = {},
): Promise<{ verdict: InvariantVerdict | undefined; x0: X0Verdict }> {
  const tables: Partial<World> = { ...world };
  for (const name of options.absent ?? []) delete tables[name];
  const result = await judged(tables, {
    only: ["X0"],
    drained: options.drained ?? null,
    judges: options.judges ?? [],
  });
  return { verdict: result.invariants.find((one) => one.id === "X0"), x0: result.x0 };
}

const none = { R1: 0, R2: 0, R3: 0, R4: 0, R5: 0, R6: 0, R7: 0 };

test("a correct withdrawal passes with index 0, entropy 0 and no pair", async () => {
  const { verdict, x0 } = await x0Of(withdrawal(), { judges: ["X0"] });
  expect(verdict).toMatchObject({ verdict: "pass", count: 0, possible: 0, because: null });
  expect(x0).toEqual({
    rules: none,
    label: "none",
    index_low: 0,
    index_high: 0,
    entropy: 0,
    matched_pairs: 0,
    cancelled: 3,
    without_rule: 0,
    pairs: [],
  });
});

describe("the label", () => {
  /** A batch that stopped half way: `rest` still listed in the open job. */
  const halted = (rest: readonly string[]): World => {
    const world = withdrawal();
    patch(world.jobs, (job) => job["id"] === "cancel", { end_seq: null });
    for (const id of rest) {
      keepOrder(world, id);
      world.job_items.push({ job_id: "cancel", order_id: id, done_seq: null });
    }
    return world;
  };

  test("unfinished: every difference is an order still listed in the open job; it fails all the same", async () => {
    const { verdict, x0 } = await x0Of(halted(["b"]));
    expect(verdict?.verdict).toBe("fail");
    expect(x0).toMatchObject({
      label: "unfinished",
      rules: { R3: 1, R4: 1, R5: 1 },
      index_low: 0,
      index_high: 1 / 5,
    });
  });

  test("unfinished: nobody was reached yet, so nobody differs", async () => {
    expect((await x0Of(halted(["a", "b", "c"]))).x0).toMatchObject({
      label: "unfinished",
      rules: { R3: 3 },
      matched_pairs: 0,
    });
  });

  test("the same batch of a service that was stopped: inconclusive, and the bounds show it", async () => {
    const { verdict, x0 } = await x0Of(halted(["b"]), { drained: false });
    expect(verdict?.verdict).toBe("inconclusive");
    expect(x0).toMatchObject({ label: "none", index_low: 0, index_high: 1 / 5 });
  });

  test("random: an order was kept and nothing is going to reach it", async () => {
    const world = withdrawal();
    keepOrder(world, "b");
    const { verdict, x0 } = await x0Of(world);
    expect(verdict?.verdict).toBe("fail");
    expect(x0).toMatchObject({
      label: "random",
      index_low: 1 / 5,
      matched_pairs: 2,
      cancelled: 2,
      without_rule: 0,
    });
  });

  test("random: everybody was cancelled alike, but under no rule", async () => {
    const world = withdrawal();
    patch(world.order_events, (event) => Number(event["version"]) > 2, { policy: null });
    expect((await x0Of(world)).x0).toMatchObject({
      label: "random",
      rules: { ...none, R1: 3 },
      cancelled: 3,
      without_rule: 3,
    });
  });
});

describe("when it cannot say", () => {
  test("cancels, and no policy was ever published: inconclusive, no policy declared", async () => {
    const world = withdrawal();
    world.policies.splice(0);
    world.policy_snapshots.splice(0);
    for (const options of [{}, { absent: ["policies", "policy_snapshots"] as const }]) {
      const { verdict, x0 } = await x0Of(world, options);
      expect(verdict?.verdict).toBe("inconclusive");
      expect(verdict?.because).toContain("no policy declared");
      expect(x0).toMatchObject({
        label: "none",
        index_low: null,
        cancelled: 3,
        without_rule: 3,
        pairs: [],
      });
    }
  });

  test("nothing was cancelled and nothing published: not exercised", async () => {
    const world = withdrawal();
    for (const id of ["a", "b", "c"]) keepOrder(world, id);
    world.policies.splice(0);
    expect((await x0Of(world)).verdict?.verdict).toBe("not-applicable");
    expect((await x0Of(world, { judges: ["X0"] })).verdict?.verdict).toBe("inconclusive");
  });

  test("less than half of the orders have an equal", async () => {
    const world = withdrawal();
    for (const [index, one] of world.policy_snapshots.entries())
      one["attributes"] = {
        coupon_campaign: index < 3 ? "member-day" : "none",
        status: "paid",
        seller: `s${index}`,
      };
    const { verdict } = await x0Of(world);
    expect(verdict?.verdict).toBe("inconclusive");
    expect(verdict?.because).toContain("only 0 % of 5 orders have an equal");
  });

  test.each([
    ["coupon_campaign == 'member-day'", "withdraw@1, scope, character 17: expected an operator"],
    [
      "campain = 'member-day'",
      "looks at the attribute campain, which no order of its snapshot has",
    ],
    ["", "withdraw@1 has no scope"],
  ])("a scope of %s", async (scope, because) => {
    const world = withdrawal();
    patch(world.policies, () => true, { scope });
    const { verdict } = await x0Of(world);
    expect(verdict?.verdict).toBe("inconclusive");
    expect(verdict?.because).toContain(because);
  });

  test("… but a cancel that names no policy is a violation whatever the scope says", async () => {
    const world = withdrawal();
    patch(world.policies, () => true, { scope: "" });
    patch(world.order_events, (event) => event["order_id"] === "a", { policy: null });
    expect((await x0Of(world)).verdict?.verdict).toBe("fail");
  });
});

describe("several policies", () => {
  /** A second policy, published later, that cancels the orders of seller s2: e, with d its neighbour. */
  const two = (): World => {
    const world = withdrawal();
    world.policies.push({
      policy: "brand-stop",
      version: 1,
      published_seq: 400,
      published_at_us: at(400),
      scope: "seller = 's2'",
      action: "cancel",
      coupon_action: "release",
      deadline_ms: 5_000,
    });
    for (const [id, seller] of [
      ["d", "s1"],
      ["e", "s2"],
      ["f", "s1"],
    ] as const) {
      world.policy_snapshots.push({
        policy: "brand-stop",
        version: 1,
        order_id: id,
        attributes: { coupon_campaign: "none", status: "paid", seller },
        snapshot_seq: 400,
      });
    }
    cancelOrder(world, "e");
    patch(
      world.order_events,
      (event) => event["order_id"] === "e" && Number(event["version"]) > 2,
      { policy: "brand-stop@1", seq: 410, at_us: at(410) },
    );
    patch(world.refunds, (refund) => refund["order_id"] === "e", { seq: 410 });
    patch(world.notifications, (notice) => notice["ref"] === "e", {
      event_seq: 410,
      at_us: at(410),
    });
    return world;
  };

  test("an order cancelled under the later policy is set aside under the earlier one that kept it", async () => {
    const { verdict, x0 } = await x0Of(two());
    expect(verdict).toMatchObject({ verdict: "pass", count: 0 });
    expect(x0).toMatchObject({ label: "none", cancelled: 4, without_rule: 0 });
  });

  test("a cancel that names none belongs to the latest policy it stands under", async () => {
    const world = two();
    patch(
      world.order_events,
      (event) => event["order_id"] === "e" && Number(event["version"]) > 2,
      { policy: null },
    );
    expect((await x0Of(world)).x0.rules).toEqual({ ...none, R1: 1 });
  });
});

describe("matched pairs", () => {
  const withAccounts = (): World =>
    crowd(80, ({ id, index, world }) => {
      const account = uniform(5, "account", index) < 0.6;
      row(world.members, "id", `user-${id}`)["has_refund_account"] = account;
      return index % 2 === 0 && account;
    });

  test("the refund account decided: it is named first, both sides are told whole, each order stands in one pair", async () => {
    const { verdict, x0 } = await x0Of(withAccounts());
    expect(verdict?.verdict).toBe("fail");
    expect(x0.label).toBe("random");
    expect(x0.pairs).toHaveLength(5);
    for (const pair of x0.pairs) {
      expect(pair.separates[0]).toEqual({
        fact: "refund account on file",
        left: "yes",
        right: "no",
      });
      expect(pair.left).toMatchObject({
        outcome: "cancelled",
        refund: "done",
        told: true,
        total: 43_005,
        coupon: "member-day",
        attributes: { coupon_campaign: "member-day", status: "paid", seller: "s1" },
      });
      expect(pair.right).toMatchObject({
        outcome: "kept",
        refund: "none due",
        told: false,
        total: 43_005,
        coupon: "member-day",
      });
      expect(pair.left.attributes).toEqual(pair.right.attributes);
      expect(pair.left.undeclared).toHaveProperty("place in the batch (by purchase)");
    }
    const orders = x0.pairs.flatMap((pair) => [pair.left.order_id, pair.right.order_id]);
    expect(new Set(orders).size).toBe(orders.length);
  });

  test("a batch that stopped after its first third: the place in the batch is named first", async () => {
    const world = crowd(90, ({ index }) => index % 2 === 0 && index < 30);
    for (const [index, one] of world.order_events.entries())
      if (idOf(one, "order_id").startsWith("n") && Number(one["version"]) < 3)
        one["seq"] = 20 + index / 100;
    for (const one of world.order_events) one["seq"] = Math.round(Number(one["seq"]));
    const { x0 } = await x0Of(world);
    expect(x0.pairs[0]?.separates[0]?.fact).toBe("place in the batch (by purchase)");
  });

  test("a batch that stopped half way and left out those without an account: each fact has its own pair, the cleanest first", async () => {
    const world = crowd(120, ({ id, index, world: all }) => {
      const account = uniform(5, "account", index) < 0.6;
      row(all.members, "id", `user-${id}`)["has_refund_account"] = account;
      return index % 2 === 0 && index < 60 && account;
    });
    for (const [index, one] of world.order_events.entries())
      if (idOf(one, "order_id").startsWith("n") && Number(one["version"]) < 3)
        one["seq"] = Math.round(20 + index / 100);
    const { x0 } = await x0Of(world);
    const first = x0.pairs.map((pair) => pair.separates[0]?.fact);
    expect(new Set(first)).toEqual(
      new Set(["refund account on file", "place in the batch (by purchase)"]),
    );
    expect(x0.pairs.map((pair) => pair.separates)).toContainEqual([
      { fact: "refund account on file", left: "yes", right: "no" },
    ]);
    const lengths = x0.pairs.map((pair) => pair.separates.length);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  });

  test("shipping after the decision is a consequence and separates nobody; shipping before it does", async () => {
    const world = withAccounts();
    for (const one of world.orders.filter((order) => order["status"] === "paid")) {
      one["status"] = "shipped";
      world.order_events.push({
        order_id: idOf(one),
        version: 3,
        seq: CANCEL + 50,
        at_us: at(CANCEL + 50),
        from_status: "paid",
        to_status: "shipped",
        actor: "operator",
        reason: "shipped",
      });
    }
    const { x0 } = await x0Of(world);
    expect(x0.pairs[0]?.right.outcome).toBe("kept and shipped");
    expect(x0.pairs.flatMap((pair) => pair.separates.map((one) => one.fact))).not.toContain(
      "shipped before the first cancel",
    );
  });

  test("an attribute that no snapshot declares can be the separator", async () => {
    const world = crowd(60, ({ index }) => index % 4 === 0);
    for (const [index, one] of world.orders
      .filter((order) => idOf(order).startsWith("n"))
      .entries()) {
      one["attributes"] = {
        coupon_campaign: index % 2 === 0 ? "member-day" : "none",
        status: "paid",
        seller: "s1",
        payment_rail: index % 4 === 0 ? "card" : "transfer",
      };
    }
    const { x0 } = await x0Of(world);
    expect(x0.pairs[0]?.separates[0]).toEqual({
      fact: "payment rail",
      left: "card",
      right: "transfer",
    });
  });

  test("without members, payments, items or operations there are still pairs", async () => {
    const world = withAccounts();
    drop(world.order_events, () => false);
    const { x0 } = await x0Of(world, {
      absent: [
        "members",
        "payments",
        "notifications",
        "compensations",
        "coupons",
        "coupon_events",
        "jobs",
        "job_items",
        "books",
      ],
    });
    expect(x0.pairs.length).toBeGreaterThan(0);
  });
});
