/** A whole small stage for tests of the worker: real PostgreSQL, gateway, sink, shop and worker, each its own process. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { monotonicMs } from "../../clock.ts";
import { startProcess, type TestProcess } from "../../gateway/test-process.ts";
import { prepareTemplates } from "../../prepare.ts";
import type { Database } from "../../process.ts";
import { startTestDatabase, withClient, type TestDatabase } from "../../test-database.ts";
import type { Variant } from "../job-queue.ts";

const ADMIN = "admin-token";
const MERCHANT = "merchant-token";
const OPERATOR = "operator-token";
const SECRET = "webhook-secret";
const TEMPLATES = { shop: "shop_template", gateway: "gateway_template", sink: "sink_template" };

/** The cluster with its templates; one a test file. */
export async function startCluster(): Promise<TestDatabase> {
  await using starting = new AsyncDisposableStack();
  const cluster = starting.use(await startTestDatabase());
  await prepareTemplates({ db: cluster.db, templates: TEMPLATES, seed: 7, members: 25_000 });
  starting.move();
  return cluster;
}

export interface Stage extends AsyncDisposable {
  readonly books: Readonly<Record<"shop" | "gateway" | "sink", Database>>;
  /** Rows of a query against one of the books; bigint and numeric come as text. */
  rows(book: "shop" | "gateway" | "sink", sql: string): Promise<Record<string, unknown>[]>;
  /** The one number of a query. */
  number(book: "shop" | "gateway" | "sink", sql: string): Promise<number>;
  operate(
    action: "issue" | "recall" | "withdraw",
    body: unknown,
  ): Promise<{ readonly status: number; readonly jobId: string }>;
  /** One order; resolves with the HTTP status. */
  order(key: string, user: string, campaign: string | null): Promise<number>;
  /** `count` orders by as many members, from u000001 on, `atOnce` at a time; resolves with how many were placed. */
  orders(count: number, campaign: string | null, from?: number, atOnce?: number): Promise<number>;
  gatewayMode(mode: unknown): Promise<void>;
  killWorker(): Promise<void>;
  startWorker(): Promise<void>;
  pauseWorker(): void;
  resumeWorker(): void;
  /** Waits until nothing is open; resolves with the seconds it took. */
  drained(withinS: number): Promise<number>;
  workerOutput(): string;
}

let stages = 0;

export async function openStage(cluster: TestDatabase, variant: Variant): Promise<Stage> {
  await using starting = new AsyncDisposableStack(); // what has started ends with us when the rest does not start
  const books = await createBooks(cluster, ++stages);
  const run = { runId: "t" };
  const start = async (entry: string, configuration: unknown): Promise<TestProcess> =>
    starting.use(await startProcess(entry, configuration));
  const [gateway, sink] = await Promise.all([
    start("gateway/main.ts", {
      ...run,
      port: 0,
      db: books.gateway,
      adminToken: ADMIN,
      merchantToken: MERCHANT,
      webhookSecret: SECRET,
      latencyMs: 5,
    }),
    start("sink/main.ts", { ...run, port: 0, db: books.sink, merchantToken: MERCHANT }),
  ]);
  const shared = {
    ...run,
    variant,
    db: books.shop,
    gatewayUrl: gateway.url,
    gatewayToken: MERCHANT,
  };
  const workerConfiguration = { ...shared, sinkUrl: sink.url, sinkToken: MERCHANT };
  const [shop, firstWorker] = await Promise.all([
    start("shop/main.ts", {
      ...shared,
      port: 0,
      operatorToken: OPERATOR,
      webhookSecret: SECRET,
    }),
    start("shop/worker.ts", workerConfiguration),
  ]);
  let worker = firstWorker;
  const rows: Stage["rows"] = (book, sql) =>
    withClient(
      books[book],
      async (client) => (await client.query<Record<string, unknown>>(sql)).rows,
    );
  starting.move();
  return {
    books,
    rows,
    number: async (book, sql) => Number(Object.values((await rows(book, sql))[0] ?? {})[0]),
    ...customersAndOperator(shop, () => worker.output()),
    gatewayMode: async (mode) => {
      const headers = { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" };
      await fetch(`${gateway.url}/admin/mode`, {
        method: "POST",
        headers,
        body: JSON.stringify(mode),
      });
    },
    killWorker: () => worker.kill(),
    startWorker: async () => {
      worker = await startProcess("shop/worker.ts", workerConfiguration);
    },
    pauseWorker: () => void worker.child.kill("SIGSTOP"),
    resumeWorker: () => void worker.child.kill("SIGCONT"),
    workerOutput: () => worker.output(),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        [shop, worker, gateway, sink].map((process) => process[Symbol.asyncDispose]()),
      );
    },
  };
}

async function createBooks(cluster: TestDatabase, n: number): Promise<Stage["books"]> {
  return {
    shop: await cluster.create(`shop_${n}`, TEMPLATES.shop),
    gateway: await cluster.create(`gateway_${n}`, TEMPLATES.gateway),
    sink: await cluster.create(`sink_${n}`, TEMPLATES.sink),
  };
}

function customersAndOperator(
  shop: TestProcess,
  workerOutput: () => string,
): Pick<Stage, "order" | "orders" | "operate" | "drained"> {
  const call = callShop(shop);
  const token = { authorization: `Bearer ${OPERATOR}` };
  const order: Stage["order"] = async (key, user, campaign) => {
    const ask = { user_id: user, items: [{ sku: "shoes-01", qty: 1 }], coupon_campaign: campaign };
    return (await call("POST", "/orders", ask, { "idempotency-key": key })).status;
  };
  return {
    order,
    orders: (count, campaign, from = 1, atOnce = 20) =>
      placeMany(order, count, campaign, from, atOnce),
    operate: async (action, body) => {
      const answer = await call("POST", `/operator/${action}`, body, {
        ...token,
        "idempotency-key": `${action}-${monotonicMs()}`,
      });
      return {
        status: answer.status,
        jobId: z.object({ job_id: z.string().default("") }).parse(answer.body).job_id,
      };
    },
    drained: async (withinS) => {
      const began = monotonicMs();
      for (;;) {
        const answer = await call("GET", "/operator/drained", undefined, token);
        const { drained, waiting } = z
          .object({ drained: z.boolean(), waiting: z.string() })
          .parse(answer.body);
        const tookS = (monotonicMs() - began) / 1_000;
        if (drained) return tookS;
        if (tookS > withinS)
          throw new Error(`not drained after ${withinS} s: ${waiting}\n${workerOutput()}`);
        await delay(100);
      }
    },
  };
}

function callShop(shop: TestProcess) {
  return async (
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(shop.url + path, {
      method,
      headers: { ...headers, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
}

async function placeMany(
  order: Stage["order"],
  count: number,
  campaign: string | null,
  from: number,
  atOnce: number,
): Promise<number> {
  let next = 0;
  let placed = 0;
  const lane = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) {
      const user = `u${String(from + n).padStart(6, "0")}`;
      if ((await order(`${campaign ?? "none"}-${from + n}`, user, campaign)) === 201) placed++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return placed;
}

/** Waits until `look` says yes; throws with `what` when it does not in time. */
export async function until(
  what: string,
  withinMs: number,
  look: () => Promise<boolean>,
): Promise<number> {
  const began = monotonicMs();
  while (!(await look())) {
    if (monotonicMs() - began > withinMs) throw new Error(`waited ${withinMs} ms for: ${what}`);
    await delay(20);
  }
  return monotonicMs() - began;
}
