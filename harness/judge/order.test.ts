/** The order invariants over literal tiny histories: each violated, kept, undecided, and kept by a history that looks odd. */
import { expect, it } from "vitest";
import { verdictOf, type LiteralRow, type Tables } from "./fixture.ts";

interface Case {
  readonly id: string;
  readonly is: "pass" | "fail" | "inconclusive" | "not-applicable";
  readonly when: string;
  readonly tables: Tables;
  readonly count?: number;
  readonly without?: readonly string[];
}

const order = (id: string, status: string, more: LiteralRow = {}): LiteralRow => ({
  id,
  intent: `i${id}`,
  user_id: `u${id}`,
  items_total: 1000,
  discount: 0,
  fee: 0,
  total: 1000,
  captured: status === "failed" || status === "pending" ? 0 : 1000,
  refunded: status === "cancelled" ? 1000 : 0,
  status,
  ...more,
});
const op = (
  intent: string,
  outcome: string,
  order_id: string | null,
  more: LiteralRow = {},
): LiteralRow => ({
  intent,
  process: "1.1.0",
  attempt: 1,
  kind: "order",
  outcome,
  request: { user_id: "u1", items: [{ sku: "s", qty: 1 }] },
  response: order_id === null ? {} : { order_id, total: 1000 },
  ...more,
});
const ev = (
  order_id: string,
  version: number | null,
  ms: number,
  from_status: string | null,
  to_status: string,
  more: LiteralRow = {},
): LiteralRow => ({
  order_id,
  version,
  seq: ms,
  at_us: ms * 1000,
  from_status,
  to_status,
  actor: "customer",
  ...more,
});
const paid = (id: string, kind = "capture", result = "ok", more: LiteralRow = {}): LiteralRow => ({
  id: `${kind}-${id}-${result}`,
  order_id: id,
  kind,
  amount: 1000,
  result,
  seq: 1,
  at_us: 1000,
  ...more,
});

const O1: Case[] = [
  {
    id: "O1",
    is: "fail",
    when: "an acknowledged order is not in the books",
    count: 1,
    tables: { orders: [order("1", "paid")], ops: [op("i1", "ok", "1"), op("i2", "ok", "2")] },
  },
  {
    id: "O1",
    is: "fail",
    when: "the answer named no order and the key is in no book",
    tables: { orders: [order("1", "paid")], ops: [op("i1", "ok", "1"), op("i2", "ok", null)] },
  },
  {
    id: "O1",
    is: "fail",
    when: "an intent refused each time stands as a live order",
    count: 1,
    tables: {
      orders: [order("1", "paid")],
      ops: [op("i1", "fail", null), op("i1", "fail", null, { attempt: 2 })],
    },
  },
  {
    id: "O1",
    is: "fail",
    when: "a refused intent was charged though its order failed",
    tables: {
      orders: [order("1", "failed")],
      payments: [paid("1")],
      ops: [op("i1", "fail", null)],
    },
  },
  {
    id: "O1",
    is: "fail",
    when: "a refused intent was charged and left no order",
    tables: {
      orders: [order("2", "paid")],
      payments: [paid("1", "capture", "ok", { order_id: null, merchant_ref: "i1" })],
      ops: [op("i1", "fail", null)],
    },
  },
  {
    id: "O1",
    is: "pass",
    when: "every acknowledged order is there",
    tables: {
      orders: [order("1", "paid"), order("2", "cancelled")],
      ops: [op("i1", "ok", "1"), op("i2", "ok", "2")],
    },
  },
  {
    id: "O1",
    is: "pass",
    when: "one order is acknowledged twice",
    tables: {
      orders: [order("1", "paid")],
      ops: [op("i1", "ok", "1"), op("i1", "ok", "1", { attempt: 2 })],
    },
  },
  {
    id: "O1",
    is: "pass",
    when: "a declined order stands as failed",
    tables: {
      orders: [order("1", "failed")],
      payments: [paid("1", "capture", "declined")],
      ops: [op("i1", "fail", null)],
    },
  },
  {
    id: "O1",
    is: "pass",
    when: "one attempt was refused, an unknown one took effect",
    tables: {
      orders: [order("1", "paid"), order("2", "paid")],
      ops: [op("i1", "info", null), op("i1", "fail", null, { attempt: 2 }), op("i2", "ok", "2")],
    },
  },
  {
    id: "O1",
    is: "pass",
    when: "a refused intent's capture was given back",
    tables: {
      orders: [order("1", "failed")],
      payments: [paid("1"), paid("1", "refund")],
      ops: [op("i1", "fail", null)],
    },
  },
  {
    id: "O1",
    is: "pass",
    when: "the refused intent left nothing",
    tables: { orders: [order("2", "paid")], ops: [op("i1", "fail", null)] },
  },
  {
    id: "O1",
    is: "inconclusive",
    when: "the gateway does not know whether it charged the refused order",
    tables: {
      orders: [order("1", "failed")],
      payments: [paid("1", "capture", "unknown")],
      ops: [op("i1", "fail", null)],
    },
  },
  {
    id: "O1",
    is: "inconclusive",
    when: "the service had not drained",
    tables: { orders: [], ops: [op("i1", "ok", "1")], books: [{ book: "shop", drained: false }] },
  },
  {
    id: "O1",
    is: "not-applicable",
    when: "every order is unknown",
    tables: { orders: [order("1", "paid")], ops: [op("i1", "info", null)] },
  },
  {
    id: "O1",
    is: "not-applicable",
    when: "the orders have no intent column",
    without: ["orders.intent"],
    tables: { orders: [order("1", "paid")], ops: [op("i1", "ok", "1")] },
  },
];

const other = { user_id: "u1", items: [{ sku: "t", qty: 9 }] };
const O2: Case[] = [
  {
    id: "O2",
    is: "fail",
    when: "one intent has two orders",
    count: 1,
    tables: { orders: [order("1", "paid"), order("2", "paid", { intent: "i1" })] },
  },
  {
    id: "O2",
    is: "fail",
    when: "a key used with another body was accepted",
    tables: {
      orders: [order("1", "paid")],
      ops: [op("i1", "ok", "1"), op("i1", "ok", "1", { attempt: 2, request: other })],
    },
  },
  {
    id: "O2",
    is: "pass",
    when: "a retried key gives the same order",
    tables: {
      orders: [order("1", "paid")],
      ops: [
        op("i1", "info", null),
        op("i1", "ok", "1", { attempt: 2 }),
        op("i1", "ok", "1", { attempt: 3 }),
      ],
    },
  },
  {
    id: "O2",
    is: "pass",
    when: "the other body was refused",
    tables: {
      orders: [order("1", "paid")],
      ops: [
        op("i1", "ok", "1"),
        op("i1", "fail", null, { attempt: 2, request: other, error: "key_reused" }),
      ],
    },
  },
  {
    id: "O2",
    is: "pass",
    when: "orders without an intent stand beside it",
    tables: {
      orders: [
        order("1", "paid"),
        order("2", "paid", { intent: null }),
        order("3", "paid", { intent: null }),
      ],
    },
  },
  {
    id: "O2",
    is: "inconclusive",
    when: "nobody knows what became of the other body",
    tables: {
      orders: [order("1", "paid")],
      ops: [op("i1", "ok", "1"), op("i1", "info", null, { attempt: 2, request: other })],
    },
  },
  {
    id: "O2",
    is: "not-applicable",
    when: "no order has an intent",
    tables: { orders: [order("2", "paid", { intent: null })] },
  },
];

const item = (order_id: string, qty: number, price: number): LiteralRow => ({
  order_id,
  sku: "s",
  qty,
  price,
});
const O3: Case[] = [
  {
    id: "O3",
    is: "fail",
    when: "the total is not what it is made of",
    count: 1,
    tables: { orders: [order("1", "paid", { total: 900 })] },
  },
  {
    id: "O3",
    is: "fail",
    when: "the items are worth something else",
    tables: { orders: [order("1", "paid")], order_items: [item("1", 2, 400)] },
  },
  {
    id: "O3",
    is: "fail",
    when: "the total is negative",
    tables: { orders: [order("1", "paid", { discount: 1500, total: -500 })] },
  },
  {
    id: "O3",
    is: "fail",
    when: "the discount is more than the coupon gives",
    tables: {
      orders: [order("1", "paid", { coupon_id: "k", discount: 500, total: 500 })],
      coupons: [{ id: "k", amount: 100 }],
    },
  },
  {
    id: "O3",
    is: "fail",
    when: "the coupon's discount was not given",
    tables: {
      orders: [order("1", "paid", { coupon_id: "k" })],
      coupons: [{ id: "k", amount: 100 }],
    },
  },
  {
    id: "O3",
    is: "fail",
    when: "a discount came from no coupon",
    tables: {
      orders: [order("1", "paid", { discount: 100, total: 900 })],
      coupons: [{ id: "k", amount: 100 }],
    },
  },
  {
    id: "O3",
    is: "pass",
    when: "items, discount and fee add up",
    tables: {
      orders: [order("1", "paid", { coupon_id: "k", discount: 100, fee: 50, total: 950 })],
      coupons: [{ id: "k", amount: 100 }],
      order_items: [item("1", 1, 400), item("1", 2, 300)],
    },
  },
  {
    id: "O3",
    is: "pass",
    when: "the coupon is worth more than the order",
    tables: {
      orders: [order("1", "paid", { coupon_id: "k", discount: 1000, total: 0 })],
      coupons: [{ id: "k", amount: 5000 }],
    },
  },
  {
    id: "O3",
    is: "pass",
    when: "fee and discount are empty",
    tables: { orders: [order("1", "paid", { discount: null, fee: null })] },
  },
  {
    id: "O3",
    is: "not-applicable",
    when: "no order has a total",
    tables: { orders: [order("1", "paid", { total: null })] },
  },
];

const k = (status: string, id = "k"): LiteralRow => ({
  id,
  code: id,
  campaign_id: "c",
  user_id: "u1",
  amount: 100,
  status,
});
const ce = (
  version: number,
  from_status: string | null,
  to_status: string,
  order_id: string | null = null,
): LiteralRow => ({
  coupon_id: "k",
  seq: version * 10,
  version,
  at_us: version * 10_000,
  from_status,
  to_status,
  order_id,
});
const policy = (coupon_action: string): LiteralRow => ({
  policy: "withdraw",
  version: 1,
  coupon_action,
});
const cancelled = ev("1", 3, 50, "paid", "cancelled", { actor: "job", policy: "withdraw@1" });
const O4: Case[] = [
  {
    id: "O4",
    is: "fail",
    when: "two live orders use one coupon",
    count: 1,
    tables: {
      coupons: [k("used")],
      orders: [order("1", "paid", { coupon_id: "k" }), order("2", "shipped", { coupon_id: "k" })],
    },
  },
  {
    id: "O4",
    is: "fail",
    when: "the only order of a used coupon is cancelled",
    count: 1,
    tables: { coupons: [k("used")], orders: [order("1", "cancelled", { coupon_id: "k" })] },
  },
  {
    id: "O4",
    is: "fail",
    when: "a live order's coupon was recalled over it",
    tables: { coupons: [k("recalled")], orders: [order("1", "paid", { coupon_id: "k" })] },
  },
  {
    id: "O4",
    is: "fail",
    when: "a live order names a coupon that does not exist",
    tables: { coupons: [k("issued", "x")], orders: [order("1", "held", { coupon_id: "k" })] },
  },
  {
    id: "O4",
    is: "fail",
    when: "the policy voids, the cancel released",
    tables: {
      coupons: [k("released")],
      orders: [order("1", "cancelled", { coupon_id: "k" })],
      order_events: [cancelled],
      policies: [policy("void")],
      coupon_events: [
        ce(1, null, "issued"),
        ce(2, "issued", "used", "1"),
        ce(3, "used", "released", "1"),
      ],
    },
  },
  {
    id: "O4",
    is: "fail",
    when: "the policy releases, the cancel voided",
    tables: {
      coupons: [k("void")],
      orders: [order("1", "cancelled", { coupon_id: "k" })],
      order_events: [cancelled],
      policies: [policy("release")],
      coupon_events: [
        ce(1, null, "issued"),
        ce(2, "issued", "used", "1"),
        ce(3, "used", "void", "1"),
      ],
    },
  },
  {
    id: "O4",
    is: "pass",
    when: "used by one live order, issued by none",
    tables: {
      coupons: [k("used"), k("issued", "x")],
      orders: [order("1", "cancelling", { coupon_id: "k" }), order("2", "paid")],
    },
  },
  {
    id: "O4",
    is: "pass",
    when: "a pending order holds it as reserved",
    tables: { coupons: [k("reserved")], orders: [order("1", "pending", { coupon_id: "k" })] },
  },
  {
    id: "O4",
    is: "pass",
    when: "released by a cancel and used by the next order",
    tables: {
      coupons: [k("used")],
      orders: [order("1", "cancelled", { coupon_id: "k" }), order("2", "paid", { coupon_id: "k" })],
      order_events: [cancelled],
      policies: [policy("release")],
      coupon_events: [
        ce(1, null, "issued"),
        ce(2, "issued", "used", "1"),
        ce(3, "used", "released", "1"),
        ce(4, "released", "used", "2"),
      ],
    },
  },
  {
    id: "O4",
    is: "pass",
    when: "released by a cancel and then recalled",
    tables: {
      coupons: [k("recalled")],
      orders: [order("1", "cancelled", { coupon_id: "k" })],
      order_events: [cancelled],
      policies: [policy("release")],
      coupon_events: [
        ce(1, null, "issued"),
        ce(2, "issued", "used", "1"),
        ce(3, "used", "released", "1"),
        ce(4, "released", "recalled"),
      ],
    },
  },
  {
    id: "O4",
    is: "pass",
    when: "a customer's own cancel released it under no policy",
    tables: {
      coupons: [k("released")],
      orders: [order("1", "cancelled", { coupon_id: "k" })],
      order_events: [ev("1", 3, 50, "paid", "cancelled")],
      policies: [policy("void")],
    },
  },
  {
    id: "O4",
    is: "inconclusive",
    when: "void where the policy releases, and the coupon's history is not in the books",
    tables: {
      coupons: [k("void")],
      orders: [order("1", "cancelled", { coupon_id: "k" })],
      order_events: [cancelled],
      policies: [policy("release")],
    },
  },
  {
    id: "O4",
    is: "not-applicable",
    when: "no coupon was ever used",
    tables: { coupons: [k("issued")], orders: [order("1", "paid")] },
  },
];

const declared: LiteralRow[] = [
  { entity: "order", from_status: null, to_status: "pending", terminal: false },
  { entity: "order", from_status: "pending", to_status: "paid", terminal: false },
  { entity: "order", from_status: "paid", to_status: "shipped", terminal: true },
  { entity: "order", from_status: "paid", to_status: "cancelled", terminal: true },
  { entity: "coupon", from_status: null, to_status: "issued", terminal: false },
  { entity: "coupon", from_status: "issued", to_status: "recalled", terminal: true },
];
const born = [ev("1", 1, 10, null, "pending"), ev("1", 2, 20, "pending", "paid")];
const O5: Case[] = [
  {
    id: "O5",
    is: "fail",
    when: "a change is not declared",
    count: 1,
    tables: {
      transitions: declared,
      order_events: [ev("1", 1, 10, null, "pending"), ev("1", 2, 20, "pending", "shipped")],
    },
  },
  {
    id: "O5",
    is: "fail",
    when: "an order leaves a terminal status",
    tables: {
      transitions: declared,
      order_events: [
        ...born,
        ev("1", 3, 30, "paid", "cancelled"),
        ev("1", 4, 40, "cancelled", "paid"),
      ],
    },
  },
  {
    id: "O5",
    is: "fail",
    when: "two changes both started from paid",
    tables: {
      transitions: declared,
      order_events: [
        ...born,
        ev("1", 3, 30, "paid", "shipped"),
        ev("1", 4, 40, "paid", "cancelled"),
      ],
    },
  },
  {
    id: "O5",
    is: "fail",
    when: "a coupon's change is not declared",
    tables: {
      transitions: declared,
      order_events: born,
      coupon_events: [{ coupon_id: "k", seq: 1, version: 1, from_status: null, to_status: "used" }],
    },
  },
  {
    id: "O5",
    is: "fail",
    when: "creation in a status that is not declared",
    tables: { transitions: declared, order_events: [ev("1", 1, 10, null, "paid")] },
  },
  {
    id: "O5",
    is: "pass",
    when: "all changes are declared, in any order of rows and of seq",
    tables: {
      transitions: declared,
      order_events: [
        ev("1", 3, 20, "paid", "shipped"),
        ev("1", 2, 21, "pending", "paid"),
        ev("1", 1, 10, null, "pending"),
      ],
    },
  },
  {
    id: "O5",
    is: "pass",
    when: "a flag was set without a change of status",
    tables: {
      transitions: declared,
      order_events: [
        ...born,
        ev("1", 3, 30, "paid", "paid", { reason: "shipping hold" }),
        ev("1", 4, 40, "paid", "cancelled"),
      ],
    },
  },
  {
    id: "O5",
    is: "inconclusive",
    when: "two changes without versions are concurrent",
    tables: {
      transitions: declared,
      order_events: [ev("1", null, 20, "pending", "paid"), ev("1", null, 20, null, "pending")],
    },
  },
  {
    id: "O5",
    is: "not-applicable",
    when: "nothing is declared",
    tables: { transitions: [], order_events: born },
  },
];

const wish = (kind: string, outcome: string, order_id: string, status: string): LiteralRow => ({
  intent: `${kind}-${order_id}`,
  process: "1.1.0",
  attempt: 1,
  kind,
  outcome,
  request: { order_id },
  response: outcome === "ok" ? { status } : { error: status },
});
const O8: Case[] = [
  {
    id: "O8",
    is: "fail",
    when: "a cancel commits after the shipping",
    count: 1,
    tables: {
      order_events: [
        ...born,
        ev("1", 3, 30, "paid", "shipped"),
        ev("1", 4, 40, "shipped", "cancelled"),
      ],
    },
  },
  {
    id: "O8",
    is: "fail",
    when: "by version the cancel came later, though it stands earlier by seq",
    tables: {
      order_events: [
        ...born,
        ev("1", 4, 30, "shipped", "cancelled"),
        ev("1", 3, 40, "paid", "shipped"),
      ],
    },
  },
  {
    id: "O8",
    is: "fail",
    when: "a cancelled order is shipped",
    tables: {
      order_events: [
        ...born,
        ev("1", 3, 30, "paid", "cancelled"),
        ev("1", 4, 40, "cancelled", "shipped"),
      ],
    },
  },
  {
    id: "O8",
    is: "fail",
    when: "the customer was told cancelled, and it was shipped",
    tables: {
      order_events: [...born, ev("1", 3, 30, "paid", "shipped")],
      ops: [wish("cancel", "ok", "1", "cancelled")],
    },
  },
  {
    id: "O8",
    is: "fail",
    when: "shipping was told shipped, and it was cancelled",
    tables: {
      order_events: [...born, ev("1", 3, 30, "paid", "cancelled")],
      ops: [wish("ship", "ok", "1", "shipped")],
    },
  },
  {
    id: "O8",
    is: "pass",
    when: "the cancel came too late and was refused",
    tables: {
      order_events: [...born, ev("1", 3, 30, "paid", "shipped")],
      ops: [wish("cancel", "fail", "1", "already_shipped")],
    },
  },
  {
    id: "O8",
    is: "pass",
    when: "one was cancelled, another shipped",
    tables: {
      order_events: [
        ...born,
        ev("1", 3, 30, "paid", "cancelled"),
        ev("2", 3, 30, "paid", "shipped"),
      ],
      ops: [wish("cancel", "ok", "1", "cancelled")],
    },
  },
  {
    id: "O8",
    is: "pass",
    when: "a cancel that had begun gave way to the parcel, and a message said so",
    tables: {
      order_events: [
        ...born,
        ev("1", 3, 30, "paid", "cancelling"),
        ev("1", 4, 40, "cancelling", "shipped"),
      ],
      ops: [wish("cancel", "ok", "1", "cancelling")],
      notifications: [
        { id: "n", user_id: "u1", ref_kind: "order", ref: "1", reason: "already shipped" },
      ],
    },
  },
  {
    id: "O8",
    is: "inconclusive",
    when: "cancel and shipping have no versions and are concurrent",
    tables: {
      order_events: [
        ...born,
        ev("1", null, 30, "paid", "shipped"),
        ev("1", null, 30, "paid", "cancelled"),
      ],
    },
  },
  {
    id: "O8",
    is: "not-applicable",
    when: "nothing was cancelled or shipped",
    tables: { order_events: born },
  },
];

const limits: LiteralRow[] = [
  { entity: "order", status: "pending", ms: 100 },
  { entity: "order", status: "held", ms: 100 },
  { entity: "notice", status: null, ms: 1 },
];
const readAt = (ms: number): LiteralRow[] => [
  { book: "shop", clock: "host", seq_quality: "exact", drained: true, read_at_us: ms * 1000 },
];
const O9: Case[] = [
  {
    id: "O9",
    is: "fail",
    when: "an order is still pending long after its deadline",
    count: 1,
    tables: {
      deadlines: limits,
      order_events: [ev("1", 1, 10, null, "pending")],
      books: readAt(500),
    },
  },
  {
    id: "O9",
    is: "fail",
    when: "it was held too long, though it went on",
    tables: {
      deadlines: limits,
      order_events: [...born, ev("1", 3, 30, "paid", "held"), ev("1", 4, 200, "held", "paid")],
      books: readAt(500),
    },
  },
  {
    id: "O9",
    is: "fail",
    when: "nobody says when the books were read: they are at rest",
    tables: { deadlines: limits, order_events: [ev("1", 1, 10, null, "pending")] },
  },
  {
    id: "O9",
    is: "fail",
    when: "a note on the pending order does not start its time anew",
    tables: {
      deadlines: limits,
      order_events: [
        ev("1", 1, 10, null, "pending"),
        ev("1", 2, 90, "pending", "pending"),
        ev("1", 3, 180, "pending", "paid"),
      ],
      books: readAt(500),
    },
  },
  {
    id: "O9",
    is: "pass",
    when: "every status was left in time",
    tables: {
      deadlines: limits,
      order_events: [...born, ev("1", 3, 30, "paid", "held"), ev("1", 4, 130, "held", "paid")],
      books: readAt(500),
    },
  },
  {
    id: "O9",
    is: "pass",
    when: "its deadline had not come when the books were read",
    tables: {
      deadlines: limits,
      order_events: [ev("1", 1, 10, null, "pending")],
      books: readAt(90),
    },
  },
  {
    id: "O9",
    is: "pass",
    when: "it rests as paid for ever",
    tables: { deadlines: limits, order_events: born, books: readAt(9000) },
  },
  {
    id: "O9",
    is: "inconclusive",
    when: "it was left within a millisecond of the deadline",
    tables: {
      deadlines: limits,
      order_events: [
        ev("1", 1, 10, null, "pending"),
        ev("1", 2, 110, "pending", "paid", { at_us: 110_400 }),
      ],
      books: readAt(500),
    },
  },
  {
    id: "O9",
    is: "inconclusive",
    when: "the books do not say since when it is pending",
    tables: {
      deadlines: limits,
      orders: [order("2", "pending")],
      order_events: born,
      books: readAt(500),
    },
  },
  {
    id: "O9",
    is: "inconclusive",
    when: "the service had not drained",
    tables: {
      deadlines: limits,
      order_events: [ev("1", 1, 10, null, "pending")],
      books: [{ book: "shop", drained: false, read_at_us: 500_000 }],
    },
  },
  {
    id: "O9",
    is: "not-applicable",
    when: "no deadline is declared for orders",
    tables: { deadlines: [{ entity: "notice", status: null, ms: 1 }], order_events: born },
  },
];

it.concurrent.each([...O1, ...O2, ...O3, ...O4, ...O5, ...O8, ...O9])(
  "$id is $is when $when",
  async ({ id, is, tables, count, without }) => {
    const verdict = await verdictOf(id, tables, without === undefined ? {} : { without });
    expect({ verdict: verdict.verdict, because: verdict.because }).toEqual({
      verdict: is,
      because: verdict.because,
    });
    if (count !== undefined) expect(verdict.count).toBe(count);
    if (is === "fail")
      expect(Object.keys(verdict.witness ?? {}), "a fail has a witness").not.toEqual([]);
  },
);
