/**
 * Literal books of one correct withdrawal, small enough to read: orders a, b, c used the withdrawn coupon and were
 * cancelled, refunded, told and compensated; d and e did not and are kept; f came after the snapshot. Tests break or
 * bend one thing each.
 */
import type { LiteralRow, Tables } from "./fixture.ts";

type MutableRow = Record<string, LiteralRow[string]>;
export type World = Record<keyof typeof EMPTY, MutableRow[]>;

const EMPTY = {
  books: [],
  members: [],
  orders: [],
  order_events: [],
  policies: [],
  policy_snapshots: [],
  jobs: [],
  job_items: [],
  payments: [],
  refunds: [],
  notifications: [],
  compensations: [],
  coupons: [],
  coupon_events: [],
  deadlines: [],
} satisfies Tables;

const T0_US = 1_700_000_000_000_000;
/** Commits are 10 ms apart: none of them concurrent unless a test says so. */
export const at = (seq: number): number => T0_US + seq * 10_000;

export const PUBLISHED = 100;
export const CANCEL = 120;
export const COMPENSATE = 140;
const READ_US = at(PUBLISHED) + 60_000_000;

const attributes = (campaign: string): Record<string, string> => ({
  coupon_campaign: campaign,
  status: "paid",
  seller: "s1",
});

function placeOrder(world: World, id: string, seq: number, campaign: "member-day" | "none"): void {
  const coupon = campaign === "none" ? null : `coupon-${id}`;
  const total = coupon === null ? 53_005 : 43_005;
  world.members.push({ id: `user-${id}`, name: id, has_refund_account: true });
  world.orders.push({
    id,
    intent: `intent-${id}`,
    user_id: `user-${id}`,
    seller: "s1",
    coupon_id: coupon,
    items_total: 50_005,
    discount: coupon === null ? 0 : 10_000,
    fee: 3_000,
    total,
    captured: total,
    refunded: 0,
    status: "paid",
    attributes: attributes(campaign),
  });
  world.order_events.push(
    {
      order_id: id,
      seq,
      version: 1,
      at_us: at(seq),
      from_status: null,
      to_status: "pending",
      actor: "customer",
      reason: "order",
    },
    {
      order_id: id,
      seq: seq + 1,
      version: 2,
      at_us: at(seq + 1),
      from_status: "pending",
      to_status: "paid",
      actor: "gateway",
      reason: "captured",
    },
  );
  world.payments.push({
    id: `capture-${id}`,
    order_id: id,
    kind: "capture",
    amount: total,
    result: "ok",
    seq,
    at_us: at(seq + 1),
  });
  if (coupon !== null) useCoupon(world, id, coupon, seq);
}

function useCoupon(world: World, id: string, coupon: string, seq: number): void {
  world.coupons.push({
    id: coupon,
    campaign_id: "member-day",
    user_id: `user-${id}`,
    amount: 10_000,
    status: "used",
  });
  world.coupon_events.push(
    {
      coupon_id: coupon,
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
      coupon_id: coupon,
      seq,
      version: 2,
      at_us: at(seq),
      from_status: "issued",
      to_status: "used",
      actor: "customer",
      reason: "order",
      order_id: id,
    },
  );
}

/** Cancels one order as the policy says, with all its effects. */
export function cancelOrder(world: World, id: string): void {
  const order = row(world.orders, "id", id);
  const total = Number(order["captured"]);
  order["status"] = "cancelled";
  const step = {
    seq: CANCEL,
    at_us: at(CANCEL),
    actor: "job",
    job_id: "cancel",
    reason: "coupon withdrawn",
    policy: "withdraw@1",
  };
  world.order_events.push(
    { order_id: id, version: 3, from_status: "paid", to_status: "cancelling", ...step },
    { order_id: id, version: 4, from_status: "cancelling", to_status: "cancelled", ...step },
  );
  world.job_items.push({ job_id: "cancel", order_id: id, done_seq: CANCEL });
  world.refunds.push({
    order_id: id,
    amount: total,
    state: "done",
    seq: CANCEL,
    at_us: at(CANCEL),
  });
  world.payments.push({
    id: `refund-${id}`,
    parent_id: `capture-${id}`,
    order_id: id,
    kind: "refund",
    amount: total,
    result: "ok",
    seq: 900,
    at_us: at(CANCEL) + 50_000,
  });
  world.notifications.push({
    id: `told-${id}`,
    user_id: order["user_id"],
    ref_kind: "order",
    ref: id,
    event_seq: CANCEL,
    template: "order-cancelled",
    reason: "the coupon was withdrawn",
    seq: 1,
    at_us: at(CANCEL) + 300_000,
  });
  compensate(world, id, order["user_id"], Math.floor(total / 10));
  if (typeof order["coupon_id"] !== "string") return;
  row(world.coupons, "id", order["coupon_id"])["status"] = "void";
  world.coupon_events.push({
    coupon_id: order["coupon_id"],
    version: 3,
    from_status: "used",
    to_status: "void",
    order_id: id,
    ...step,
  });
}

function compensate(world: World, id: string, user: MutableRow[string], amount: number): void {
  world.compensations.push({
    id: `sorry-${id}`,
    user_id: user,
    order_id: id,
    coupon_id: `gift-${id}`,
    amount,
    seq: COMPENSATE,
  });
  world.notifications.push({
    id: `told-sorry-${id}`,
    user_id: user,
    ref_kind: "compensation",
    ref: `sorry-${id}`,
    event_seq: COMPENSATE,
    template: "compensation",
    reason: "an apology",
    seq: 2,
    at_us: at(COMPENSATE) + 300_000,
  });
  world.coupons.push({
    id: `gift-${id}`,
    campaign_id: "sorry",
    user_id: user,
    amount,
    status: "issued",
  });
  world.coupon_events.push({
    coupon_id: `gift-${id}`,
    seq: COMPENSATE,
    version: 1,
    at_us: at(COMPENSATE),
    from_status: null,
    to_status: "issued",
    actor: "job",
    job_id: "compensate",
    reason: "apology",
    policy: "withdraw@1",
    order_id: id,
  });
}

/** Takes a cancel back out of the books, effects and all: the order was simply kept. */
export function keepOrder(world: World, id: string): void {
  const order = row(world.orders, "id", id);
  order["status"] = "paid";
  drop(world.order_events, (e) => e["order_id"] === id && Number(e["version"]) > 2);
  drop(world.job_items, (e) => e["order_id"] === id);
  drop(world.refunds, (e) => e["order_id"] === id);
  drop(world.payments, (e) => e["id"] === `refund-${id}`);
  drop(world.notifications, (e) => e["ref"] === id || e["ref"] === `sorry-${id}`);
  drop(world.compensations, (e) => e["order_id"] === id);
  drop(world.coupons, (e) => e["id"] === `gift-${id}`);
  drop(
    world.coupon_events,
    (e) =>
      e["coupon_id"] === `gift-${id}` ||
      (e["coupon_id"] === order["coupon_id"] && e["version"] === 3),
  );
  if (typeof order["coupon_id"] === "string")
    row(world.coupons, "id", order["coupon_id"])["status"] = "used";
}

/** The order as its own customer cancelled it, before anyone withdrew anything. */
export function cancelByCustomer(world: World, id: string, seq: number): void {
  keepOrder(world, id);
  row(world.orders, "id", id)["status"] = "cancelled";
  world.order_events.push({
    order_id: id,
    version: 3,
    seq,
    at_us: at(seq),
    from_status: "paid",
    to_status: "cancelled",
    actor: "customer",
    reason: "changed my mind",
  });
}

export function drop(rows: MutableRow[], which: (row: MutableRow) => boolean): void {
  rows.splice(0, rows.length, ...rows.filter((one) => !which(one)));
}

/** The one row with that value. */
export function row(rows: readonly MutableRow[], column: string, value: string): MutableRow {
  const found = rows.find((one) => one[column] === value);
  if (found === undefined) throw new Error(`no row has ${column} = ${value}`);
  return found;
}

/** A row's id, in words. */
export function idOf(one: MutableRow, column = "id"): string {
  const id = one[column];
  if (typeof id !== "string") throw new Error(`${column} of a row must be a text`);
  return id;
}

/** Changes every row that matches. */
export function patch(
  rows: readonly MutableRow[],
  which: (row: MutableRow) => boolean,
  change: MutableRow,
): void {
  const hit = rows.filter(which);
  if (hit.length === 0) throw new Error("a test's change hit no row");
  for (const one of hit) Object.assign(one, change);
}

/** Adds the order to the snapshot, with the attributes it has now. */
export function snapshot(world: World, id: string): void {
  world.policy_snapshots.push({
    policy: "withdraw",
    version: 1,
    order_id: id,
    attributes: { ...(row(world.orders, "id", id)["attributes"] as Record<string, string>) },
    snapshot_seq: PUBLISHED,
  });
}

/** The correct books. */
export function withdrawal(): World {
  const world: World = structuredClone(EMPTY);
  for (const book of ["shop", "gateway", "sink"])
    world.books.push({
      book,
      clock: "host",
      seq_quality: "exact",
      drained: true,
      read_seq: 999,
      read_at_us: READ_US,
    });
  world.deadlines.push(
    { entity: "notice", status: null, ms: 10_000 },
    { entity: "refund", status: "requested", ms: 10_000 },
  );
  for (const [id, kind, end] of [
    ["issue", "issue", 2],
    ["cancel", "cancel", 130],
    ["compensate", "compensate", 150],
  ] as const) {
    world.jobs.push({
      id,
      kind,
      actor: "operator",
      policy: kind === "issue" ? null : "withdraw@1",
      end_seq: end,
    });
  }
  for (const [index, id] of ["a", "b", "c"].entries())
    placeOrder(world, id, 10 + 2 * index, "member-day");
  for (const [index, id] of ["d", "e"].entries()) placeOrder(world, id, 30 + 2 * index, "none");
  world.policies.push({
    policy: "withdraw",
    version: 1,
    published_seq: PUBLISHED,
    published_at_us: at(PUBLISHED),
    snapshot_seq: PUBLISHED,
    scope: "coupon_campaign = 'member-day' and status in ('paid', 'held')",
    action: "cancel",
    carve_outs: null,
    coupon_action: "void",
    deadline_ms: 5_000,
    compensation: "rate:10%",
  });
  for (const id of ["a", "b", "c", "d", "e"]) snapshot(world, id);
  placeOrder(world, "f", 200, "none");
  for (const id of ["a", "b", "c"]) cancelOrder(world, id);
  return world;
}

/** The same withdrawal over many orders: `decide` says which of the in-scope ones are cancelled. */
export function crowd(
  size: number,
  decide: (order: { id: string; index: number; world: World }) => boolean,
): World {
  const world = withdrawal();
  for (let index = 0; index < size; index++) {
    const id = `n${String(index).padStart(4, "0")}`;
    placeOrder(world, id, 10 + (index % 40), index % 2 === 0 ? "member-day" : "none");
    snapshot(world, id);
    if (decide({ id, index, world })) cancelOrder(world, id);
  }
  return world;
}
