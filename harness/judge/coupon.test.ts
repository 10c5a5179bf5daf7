/** The coupon invariants over literal tiny histories: each violated, kept, undecided, and kept by a history that looks odd. */
import { expect, it } from "vitest";
import { verdictOf, type LiteralRow, type Tables } from "./fixture.ts";

interface Case {
  readonly id: string;
  readonly is: "pass" | "fail" | "inconclusive" | "not-applicable";
  readonly when: string;
  readonly tables: Tables;
  /** Definite violations, where the number itself is promised. */
  readonly count?: number;
  readonly without?: readonly string[];
}

/** One audit row; `ms` is the commit time, and the seq too unless `more` says otherwise. */
const ev = (
  coupon_id: string,
  version: number,
  ms: number,
  from_status: string | null,
  to_status: string,
  more: LiteralRow = {},
): LiteralRow => ({
  coupon_id,
  version,
  seq: ms,
  at_us: ms * 1000,
  from_status,
  to_status,
  actor: "customer",
  ...more,
});
const coupon = (
  id: string,
  user_id: string,
  status = "issued",
  more: LiteralRow = {},
): LiteralRow => ({
  id,
  code: `code-${id}`,
  campaign_id: "c",
  user_id,
  amount: 1000,
  status,
  ...more,
});
const claim = (
  intent: string,
  user_id: string,
  outcome: string,
  coupon_id: string | null,
  more: LiteralRow = {},
): LiteralRow => ({
  intent,
  process: "1.1.0",
  attempt: 1,
  kind: "claim",
  outcome,
  status: outcome === "ok" ? 201 : outcome === "fail" ? 422 : 0,
  time_invoke_ns: 1_000,
  time_complete_ns: 2_000,
  request: { campaign_id: "c", user_id },
  response: coupon_id === null ? {} : { coupon_id, code: `code-${coupon_id}` },
  ...more,
});
const job = (
  id: string,
  kind: string,
  start_seq: number,
  end_seq: number | null,
  more: LiteralRow = {},
): LiteralRow => ({
  id,
  intent: `intent-${id}`,
  kind,
  campaign_id: "c",
  declared_audience: 1,
  declared_seq: start_seq - 1,
  start_seq,
  end_seq,
  actor: "operator",
  ...more,
});
const cap = (n: number | null): LiteralRow[] => [{ id: "c", cap: n, per_user: 1 }];
const two = [coupon("k1", "u1"), coupon("k2", "u2")];
const bothIssued = [ev("k1", 1, 10, null, "issued"), ev("k2", 1, 20, null, "issued")];

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
const byJob = (id: string, reason: string, ms: number): LiteralRow =>
  ev(id, 1, ms, null, "issued", { job_id: "j", actor: "job", reason });
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

const read = (id: string, outcome: string, status: number, more: LiteralRow = {}): LiteralRow => ({
  intent: `read-${id}`,
  kind: "final-read",
  process: "harness",
  outcome,
  status,
  time_invoke_ns: 9_000,
  request: { entity: "coupon", id },
  response: outcome === "ok" ? { status: "issued" } : {},
  ...more,
});
const C6: Case[] = [
  {
    id: "C6",
    is: "fail",
    when: "an acknowledged claim is not in the books",
    count: 1,
    tables: {
      coupons: [coupon("k1", "u1")],
      ops: [claim("i1", "u1", "ok", "k1"), claim("i2", "u2", "ok", "k2")],
    },
  },
  {
    id: "C6",
    is: "fail",
    when: "it is in the books under another member",
    tables: { coupons: [coupon("k1", "u2")], ops: [claim("i1", "u1", "ok", "k1")] },
  },
  {
    id: "C6",
    is: "fail",
    when: "its owner's last read does not find it",
    tables: {
      coupons: [coupon("k1", "u1")],
      ops: [claim("i1", "u1", "ok", "k1"), read("k1", "fail", 404)],
    },
  },
  {
    id: "C6",
    is: "fail",
    when: "an acknowledged issuing job left no trace",
    tables: {
      coupons: [],
      jobs: [job("other", "issue", 1, 2)],
      coupon_events: [ev("k1", 1, 10, null, "issued")],
      ops: [
        claim("op", "x", "ok", null, {
          kind: "issue",
          process: "operator",
          response: { job_id: "j" },
        }),
      ],
    },
  },
  {
    id: "C6",
    is: "fail",
    when: "a job was acknowledged with more than it issued",
    tables: {
      coupons: two,
      jobs: [job("j", "issue", 1, 2)],
      coupon_events: [byJob("k1", "u1", 10)],
      ops: [
        claim("op", "x", "ok", null, {
          kind: "issue",
          process: "operator",
          response: { job_id: "j", issued: 2 },
        }),
      ],
    },
  },
  {
    id: "C6",
    is: "pass",
    when: "it is in the books and found",
    tables: {
      coupons: [coupon("k1", "u1")],
      ops: [claim("i1", "u1", "ok", "k1"), read("k1", "ok", 200)],
    },
  },
  {
    id: "C6",
    is: "pass",
    when: "it was recalled since, and a busy service could not answer one read",
    tables: {
      coupons: [coupon("k1", "u1", "recalled")],
      ops: [
        claim("i1", "u1", "ok", "k1"),
        claim("i1", "u1", "ok", "k1", { attempt: 2 }),
        read("k1", "fail", 503),
      ],
    },
  },
  {
    id: "C6",
    is: "pass",
    when: "a read before the claim found nothing",
    tables: {
      coupons: [coupon("k1", "u1")],
      ops: [
        claim("i1", "u1", "ok", "k1"),
        read("k1", "fail", 404, { kind: "lookup", time_invoke_ns: 500 }),
      ],
    },
  },
  {
    id: "C6",
    is: "pass",
    when: "an operator's job is acknowledged before it has issued anything",
    tables: {
      coupons: two,
      jobs: [job("j", "issue", 1, 2)],
      coupon_events: [byJob("k1", "u1", 10)],
      ops: [
        claim("op", "x", "ok", null, {
          kind: "issue",
          process: "operator",
          response: { job_id: "j" },
        }),
      ],
    },
  },
  {
    id: "C6",
    is: "not-applicable",
    when: "every claim is unknown or refused",
    tables: {
      coupons: [],
      ops: [claim("i1", "u1", "info", null), claim("i2", "u2", "fail", null)],
    },
  },
  {
    id: "C6",
    is: "inconclusive",
    when: "only a look-up during the run missed it",
    tables: {
      coupons: [coupon("k1", "u1")],
      ops: [claim("i1", "u1", "ok", "k1"), read("k1", "fail", 404, { kind: "lookup" })],
    },
  },
  {
    id: "C6",
    is: "inconclusive",
    when: "the service had not drained",
    tables: {
      coupons: [],
      ops: [claim("i1", "u1", "ok", "k1")],
      books: [{ book: "shop", drained: false }],
    },
  },
];

const C7: Case[] = [
  {
    id: "C7",
    is: "fail",
    when: "a coupon nobody asked for",
    count: 1,
    tables: {
      coupons: two,
      coupon_events: [
        ev("k1", 1, 10, null, "issued", { intent: "i1" }),
        ev("k2", 1, 20, null, "issued", { intent: "ghost" }),
      ],
      ops: [claim("i1", "u1", "ok", "k1")],
    },
  },
  {
    id: "C7",
    is: "fail",
    when: "its key was refused each time",
    tables: {
      coupons: two,
      coupon_events: [ev("k1", 1, 10, null, "issued", { intent: "i1" })],
      ops: [claim("i1", "u1", "fail", null), claim("i1", "u1", "fail", null, { attempt: 2 })],
    },
  },
  {
    id: "C7",
    is: "fail",
    when: "its job is in no book",
    tables: {
      coupons: two,
      jobs: [],
      coupon_events: [byJob("k1", "u1", 10)],
      ops: [claim("i1", "u9", "info", null)],
    },
  },
  {
    id: "C7",
    is: "pass",
    when: "its attempt is unknown to the customer",
    tables: {
      coupons: two,
      coupon_events: [ev("k1", 1, 10, null, "issued", { intent: "i1" })],
      ops: [claim("i1", "u1", "info", null)],
    },
  },
  {
    id: "C7",
    is: "pass",
    when: "a declared job issued it",
    tables: {
      coupons: two,
      jobs: [job("j", "issue", 5, 30)],
      coupon_events: [byJob("k1", "u1", 10)],
      ops: [claim("i1", "u1", "info", null)],
    },
  },
  {
    id: "C7",
    is: "pass",
    when: "a 409 in flight came before the ok",
    tables: {
      coupons: two,
      coupon_events: [ev("k1", 1, 10, null, "issued", { intent: "i1" })],
      ops: [
        claim("i1", "u1", "info", null, { status: 409 }),
        claim("i1", "u1", "ok", "k1", { attempt: 2 }),
      ],
    },
  },
  {
    id: "C7",
    is: "inconclusive",
    when: "the books keep no key and the member asked once",
    tables: {
      coupons: two,
      coupon_events: [ev("k1", 1, 10, null, "issued")],
      ops: [claim("i1", "u1", "info", null)],
    },
  },
  {
    id: "C7",
    is: "not-applicable",
    when: "there is no client history",
    tables: { coupons: two, coupon_events: bothIssued },
  },
];

const one = [coupon("k1", "u1")];
const C9: Case[] = [
  {
    id: "C9",
    is: "fail",
    when: "a recalled coupon is used",
    count: 1,
    tables: {
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 20, "issued", "recalled"),
        ev("k1", 3, 30, "recalled", "used"),
      ],
    },
  },
  {
    id: "C9",
    is: "fail",
    when: "by version the use came later, whatever seq says",
    tables: {
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 3, 20, "recalled", "used"),
        ev("k1", 2, 30, "issued", "recalled"),
      ],
    },
  },
  {
    id: "C9",
    is: "fail",
    when: "the recall overwrote a use it had not seen",
    tables: {
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 20, "issued", "used"),
        ev("k1", 3, 25, "issued", "recalled"),
      ],
    },
  },
  {
    id: "C9",
    is: "fail",
    when: "it is used after the campaign's end",
    tables: {
      campaigns: [{ id: "c", valid_to_us: 20_000 }],
      coupons: one,
      coupon_events: [ev("k1", 1, 10, null, "issued"), ev("k1", 2, 22, "issued", "used")],
    },
  },
  {
    id: "C9",
    is: "pass",
    when: "used and never recalled",
    tables: { coupon_events: [ev("k1", 1, 10, null, "issued"), ev("k1", 2, 20, "issued", "used")] },
  },
  {
    id: "C9",
    is: "pass",
    when: "used, released, recalled: the use came first (rows in any order)",
    tables: {
      coupon_events: [
        ev("k1", 4, 30, "released", "recalled"),
        ev("k1", 3, 25, "used", "released"),
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 20, "issued", "used"),
      ],
    },
  },
  {
    id: "C9",
    is: "inconclusive",
    when: "use and recall have no versions and are concurrent",
    tables: {
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 20, "issued", "used", { version: null, at_us: 20_400 }),
        ev("k1", 3, 21, "issued", "recalled", { version: null, at_us: 20_900 }),
      ],
    },
  },
  {
    id: "C9",
    is: "inconclusive",
    when: "it is used within a millisecond of the campaign's end",
    tables: {
      campaigns: [{ id: "c", valid_to_us: 20_000 }],
      coupons: one,
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 20, "issued", "used", { at_us: 20_500 }),
      ],
    },
  },
  {
    id: "C9",
    is: "not-applicable",
    when: "nothing was used",
    tables: { coupon_events: [ev("k1", 1, 10, null, "issued")] },
  },
];

const recall = job("r", "recall", 100, 200, { declared_audience: null, declared_seq: null });
const taken = (
  id: string,
  version: number,
  ms: number,
  from = "issued",
  more: LiteralRow = {},
): LiteralRow => ev(id, version, ms, from, "recalled", { job_id: "r", actor: "job", ...more });
const C10: Case[] = [
  {
    id: "C10",
    is: "fail",
    when: "an unused coupon of the campaign was missed",
    count: 1,
    tables: { jobs: [recall], coupons: two, coupon_events: [...bothIssued, taken("k1", 2, 150)] },
  },
  {
    id: "C10",
    is: "fail",
    when: "a used one was recalled",
    count: 1,
    tables: {
      jobs: [recall],
      coupons: one,
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k1", 2, 50, "issued", "used"),
        taken("k1", 3, 150, "used"),
      ],
    },
  },
  {
    id: "C10",
    is: "fail",
    when: "another campaign's coupon was recalled",
    tables: {
      jobs: [recall],
      coupons: [coupon("k1", "u1", "recalled", { campaign_id: "d" })],
      coupon_events: [ev("k1", 1, 10, null, "issued"), taken("k1", 2, 150)],
    },
  },
  {
    id: "C10",
    is: "fail",
    when: "a coupon was recalled long after the recall had ended",
    tables: {
      jobs: [recall],
      coupons: one,
      coupon_events: [ev("k1", 1, 10, null, "issued"), taken("k1", 2, 300)],
    },
  },
  {
    id: "C10",
    is: "pass",
    when: "all unused are recalled, the used one is left",
    tables: {
      jobs: [recall],
      coupons: [...two, coupon("k3", "u3", "used")],
      coupon_events: [
        ...bothIssued,
        ev("k3", 1, 30, null, "issued"),
        ev("k3", 2, 40, "issued", "used"),
        taken("k1", 2, 150),
        taken("k2", 2, 150),
      ],
    },
  },
  {
    id: "C10",
    is: "pass",
    when: "a released coupon is recalled, one used during the recall is not",
    tables: {
      jobs: [recall],
      coupons: two,
      coupon_events: [
        ...bothIssued,
        ev("k1", 2, 30, "issued", "used"),
        ev("k1", 3, 40, "used", "released"),
        taken("k1", 4, 150, "released"),
        ev("k2", 2, 120, "issued", "used"),
      ],
    },
  },
  {
    id: "C10",
    is: "pass",
    when: "one was released after the recall had passed, one issued after it had ended",
    tables: {
      jobs: [recall],
      coupons: [...two, coupon("k3", "u3")],
      coupon_events: [
        ...bothIssued,
        ev("k1", 2, 30, "issued", "used"),
        ev("k1", 3, 190, "used", "released"),
        taken("k2", 2, 150),
        ev("k3", 1, 300, null, "issued"),
      ],
    },
  },
  {
    id: "C10",
    is: "pass",
    when: "start, recall and end are one commit",
    tables: {
      jobs: [job("r", "recall", 150, 150)],
      coupons: two,
      coupon_events: [...bothIssued, taken("k1", 2, 150), taken("k2", 2, 150)],
    },
  },
  {
    id: "C10",
    is: "inconclusive",
    when: "the missed coupon was issued at the very start of the recall",
    tables: {
      jobs: [recall],
      coupons: two,
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        taken("k1", 2, 150),
        ev("k2", 1, 100, null, "issued"),
      ],
    },
  },
  {
    id: "C10",
    is: "not-applicable",
    when: "nothing was ever recalled",
    tables: { jobs: [job("j", "issue", 5, 30)], coupons: two, coupon_events: bothIssued },
  },
  {
    id: "C10",
    is: "not-applicable",
    when: "the events do not name their jobs",
    without: ["coupon_events.job_id"],
    tables: { jobs: [recall], coupons: two, coupon_events: bothIssued },
  },
];

const other = coupon("k9", "u1", "issued", { campaign_id: "d" });
const C11: Case[] = [
  {
    id: "C11",
    is: "fail",
    when: "the recall voids the member's coupon of another campaign",
    count: 1,
    tables: {
      jobs: [recall],
      coupons: [...one, other],
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k9", 1, 10, null, "issued"),
        taken("k1", 2, 150),
        ev("k9", 2, 150, "issued", "void", { job_id: "r", actor: "job" }),
      ],
    },
  },
  {
    id: "C11",
    is: "pass",
    when: "it changes what it recalls and nothing else",
    tables: {
      jobs: [recall],
      coupons: [...one, other],
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k9", 1, 10, null, "issued"),
        taken("k1", 2, 150),
      ],
    },
  },
  {
    id: "C11",
    is: "pass",
    when: "its owner uses another coupon in the same moment",
    tables: {
      jobs: [recall],
      coupons: [...one, other],
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k9", 1, 10, null, "issued"),
        taken("k1", 2, 150),
        ev("k9", 2, 150, "issued", "used"),
      ],
    },
  },
  {
    id: "C11",
    is: "inconclusive",
    when: "another coupon ends in the recall's commit under no job",
    tables: {
      jobs: [recall],
      coupons: [...one, other],
      coupon_events: [
        ev("k1", 1, 10, null, "issued"),
        ev("k9", 1, 10, null, "issued"),
        taken("k1", 2, 150),
        ev("k9", 2, 150, "issued", "expired", { actor: "job" }),
      ],
    },
  },
  {
    id: "C11",
    is: "not-applicable",
    when: "no recall ran",
    tables: { jobs: [], coupons: one, coupon_events: [ev("k1", 1, 10, null, "issued")] },
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

it.concurrent.each([
  ...C1,
  ...C2,
  ...C3,
  ...C4,
  ...C5,
  ...C6,
  ...C7,
  ...C9,
  ...C10,
  ...C11,
  ...C12,
])("$id is $is when $when", async ({ id, is, tables, count, without }) => {
  const verdict = await verdictOf(id, tables, without === undefined ? {} : { without });
  expect({ verdict: verdict.verdict, because: verdict.because }).toEqual({
    verdict: is,
    because: verdict.because,
  });
  if (count !== undefined) expect(verdict.count).toBe(count);
  if (is === "fail")
    expect(Object.keys(verdict.witness ?? {}), "a fail has a witness").not.toEqual([]);
});
