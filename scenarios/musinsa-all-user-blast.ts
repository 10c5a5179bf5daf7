/**
 * The all-user coupon night (docs/events.md, 1): a 100,000-won coupon meant for 20 winners goes to every member, the
 * crowd comes, and the company withdraws a promotion while people are using it. Run: stampede run musinsa-all-user-blast.
 * Rates are multiples of the measured capacity (-e CAPACITY=… fixes it). Success: the books keep their promises and
 * goodput comes back by itself. Not covered: payouts to sellers, gift vouchers, bots that solve captchas.
 */
import { check, sleep } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import { Rate } from "k6/metrics";
import { op, permute, uniform, type Event } from "@stampede-sre/stampede";

const base = __ENV["BASE_URL"] ?? "http://127.0.0.1:8080";
const capacity = Number(__ENV["CAPACITY"] ?? 300);

const MEMBERS = 100_000;
const MEMBER_DAY_MEMBERS = 20_000;
/** The shop's shelves; each has products 01 … 13. */
const SHELVES = ["shoes", "outer", "bags"];
const PRODUCTS_A_SHELF = 13;

const times = (factor: number): number => Math.max(1, Math.round(capacity * factor));
const baseline = times(0.5);
const peak = times(2);

/** Seconds since the start: warm-up 3 · baseline 8 · mis-issue 2 · surge 3 · watch 20 · restart slot 5 · withdraw 12. */
const at = { misIssue: 11, surge: 13, watch: 16, restart: 36, withdraw: 41, end: 53 };

const goodput = new Rate("goodput");

const customer = {
  attemptTimeoutS: 1,
  retries: 3,
  backoff: "none",
  deadlineS: 4,
  patienceS: 20,
  refreshEveryS: [2, 5],
  doubleTapShare: 0.02,
  botShare: 0,
} satisfies Event["customer"];

export const event: Event = {
  title: "The all-user coupon night",
  // What the promotion was planned to bring; the mistake brings more.
  expectPeakPerS: times(1.5),
  goodputKinds: ["order"],
  goodputScenarios: ["buyers_before", "buyers"],
  customer,
  campaigns: [
    { id: "seoulcon", meant: 20, cap: 20, amount: 100_000 },
    { id: "member-day", meant: MEMBER_DAY_MEMBERS, cap: MEMBER_DAY_MEMBERS, amount: 10_000 },
  ],
  phases: [
    { name: "warm-up", durationS: 3, role: "warm-up" },
    { name: "baseline", durationS: 8, role: "baseline" },
    { name: "mis-issue", durationS: 2, role: "trigger" },
    { name: "surge", durationS: 3, role: "trigger" },
    { name: "watch", durationS: 20, role: "watch" },
    { name: "restart", durationS: 5, role: "intervention" },
    { name: "withdraw", durationS: 12, role: "intervention" },
  ],
  timeline: [
    {
      at: at.misIssue,
      operator: "issue",
      request: {
        campaign_id: "member-day",
        audience: "eligible",
        declared_audience: MEMBER_DAY_MEMBERS,
      },
    },
    // The segment picked in the console is everybody; the form still says 20.
    {
      at: at.misIssue + 0.2,
      operator: "issue",
      request: { campaign_id: "seoulcon", audience: "all-members", declared_audience: 20 },
    },
    { at: at.restart, operator: "restart", request: { service: "shop" }, when: "not-recovered" },
    {
      at: at.withdraw,
      operator: "withdraw",
      request: {
        policy: "withdraw@1",
        campaign_id: "member-day",
        scope: "coupon_campaign = 'member-day' and status != 'pending'",
        carve_outs: "status = 'shipped'",
        coupon_action: "void",
        deadline_ms: 10_000,
        compensation: "rate:10%",
      },
    },
    {
      at: at.withdraw + 0.2,
      fault: "process-kill",
      target: "worker",
      once: { job: "cancel", doneShare: 0.5, withinS: 9 },
    },
    { at: at.withdraw + 1, fault: "refund-rail-down", target: "gateway", forS: 4 },
  ],
  drainS: 8,
  probe: {
    path: "/orders",
    order: (n) => ({ user_id: member(n % MEMBERS), items: basket(n), coupon_campaign: null }),
  },
  judges: "C1 C2 C3 C4 C6 C7 C9 C10 C11 O1 O2 O3 O4 O5 O8 O9 X0 X1 X2 X3 P1 P2 P3 P4 P5 P8".split(
    " ",
  ),
  slos: [
    {
      name: "a normal evening is served",
      measure: "goodput_share",
      phase: "baseline",
      op: ">=",
      value: 0.95,
    },
    {
      name: "most of the crowd is served",
      measure: "goodput_share",
      phase: "surge",
      op: ">=",
      value: 0.5,
    },
    {
      name: "the evening goes on afterwards",
      measure: "goodput_share",
      phase: "watch",
      op: ">=",
      value: 0.9,
    },
    { name: "it comes back by itself", measure: "recovered_after_s", op: "<=", value: 15 },
  ],
};

export const options = {
  scenarios: {
    openers: {
      executor: "ramping-arrival-rate",
      exec: "openApp",
      startRate: times(0.1),
      stages: [
        { duration: `${at.surge}s`, target: times(0.1) },
        { duration: "0s", target: times(0.4) },
        { duration: "3s", target: times(0.4) },
        { duration: "0s", target: times(0.1) },
        { duration: `${at.end - at.watch}s`, target: times(0.1) },
      ],
      preAllocatedVUs: times(0.8),
      gracefulStop: "2s",
    },
    lookups: {
      executor: "constant-arrival-rate",
      exec: "lookUpCoupons",
      startTime: `${at.surge}s`,
      rate: times(0.08),
      duration: `${at.end - at.surge}s`,
      preAllocatedVUs: times(0.16),
      gracefulStop: "2s",
    },
    buyers_before: {
      executor: "constant-arrival-rate",
      exec: "buyBefore",
      rate: baseline,
      duration: `${at.surge}s`,
      preAllocatedVUs: times(2.2),
      gracefulStop: "4s",
    },
    buyers: {
      executor: "ramping-arrival-rate",
      exec: "buyWithCoupon",
      startTime: `${at.surge}s`,
      startRate: peak,
      stages: [
        { duration: "3s", target: peak },
        { duration: "0s", target: baseline },
        { duration: `${at.end - at.watch}s`, target: baseline },
      ],
      // Everybody of the surge may be waiting for four seconds at once, the usual evening on top.
      preAllocatedVUs: times(8.5),
      gracefulStop: "4s",
    },
    refreshers: {
      executor: "constant-vus",
      exec: "refreshOrders",
      startTime: `${at.withdraw}s`,
      vus: times(0.3),
      duration: `${at.end - at.withdraw}s`,
      gracefulStop: "1s",
    },
  },
  thresholds: {
    "http_req_duration{expected_response:true,phase:baseline}": ["p(95)<800"],
    "goodput{phase:baseline}": ["rate>0.95"],
    "goodput{phase:watch}": ["rate>0.9"],
  },
};

/** Members are numbered from 1; the first 20,000 are on member-day's list. */
function member(index: number): string {
  return `u${String(index + 1).padStart(6, "0")}`;
}

function basket(n: number): { sku: string; qty: number }[] {
  const product = Math.floor(uniform("product", n) * SHELVES.length * PRODUCTS_A_SHELF);
  return [
    {
      sku: `${SHELVES[product % SHELVES.length]}-${String(1 + Math.floor(product / SHELVES.length)).padStart(2, "0")}`,
      qty: 1,
    },
  ];
}

/** A buyer of the night, the same for every variant: four in ten are on the list, a few of the rest heard the rumour. */
function buyer(n: number): { user: string; coupon: string | null } {
  if (uniform("on-the-list", n) < 0.4)
    return {
      user: member(permute(MEMBER_DAY_MEMBERS, n % MEMBER_DAY_MEMBERS)),
      coupon: "member-day",
    };
  const others = MEMBERS - MEMBER_DAY_MEMBERS;
  return {
    user: member(MEMBER_DAY_MEMBERS + permute(others, n % others)),
    coupon: uniform("rumour", n) < 0.1 ? "seoulcon" : null,
  };
}

/** One wish to buy: up to four attempts with one key, at once unless the shop names a time, until the deadline. */
function buy(intent: string, user: string, n: number, coupon: string | null): void {
  const request = { user_id: user, items: basket(n), coupon_campaign: coupon };
  const body = JSON.stringify(request);
  const until = Date.now() + customer.deadlineS * 1000;
  let served = false;
  for (let attempt = 1; attempt <= 1 + customer.retries && Date.now() < until; attempt++) {
    const answer = op(
      {
        kind: "order",
        intent,
        attempt,
        request,
        refusals: ["coupon_not_available", "coupon_recalled", "sold_out"],
      },
      () =>
        http.post(`${base}/orders`, body, {
          headers: { "Content-Type": "application/json", "Idempotency-Key": intent },
          timeout: `${customer.attemptTimeoutS}s`,
          tags: { name: "order" },
        }),
    );
    served = answer.final;
    if (served) break;
    const comeBackS = Number(answer.headers["Retry-After"] ?? 0);
    if (comeBackS > 0) sleep(Math.min(comeBackS, Math.max(0, (until - Date.now()) / 1000)));
  }
  goodput.add(served);
  check(served, { "the customer got a final answer": (yes) => yes });
}

/** The evening before the coupons: people buy as always. */
export function buyBefore(): void {
  const n = exec.scenario.iterationInTest;
  buy(`before-${n}`, member(permute(MEMBERS, n % MEMBERS)), n, null);
}

/** From the push on: people with a coupon come to use it; a few tap twice. */
export function buyWithCoupon(): void {
  const n = exec.scenario.iterationInTest;
  const { user, coupon } = buyer(n);
  buy(`night-${n}`, user, n, coupon);
  if (uniform("double-tap", n) < customer.doubleTapShare)
    http.get(`${base}/orders?user_id=${user}`, { timeout: "1s", tags: { name: "orders" } });
}

/** Opens the app's first page. */
export function openApp(): void {
  const n = exec.scenario.iterationInTest;
  http.get(`${base}/home?user_id=${member(permute(MEMBERS, n % MEMBERS))}`, {
    timeout: "1s",
    tags: { name: "home" },
  });
}

/** Looks whether the coupon everybody talks about has come. */
export function lookUpCoupons(): void {
  const n = exec.scenario.iterationInTest;
  const { user } = buyer(n);
  op({ kind: "lookup", intent: `lookup-${n}`, request: { entity: "coupon", user_id: user } }, () =>
    http.get(`${base}/coupons?user_id=${user}`, { timeout: "1s", tags: { name: "coupons" } }),
  );
}

/** After the withdrawal everybody reloads the order page until patience runs out. */
export function refreshOrders(): void {
  const n = exec.scenario.iterationInTest;
  const { user } = buyer(n);
  op(
    { kind: "read-order", intent: `refresh-${n}`, request: { entity: "order", user_id: user } },
    () => http.get(`${base}/orders?user_id=${user}`, { timeout: "1s", tags: { name: "orders" } }),
  );
  const [least, most] = customer.refreshEveryS;
  sleep((least ?? 2) + uniform("refresh", n) * ((most ?? 5) - (least ?? 2)));
}
