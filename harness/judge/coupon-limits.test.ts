/** How many coupons, for whom, with which code: C1 to C5 and C12 over literal tiny histories. */
import { expect, it } from "vitest";
import {
  ev,
  coupon,
  claim,
  job,
  cap,
  two,
  bothIssued,
  byJob,
  type Case,
} from "./coupon.fixture.ts";
import { verdictOf, type LiteralRow } from "./fixture.ts";

const C1: Case[] = [
  {
    id: "C1",
    is: "fail",
    when: "two are issued and the cap is one",
    count: 1,
    tables: { campaigns: cap(1), coupons: two, coupon_events: bothIssued },
  },
  {
    id: "C1",
    is: "fail",
    when: "a whole chunk is one commit: only what lies above the cap counts",
    count: 1,
    tables: {
      campaigns: cap(1),
      coupons: two,
      coupon_events: [ev("k1", 1, 10, null, "issued"), ev("k2", 1, 10, null, "issued")],
    },
  },
  {
    id: "C1",
    is: "fail",
    when: "a recall frees nothing",
    count: 1,
    tables: {
      campaigns: cap(1),
      coupons: two,
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 15, "issued", "recalled"),
        ev("k2", 1, 20, null, "issued"),
      ],
    },
  },
  {
    id: "C1",
    is: "fail",
    when: "a void of a used coupon frees nothing",
    tables: {
      campaigns: cap(1),
      coupons: two,
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 12, "issued", "used"),
        ev("k1", 3, 15, "used", "void"),
        ev("k2", 1, 20, null, "issued"),
      ],
    },
  },
  {
    id: "C1",
    is: "fail",
    when: "the void came after the second issue",
    tables: {
      campaigns: cap(1),
      coupons: two,
      coupon_events: [...bothIssued, ev("k1", 2, 30, "issued", "void")],
    },
  },
  {
    id: "C1",
    is: "fail",
    when: "customers were told of more than the cap, whatever the books say",
    count: 1,
    tables: {
      campaigns: cap(1),
      coupons: [coupon("k1", "u1")],
      coupon_events: [ev("k1", 1, 10, null, "issued")],
      ops: [claim("i1", "u1", "ok", "k1"), claim("i2", "u2", "ok", "k2")],
    },
  },
  {
    id: "C1",
    is: "pass",
    when: "as many as the cap are issued",
    tables: { campaigns: cap(2), coupons: two, coupon_events: bothIssued },
  },
  {
    id: "C1",
    is: "pass",
    when: "a void made room first (rows in any order)",
    tables: {
      campaigns: cap(1),
      coupons: two,
      coupon_events: [
        ev("k2", 1, 20, null, "issued"),
        ev("k1", 2, 15, "issued", "void"),
        ev("k1", 1, 10, null, "issued"),
      ],
    },
  },
  {
    id: "C1",
    is: "pass",
    when: "one coupon is acknowledged twice to the same key",
    tables: {
      campaigns: cap(1),
      coupons: [coupon("k1", "u1")],
      coupon_events: [ev("k1", 1, 10, null, "issued")],
      ops: [claim("i1", "u1", "ok", "k1"), claim("i1", "u1", "ok", "k1", { attempt: 2 })],
    },
  },
  {
    id: "C1",
    is: "pass",
    when: "an operator's issue is one operation a job and not an acknowledgement to a customer",
    tables: {
      campaigns: cap(1),
      coupons: [coupon("k1", "u1")],
      coupon_events: [ev("k1", 1, 10, null, "issued")],
      ops: [
        claim("i1", "u1", "ok", "k1"),
        claim("op", "x", "ok", null, {
          kind: "issue",
          process: "operator",
          response: { job_id: "j" },
        }),
      ],
    },
  },
  {
    id: "C1",
    is: "pass",
    when: "unknown claims are not acknowledged",
    tables: {
      campaigns: cap(1),
      coupons: [coupon("k1", "u1")],
      coupon_events: [ev("k1", 1, 10, null, "issued")],
      ops: [claim("i1", "u1", "ok", "k1"), claim("i2", "u2", "info", null)],
    },
  },
  {
    id: "C1",
    is: "inconclusive",
    when: "the void that made room is concurrent with the issue",
    tables: {
      campaigns: cap(1),
      coupons: two,
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 20, "issued", "void", { at_us: 19_500, seq: 19 }),
        ev("k2", 1, 20, null, "issued"),
      ],
    },
  },
  {
    id: "C1",
    is: "inconclusive",
    when: "the book's order is only approximate and a void might have come first",
    tables: {
      campaigns: cap(1),
      coupons: two,
      coupon_events: [...bothIssued, ev("k1", 2, 30, "issued", "void")],
      books: [{ book: "shop", seq_quality: "approximate", drained: true }],
    },
  },
  {
    id: "C1",
    is: "not-applicable",
    when: "the campaign has no cap",
    tables: { campaigns: cap(null), coupons: two, coupon_events: bothIssued },
  },
  {
    id: "C1",
    is: "not-applicable",
    when: "the books have no campaigns",
    tables: { coupons: two, coupon_events: bothIssued },
  },
];

const eligible = (user_id: string, snapshot_seq: number | null): LiteralRow => ({
  campaign_id: "c",
  user_id,
  snapshot_seq,
});
const C2: Case[] = [
  {
    id: "C2",
    is: "fail",
    when: "a member outside the snapshot got one",
    count: 1,
    tables: { eligible: [eligible("u1", 1)], coupons: two, coupon_events: bothIssued },
  },
  {
    id: "C2",
    is: "fail",
    when: "the snapshot was taken after the job began",
    tables: {
      eligible: [eligible("u1", 8)],
      jobs: [job("j", "issue", 5, 30)],
      coupons: [coupon("k1", "u1")],
      coupon_events: [byJob("k1", "u1", 10)],
    },
  },
  {
    id: "C2",
    is: "pass",
    when: "everybody stood in it before the job",
    tables: {
      eligible: [eligible("u1", 1), eligible("u2", 2)],
      jobs: [job("j", "issue", 5, 30)],
      coupons: two,
      coupon_events: [byJob("k1", "u1", 10), byJob("k2", "u2", 10)],
    },
  },
  {
    id: "C2",
    is: "pass",
    when: "a later snapshot lists the member again",
    tables: {
      eligible: [eligible("u1", 1), eligible("u1", 50)],
      coupons: [coupon("k1", "u1")],
      coupon_events: [ev("k1", 1, 10, null, "issued")],
    },
  },
  {
    id: "C2",
    is: "inconclusive",
    when: "snapshot and job start are one moment",
    tables: {
      eligible: [eligible("u1", 5)],
      jobs: [job("j", "issue", 5, 30)],
      coupons: [coupon("k1", "u1")],
      coupon_events: [byJob("k1", "u1", 10)],
    },
  },
  {
    id: "C2",
    is: "inconclusive",
    when: "nobody wrote down when the snapshot was taken",
    tables: {
      eligible: [eligible("u1", null)],
      coupons: [coupon("k1", "u1")],
      coupon_events: [ev("k1", 1, 10, null, "issued")],
    },
  },
  {
    id: "C2",
    is: "not-applicable",
    when: "the campaign has no snapshot: it is open to all",
    tables: {
      eligible: [{ campaign_id: "other", user_id: "u1", snapshot_seq: 1 }],
      coupons: two,
      coupon_events: bothIssued,
    },
  },
  {
    id: "C2",
    is: "not-applicable",
    when: "the books have no snapshots",
    tables: { coupons: two, coupon_events: bothIssued },
  },
];

const C3: Case[] = [
  {
    id: "C3",
    is: "fail",
    when: "a job issues more than it declared",
    count: 1,
    tables: {
      jobs: [job("j", "issue", 5, 30)],
      coupons: two,
      coupon_events: [byJob("k1", "u1", 10), byJob("k2", "u2", 10)],
    },
  },
  {
    id: "C3",
    is: "fail",
    when: "a job starts without a declared audience",
    tables: {
      jobs: [job("j", "issue", 5, 30, { declared_audience: null, declared_seq: null })],
      coupons: two,
      coupon_events: [byJob("k1", "u1", 10)],
    },
  },
  {
    id: "C3",
    is: "fail",
    when: "the audience is declared once the job runs",
    tables: {
      jobs: [job("j", "issue", 5, 30, { declared_seq: 7 })],
      coupons: two,
      coupon_events: [byJob("k1", "u1", 10)],
    },
  },
  {
    id: "C3",
    is: "pass",
    when: "it declares first and issues at most that many",
    tables: {
      jobs: [job("j", "issue", 5, 30, { declared_audience: 2 })],
      coupons: two,
      coupon_events: [byJob("k1", "u1", 10), byJob("k2", "u2", 12)],
    },
  },
  {
    id: "C3",
    is: "not-applicable",
    when: "the only job was refused before it started",
    tables: {
      jobs: [job("j", "issue", 5, null, { start_seq: null })],
      coupons: [],
      coupon_events: [],
    },
  },
  {
    id: "C3",
    is: "not-applicable",
    when: "only a recall ran",
    tables: {
      jobs: [job("j", "recall", 5, 30, { declared_audience: null })],
      coupons: two,
      coupon_events: bothIssued,
    },
  },
  {
    id: "C3",
    is: "inconclusive",
    when: "declaration and start are one moment",
    tables: {
      jobs: [job("j", "issue", 5, 30, { declared_seq: 5 })],
      coupons: two,
      coupon_events: [byJob("k1", "u1", 10)],
    },
  },
];

const mine = [coupon("k1", "u1"), coupon("k2", "u1")];
const C4: Case[] = [
  {
    id: "C4",
    is: "fail",
    when: "one member has two live coupons of a one-each campaign",
    count: 1,
    tables: { campaigns: cap(9), coupons: mine, coupon_events: bothIssued },
  },
  {
    id: "C4",
    is: "fail",
    when: "a used one counts",
    tables: {
      campaigns: cap(9),
      coupons: mine,
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 15, "issued", "used"),
        ev("k2", 1, 20, null, "issued"),
      ],
    },
  },
  {
    id: "C4",
    is: "fail",
    when: "two accounts are one person by identity_hash",
    tables: {
      campaigns: cap(9),
      members: [
        { id: "u1", identity_hash: "h" },
        { id: "u2", identity_hash: "h" },
      ],
      coupons: two,
      coupon_events: bothIssued,
    },
  },
  {
    id: "C4",
    is: "fail",
    when: "a retry with the same key got another code",
    count: 1,
    tables: {
      campaigns: cap(9),
      coupons: two,
      coupon_events: bothIssued,
      ops: [claim("i1", "u1", "ok", "k1"), claim("i1", "u1", "ok", "k2", { attempt: 2 })],
    },
  },
  {
    id: "C4",
    is: "fail",
    when: "an unheard attempt and its retry both took effect",
    tables: {
      campaigns: cap(9),
      coupons: two,
      coupon_events: [
        ev("k1", 1, 10, null, "issued", { intent: "i1" }),
        ev("k2", 1, 20, null, "issued", { intent: "i1" }),
      ],
    },
  },
  {
    id: "C4",
    is: "pass",
    when: "each has one",
    tables: { campaigns: cap(9), coupons: two, coupon_events: bothIssued },
  },
  {
    id: "C4",
    is: "pass",
    when: "the first was void before the second was issued",
    tables: {
      campaigns: cap(9),
      coupons: mine,
      coupon_events: [
        ev("k2", 1, 20, null, "issued"),
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 15, "issued", "void"),
      ],
    },
  },
  {
    id: "C4",
    is: "pass",
    when: "a coupon comes back from its order: still one",
    tables: {
      campaigns: cap(9),
      coupons: [coupon("k1", "u1", "released")],
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 15, "issued", "used"),
        ev("k1", 3, 20, "used", "released"),
      ],
    },
  },
  {
    id: "C4",
    is: "pass",
    when: "a retry with the same key got the same code",
    tables: {
      campaigns: cap(9),
      coupons: two,
      coupon_events: bothIssued,
      ops: [
        claim("i1", "u1", "info", null),
        claim("i1", "u1", "ok", "k1", { attempt: 2 }),
        claim("i1", "u1", "ok", "k1", { attempt: 3 }),
      ],
    },
  },
  {
    id: "C4",
    is: "pass",
    when: "an issuing job's one key stands on all its coupons",
    tables: {
      campaigns: cap(9),
      jobs: [job("j", "issue", 5, 30)],
      coupons: two,
      coupon_events: [
        { ...byJob("k1", "u1", 10), intent: "intent-j" },
        { ...byJob("k2", "u2", 10), intent: "intent-j" },
      ],
    },
  },
  {
    id: "C4",
    is: "inconclusive",
    when: "the first's end and the second's issue are concurrent",
    tables: {
      campaigns: cap(9),
      coupons: mine,
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 20, "issued", "void"),
        ev("k2", 1, 20, null, "issued"),
      ],
    },
  },
  {
    id: "C4",
    is: "not-applicable",
    when: "the campaign sets no limit",
    tables: {
      campaigns: [{ id: "c", cap: 9, per_user: null }],
      coupons: mine,
      coupon_events: bothIssued,
    },
  },
];

const C5: Case[] = [
  {
    id: "C5",
    is: "fail",
    when: "two coupons carry one code",
    count: 1,
    tables: {
      coupons: [
        coupon("k1", "u1", "issued", { code: "x" }),
        coupon("k2", "u2", "issued", { code: "x" }),
      ],
    },
  },
  { id: "C5", is: "pass", when: "all codes differ", tables: { coupons: two } },
  {
    id: "C5",
    is: "not-applicable",
    when: "no coupon has a code",
    tables: { coupons: [coupon("k1", "u1", "issued", { code: null })] },
  },
];

const spent = (id: string, discount: number, status = "paid"): LiteralRow => ({
  id,
  coupon_id: `k${id}`,
  discount,
  status,
});
const C12: Case[] = [
  {
    id: "C12",
    is: "fail",
    when: "live discounts exceed the budget",
    tables: {
      campaigns: [{ id: "c", budget: 1500 }],
      coupons: [coupon("k1", "u1"), coupon("k2", "u2")],
      orders: [spent("1", 1000), spent("2", 1000)],
    },
  },
  {
    id: "C12",
    is: "pass",
    when: "a cancelled order's discount is free again",
    tables: {
      campaigns: [{ id: "c", budget: 1500 }],
      coupons: [coupon("k1", "u1"), coupon("k2", "u2")],
      orders: [spent("1", 1000), spent("2", 1000, "cancelled")],
    },
  },
  {
    id: "C12",
    is: "not-applicable",
    when: "the campaign has no budget",
    tables: { campaigns: [{ id: "c", budget: null }], coupons: two, orders: [spent("1", 1000)] },
  },
];

it.concurrent.each([...C1, ...C2, ...C3, ...C4, ...C5, ...C12])(
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
