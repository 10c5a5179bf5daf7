/** What becomes of a coupon: C6 to C11 over literal tiny histories. */
import { expect, it } from "vitest";
import { ev, coupon, claim, job, two, bothIssued, byJob, type Case } from "./coupon.fixture.ts";
import { verdictOf, type LiteralRow } from "./fixture.ts";

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

it.concurrent.each([...C6, ...C7, ...C9, ...C10, ...C11])(
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
