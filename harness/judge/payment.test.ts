/** The payment invariants over literal tiny histories: each violated, kept, undecided, and kept by a history that looks odd. */
import { expect, it } from "vitest";
import { verdictOf, type LiteralRow, type Tables } from "./fixture.ts";

interface Case {
  readonly id: string;
  readonly is: "pass" | "fail" | "inconclusive" | "not-applicable";
  readonly when: string;
  readonly tables: Tables;
  readonly count?: number;
}

const order = (
  id: string,
  status: string,
  captured: number,
  refunded: number,
  more: LiteralRow = {},
): LiteralRow => ({
  id,
  intent: `i${id}`,
  user_id: `u${id}`,
  total: 1000,
  captured,
  refunded,
  status,
  ...more,
});
let serial = 0;
/** One row of the gateway's ledger at `ms`; ids are serial unless given. */
const pay = (
  order_id: string | null,
  kind: string,
  amount: number,
  ms: number,
  more: LiteralRow = {},
): LiteralRow => ({
  id: `p${++serial}`,
  order_id,
  kind,
  amount,
  result: "ok",
  seq: ms,
  at_us: ms * 1000,
  ...more,
});
const auth = (order_id: string): LiteralRow =>
  pay(order_id, "authorize", 1000, 9, { id: `a${order_id}` });
const unknown = { result: "unknown" };
const end = (order_id: string, ms: number, to_status = "cancelled"): LiteralRow => ({
  order_id,
  version: 3,
  seq: ms,
  at_us: ms * 1000,
  from_status: "paid",
  to_status,
  actor: "job",
});
const books = (ms: number, gatewayClock = "host"): LiteralRow[] => [
  { book: "shop", clock: "host", seq_quality: "exact", drained: true, read_at_us: ms * 1000 },
  {
    book: "gateway",
    clock: gatewayClock,
    seq_quality: "exact",
    drained: true,
    read_at_us: ms * 1000,
  },
];

const P1: Case[] = [
  {
    id: "P1",
    is: "fail",
    when: "an order is captured twice",
    count: 1,
    tables: { payments: [pay("1", "capture", 1000, 10), pay("1", "capture", 1000, 20)] },
  },
  {
    id: "P1",
    is: "fail",
    when: "three captures and one refund leave two",
    tables: {
      payments: [
        pay("1", "capture", 1000, 10),
        pay("1", "capture", 1000, 20),
        pay("1", "capture", 1000, 30),
        pay("1", "refund", 1000, 40),
      ],
    },
  },
  {
    id: "P1",
    is: "fail",
    when: "the second capture is given back in part only",
    tables: {
      payments: [
        pay("1", "capture", 1000, 10, { id: "c1" }),
        pay("1", "capture", 1000, 20, { id: "c2" }),
        pay("1", "refund", 400, 30, { parent_id: "c2" }),
      ],
    },
  },
  {
    id: "P1",
    is: "fail",
    when: "both captures name the order by its key alone",
    tables: {
      orders: [order("1", "paid", 1000, 0)],
      payments: [
        pay(null, "capture", 1000, 10, { merchant_ref: "i1" }),
        pay("1", "capture", 1000, 20),
      ],
    },
  },
  {
    id: "P1",
    is: "pass",
    when: "each is captured once",
    tables: { payments: [auth("1"), pay("1", "capture", 1000, 10), pay("2", "capture", 1000, 10)] },
  },
  {
    id: "P1",
    is: "pass",
    when: "the second charge was given back",
    tables: {
      payments: [
        pay("1", "capture", 1000, 10, { id: "c1" }),
        pay("1", "capture", 1000, 20, { id: "c2" }),
        pay("1", "refund", 1000, 30, { parent_id: "c2" }),
      ],
    },
  },
  {
    id: "P1",
    is: "pass",
    when: "the second charge was voided, its refund names the order alone",
    tables: {
      payments: [
        pay("1", "capture", 1000, 10),
        pay("1", "capture", 1000, 20),
        pay("1", "refund", 1000, 30),
      ],
    },
  },
  {
    id: "P1",
    is: "pass",
    when: "the first attempt was declined, one of unknown result was settled by its retry",
    tables: {
      payments: [
        pay("1", "capture", 1000, 5, { result: "declined" }),
        pay("1", "capture", 1000, 10, { ...unknown, idempotency_key: "i1" }),
        pay("1", "capture", 1000, 20, { idempotency_key: "i1" }),
      ],
    },
  },
  {
    id: "P1",
    is: "inconclusive",
    when: "a second capture has no known result",
    tables: { payments: [pay("1", "capture", 1000, 10), pay("1", "capture", 1000, 20, unknown)] },
  },
  {
    id: "P1",
    is: "inconclusive",
    when: "the refund of the second has no known result",
    tables: {
      payments: [
        pay("1", "capture", 1000, 10),
        pay("1", "capture", 1000, 20),
        pay("1", "refund", 1000, 30, unknown),
      ],
    },
  },
  {
    id: "P1",
    is: "not-applicable",
    when: "nothing was captured",
    tables: { payments: [auth("1"), pay("1", "capture", 1000, 5, { result: "declined" })] },
  },
];

const P2: Case[] = [
  {
    id: "P2",
    is: "fail",
    when: "the gateway captured what the shop does not know",
    count: 1,
    tables: { orders: [order("1", "failed", 0, 0)], payments: [pay("1", "capture", 1000, 10)] },
  },
  {
    id: "P2",
    is: "fail",
    when: "the shop says refunded, the gateway never did",
    tables: {
      orders: [order("1", "cancelled", 1000, 1000)],
      payments: [pay("1", "capture", 1000, 10)],
    },
  },
  {
    id: "P2",
    is: "fail",
    when: "the shop says paid and the gateway has no row",
    tables: {
      orders: [order("1", "paid", 1000, 0), order("2", "paid", 1000, 0)],
      payments: [pay("1", "capture", 1000, 10)],
    },
  },
  {
    id: "P2",
    is: "fail",
    when: "even the unknown capture could not make up the difference",
    tables: {
      orders: [order("1", "paid", 1000, 0)],
      payments: [pay("1", "capture", 300, 10, unknown)],
    },
  },
  {
    id: "P2",
    is: "pass",
    when: "both say the same",
    tables: {
      orders: [
        order("1", "paid", 1000, 0),
        order("2", "cancelled", 1000, 1000),
        order("3", "pending", 0, 0),
      ],
      payments: [
        pay("1", "capture", 1000, 10),
        pay("2", "capture", 1000, 10),
        pay("2", "refund", 1000, 20),
      ],
    },
  },
  {
    id: "P2",
    is: "pass",
    when: "a voided authorization is outside the net",
    tables: {
      orders: [order("1", "failed", 0, 0), order("2", "paid", 1000, 0)],
      payments: [
        auth("1"),
        pay("1", "void", 1000, 10, { parent_id: "a1" }),
        pay("2", "capture", 1000, 10),
      ],
    },
  },
  {
    id: "P2",
    is: "pass",
    when: "a voided capture is none",
    tables: {
      orders: [order("1", "failed", 0, 0)],
      payments: [
        pay("1", "capture", 1000, 10, { id: "c" }),
        pay("1", "void", 0, 20, { parent_id: "c" }),
      ],
    },
  },
  {
    id: "P2",
    is: "inconclusive",
    when: "a capture has no known result",
    tables: {
      orders: [order("1", "paid", 1000, 0)],
      payments: [pay("1", "capture", 1000, 10, unknown)],
    },
  },
  {
    id: "P2",
    is: "inconclusive",
    when: "a refund has no known result",
    tables: {
      orders: [order("1", "paid", 1000, 0)],
      payments: [pay("1", "capture", 1000, 10), pay("1", "refund", 1000, 20, unknown)],
    },
  },
  {
    id: "P2",
    is: "not-applicable",
    when: "no money moved",
    tables: { orders: [order("1", "pending", 0, 0)], payments: [] },
  },
];

const limit: LiteralRow[] = [{ entity: "payment", status: null, ms: 100 }];
const P3: Case[] = [
  {
    id: "P3",
    is: "fail",
    when: "a capture stands for a failed order",
    count: 1,
    tables: {
      deadlines: limit,
      orders: [order("1", "failed", 0, 0)],
      order_events: [end("1", 12, "failed")],
      payments: [pay("1", "capture", 1000, 10)],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "fail",
    when: "a capture has no order at all",
    tables: {
      deadlines: limit,
      orders: [order("1", "paid", 1000, 0)],
      payments: [pay("9", "capture", 1000, 10)],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "fail",
    when: "a capture names nothing",
    tables: {
      deadlines: limit,
      orders: [],
      payments: [pay(null, "capture", 1000, 10)],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "fail",
    when: "it was given back too late",
    tables: {
      deadlines: limit,
      orders: [],
      payments: [pay("9", "capture", 1000, 10), pay("9", "refund", 1000, 500)],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "fail",
    when: "a part was kept",
    tables: {
      deadlines: limit,
      orders: [order("1", "cancelled", 1000, 600)],
      order_events: [end("1", 50)],
      payments: [pay("1", "capture", 1000, 10), pay("1", "refund", 600, 60)],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "pass",
    when: "live orders have their captures, dead ones gave theirs back",
    tables: {
      deadlines: limit,
      orders: [order("1", "shipped", 1000, 0), order("2", "cancelled", 1000, 1000)],
      order_events: [end("2", 500)],
      payments: [
        pay("1", "capture", 1000, 10),
        pay("2", "capture", 1000, 10),
        pay("2", "refund", 1000, 560),
      ],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "pass",
    when: "a capture without an order was voided in time",
    tables: {
      deadlines: limit,
      orders: [],
      payments: [
        pay(null, "capture", 1000, 10, { id: "c" }),
        pay(null, "void", 1000, 60, { parent_id: "c" }),
      ],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "pass",
    when: "its refund waits for an account",
    tables: {
      deadlines: limit,
      orders: [order("1", "cancelled", 1000, 0)],
      order_events: [end("1", 50)],
      refunds: [{ order_id: "1", amount: 1000, state: "awaiting_account", seq: 50, at_us: 50_000 }],
      payments: [pay("1", "capture", 1000, 10)],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "pass",
    when: "the deadline had not come when the books were read",
    tables: {
      deadlines: limit,
      orders: [],
      payments: [pay("9", "capture", 1000, 10)],
      books: books(80),
    },
  },
  {
    id: "P3",
    is: "pass",
    when: "the two books tell different clocks, so a late refund cannot be measured from the order's end",
    tables: {
      deadlines: limit,
      orders: [order("1", "cancelled", 1000, 1000)],
      order_events: [end("1", 50)],
      payments: [pay("1", "capture", 1000, 10), pay("1", "refund", 1000, 600)],
      books: books(900, "gateway's own"),
    },
  },
  {
    id: "P3",
    is: "inconclusive",
    when: "a capture without an order has no known result",
    tables: {
      deadlines: limit,
      orders: [],
      payments: [pay("9", "capture", 1000, 10, unknown)],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "inconclusive",
    when: "its refund has no known result",
    tables: {
      deadlines: limit,
      orders: [],
      payments: [pay("9", "capture", 1000, 10), pay("9", "refund", 1000, 20, unknown)],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "inconclusive",
    when: "it came back within a millisecond of the deadline",
    tables: {
      deadlines: limit,
      orders: [],
      payments: [pay("9", "capture", 1000, 10), pay("9", "refund", 1000, 110, { at_us: 110_500 })],
      books: books(900),
    },
  },
  {
    id: "P3",
    is: "not-applicable",
    when: "no deadline is declared for payments",
    tables: {
      deadlines: [{ entity: "notice", status: null, ms: 1 }],
      orders: [],
      payments: [pay("9", "capture", 1000, 10)],
    },
  },
];

const refund = (order_id: string, amount: number, state: string, ms = 60): LiteralRow => ({
  order_id,
  amount,
  state,
  seq: ms,
  at_us: ms * 1000,
});
const P4: Case[] = [
  {
    id: "P4",
    is: "fail",
    when: "the gateway refunded more than it captured",
    count: 1,
    tables: {
      orders: [order("1", "cancelled", 1000, 1000)],
      refunds: [refund("1", 1000, "done")],
      payments: [
        pay("1", "capture", 1000, 10),
        pay("1", "refund", 1000, 20),
        pay("1", "refund", 1000, 30),
      ],
    },
  },
  {
    id: "P4",
    is: "fail",
    when: "a cancelled order's money has no refund",
    count: 1,
    tables: { orders: [order("1", "cancelled", 1000, 0)], refunds: [] },
  },
  {
    id: "P4",
    is: "fail",
    when: "the only refund failed",
    tables: { orders: [order("1", "cancelled", 1000, 0)], refunds: [refund("1", 1000, "failed")] },
  },
  {
    id: "P4",
    is: "fail",
    when: "a part is refunded",
    tables: { orders: [order("1", "cancelled", 1000, 600)], refunds: [refund("1", 600, "done")] },
  },
  {
    id: "P4",
    is: "fail",
    when: "two refunds stand for one order",
    tables: {
      orders: [order("1", "cancelled", 1000, 1000)],
      refunds: [refund("1", 1000, "done"), refund("1", 1000, "requested")],
    },
  },
  {
    id: "P4",
    is: "fail",
    when: "one partial refund was made twice under one key",
    tables: {
      orders: [order("1", "paid", 1000, 400)],
      refunds: [],
      payments: [
        pay("1", "capture", 1000, 10),
        pay("1", "refund", 200, 20, { idempotency_key: "r" }),
        pay("1", "refund", 200, 30, { idempotency_key: "r" }),
      ],
    },
  },
  {
    id: "P4",
    is: "pass",
    when: "every cancelled order's refund is done",
    tables: {
      orders: [order("1", "cancelled", 1000, 1000), order("2", "paid", 1000, 0)],
      refunds: [refund("1", 1000, "done")],
      payments: [
        pay("1", "capture", 1000, 10),
        pay("1", "refund", 1000, 20),
        pay("2", "capture", 1000, 10),
      ],
    },
  },
  {
    id: "P4",
    is: "pass",
    when: "one is requested, one waits for an account",
    tables: {
      orders: [order("1", "cancelled", 1000, 0), order("2", "cancelled", 1000, 0)],
      refunds: [refund("1", 1000, "requested"), refund("2", 1000, "awaiting_account")],
    },
  },
  {
    id: "P4",
    is: "pass",
    when: "a failed try stands beside the one that was done",
    tables: {
      orders: [order("1", "cancelled", 1000, 1000)],
      refunds: [refund("1", 1000, "failed"), refund("1", 1000, "done")],
    },
  },
  {
    id: "P4",
    is: "pass",
    when: "the cancelled order's capture was voided",
    tables: {
      orders: [order("1", "cancelled", 1000, 1000)],
      refunds: [],
      payments: [
        pay("1", "capture", 1000, 10, { id: "c" }),
        pay("1", "void", 1000, 20, { parent_id: "c" }),
      ],
    },
  },
  {
    id: "P4",
    is: "pass",
    when: "an unpaid order is cancelled",
    tables: { orders: [order("1", "cancelled", 0, 0), order("2", "paid", 1000, 0)], refunds: [] },
  },
  {
    id: "P4",
    is: "inconclusive",
    when: "a second refund has no known result",
    tables: {
      orders: [order("1", "cancelled", 1000, 1000)],
      refunds: [refund("1", 1000, "done")],
      payments: [
        pay("1", "capture", 1000, 10),
        pay("1", "refund", 1000, 20),
        pay("1", "refund", 1000, 30, unknown),
      ],
    },
  },
  {
    id: "P4",
    is: "not-applicable",
    when: "nothing was paid",
    tables: { orders: [order("1", "pending", 0, 0)], refunds: [] },
  },
];

const due: LiteralRow[] = [{ entity: "refund", status: "requested", ms: 100 }];
const notice = (ref_kind: string, ref: string, user_id: string): LiteralRow => ({
  id: `n${ref}`,
  user_id,
  ref_kind,
  ref,
  reason: "withdrawn",
});
const P5: Case[] = [
  {
    id: "P5",
    is: "fail",
    when: "a refund is still only requested after its deadline",
    count: 1,
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 0)],
      order_events: [end("1", 50)],
      refunds: [refund("1", 1000, "requested")],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "fail",
    when: "it was done too late after the cancel",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 1000)],
      order_events: [end("1", 50)],
      refunds: [refund("1", 1000, "done", 400)],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "fail",
    when: "it waits for an account and nobody told the member",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 0)],
      order_events: [end("1", 50)],
      refunds: [refund("1", 1000, "awaiting_account")],
      notifications: [notice("order", "1", "someone else")],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "fail",
    when: "the shop says done, the gateway sent nothing",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 1000)],
      order_events: [end("1", 50)],
      refunds: [refund("1", 1000, "done")],
      payments: [pay("1", "capture", 1000, 10)],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "fail",
    when: "a paid order was cancelled and nobody asked for its refund",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 0)],
      order_events: [end("1", 50)],
      refunds: [],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "fail",
    when: "it failed and was left so",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 0)],
      order_events: [end("1", 50)],
      refunds: [refund("1", 1000, "failed")],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "pass",
    when: "done in time, and the gateway sent it",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 1000)],
      order_events: [end("1", 50)],
      refunds: [refund("1", 1000, "done", 120)],
      payments: [pay("1", "capture", 1000, 10), pay("1", "refund", 1000, 110)],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "pass",
    when: "it waits for an account and the cancel's own message was sent",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 0)],
      order_events: [end("1", 50)],
      refunds: [refund("1", 1000, "awaiting_account")],
      notifications: [notice("order", "1", "u1")],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "pass",
    when: "it is requested and its deadline had not come when the books were read",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 0)],
      order_events: [end("1", 50)],
      refunds: [refund("1", 1000, "requested")],
      books: books(120),
    },
  },
  {
    id: "P5",
    is: "inconclusive",
    when: "it waits for an account and the books have no messages",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 0)],
      order_events: [end("1", 50)],
      refunds: [refund("1", 1000, "awaiting_account")],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "inconclusive",
    when: "the gateway does not know whether it sent it",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 1000)],
      order_events: [end("1", 50)],
      refunds: [refund("1", 1000, "done", 120)],
      payments: [pay("1", "capture", 1000, 10), pay("1", "refund", 1000, 110, unknown)],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "inconclusive",
    when: "it was done within a millisecond of its deadline",
    tables: {
      deadlines: due,
      orders: [order("1", "cancelled", 1000, 1000)],
      order_events: [end("1", 50)],
      refunds: [{ ...refund("1", 1000, "done", 150), at_us: 150_400 }],
      books: books(900),
    },
  },
  {
    id: "P5",
    is: "not-applicable",
    when: "nothing was cancelled",
    tables: {
      deadlines: due,
      orders: [order("1", "paid", 1000, 0)],
      order_events: [],
      refunds: [],
    },
  },
];

const entry = (entry_id: string, account: string, debit: number, credit: number): LiteralRow => ({
  entry_id,
  account,
  debit,
  credit,
  ref: "1",
  seq: 1,
});
const accounts: LiteralRow[] = [
  { account: "clearing", kind: "clearing" },
  { account: "sales", kind: "income" },
  { account: "owed", kind: "liability" },
];
const P8: Case[] = [
  {
    id: "P8",
    is: "fail",
    when: "an entry does not balance",
    count: 1,
    tables: {
      ledger: [entry("e1", "clearing", 1000, 0), entry("e1", "sales", 0, 900)],
      accounts: [],
    },
  },
  {
    id: "P8",
    is: "fail",
    when: "a clearing account is left with money",
    count: 1,
    tables: { ledger: [entry("e1", "clearing", 1000, 0), entry("e1", "sales", 0, 1000)], accounts },
  },
  {
    id: "P8",
    is: "pass",
    when: "all entries balance and clearing ends at 0",
    tables: {
      ledger: [
        entry("e1", "clearing", 1000, 0),
        entry("e1", "sales", 0, 1000),
        entry("e2", "bank", 1000, 0),
        entry("e2", "clearing", 0, 1000),
      ],
      accounts,
    },
  },
  {
    id: "P8",
    is: "pass",
    when: "refunds awaiting an account stay as a liability",
    tables: { ledger: [entry("e1", "sales", 1000, 0), entry("e1", "owed", 0, 1000)], accounts },
  },
  {
    id: "P8",
    is: "inconclusive",
    when: "a clearing account is open and the service had not drained",
    tables: {
      ledger: [entry("e1", "clearing", 1000, 0), entry("e1", "sales", 0, 1000)],
      accounts,
      books: [{ book: "shop", drained: false }],
    },
  },
  { id: "P8", is: "not-applicable", when: "the ledger is empty", tables: { ledger: [], accounts } },
];

it.concurrent.each([...P1, ...P2, ...P3, ...P4, ...P5, ...P8])(
  "$id is $is when $when",
  async ({ id, is, tables, count }) => {
    const verdict = await verdictOf(id, tables);
    expect({ verdict: verdict.verdict, because: verdict.because }).toEqual({
      verdict: is,
      because: verdict.because,
    });
    if (count !== undefined) expect(verdict.count).toBe(count);
    if (is === "fail")
      expect(Object.keys(verdict.witness ?? {}), "a fail has a witness").not.toEqual([]);
  },
);
