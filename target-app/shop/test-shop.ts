/** For tests: a real shop process with its gateway process, on a database cloned from a prepared template. */
import { prepareTemplates } from "../prepare.ts";
import { startProcess, type TestProcess } from "../gateway/test-process.ts";
import { startTestDatabase, type TestDatabase } from "../test-database.ts";
import type { Database } from "../process.ts";
import type { Variant } from "./job-queue.ts";

export const OPERATOR_TOKEN = "operator-token";
export const ADMIN_TOKEN = "admin-token";
export const MERCHANT_TOKEN = "merchant-token";
export const WEBHOOK_SECRET = "webhook-secret";
const TEMPLATES = { shop: "shop_template", gateway: "gateway_template", sink: "sink_template" };

/** A cluster with templates of 20,000 members. */
export async function startPreparedCluster(seed = 7): Promise<TestDatabase> {
  const cluster = await startTestDatabase();
  await prepareTemplates({ db: cluster.db, templates: TEMPLATES, seed, members: 20_000 });
  return cluster;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TestShop extends AsyncDisposable {
  readonly url: string;
  readonly db: Database;
  readonly gatewayDb: Database;
  readonly process: TestProcess;
  readonly gateway: TestProcess;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  post(path: string, body: unknown, key?: string): Promise<Reply>;
  operate(path: string, body: unknown, key?: string): Promise<Reply>;
  /** The gateway's mode: latencyMs, captures … */
  provider(mode: Readonly<Record<string, unknown>>): Promise<void>;
}

export async function startTestShop(cluster: TestDatabase, variant: Variant): Promise<TestShop> {
  const db = await cluster.create(`shop_${variant}`, TEMPLATES.shop);
  const gatewayDb = await cluster.create(`gateway_${variant}`, TEMPLATES.gateway);
  const shared = { runId: "test", port: 0, webhookSecret: WEBHOOK_SECRET };
  const gateway = await startProcess("gateway/main.ts", {
    ...shared,
    db: gatewayDb,
    adminToken: ADMIN_TOKEN,
    merchantToken: MERCHANT_TOKEN,
    latencyMs: 5,
  });
  const shop = await startProcess("shop/main.ts", {
    ...shared,
    variant,
    db,
    gatewayUrl: gateway.url,
    gatewayToken: MERCHANT_TOKEN,
    operatorToken: OPERATOR_TOKEN,
  });
  const send = async (url: string, init: RequestInit): Promise<Reply> => {
    const answer = await fetch(url, init);
    const body = (await answer.json()) as Record<string, unknown>;
    return { status: answer.status, headers: answer.headers, body };
  };
  const post = (path: string, body: unknown, key?: string, token?: string): Promise<Reply> =>
    send(`${shop.url}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(key === undefined ? {} : { "idempotency-key": key }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
  return {
    url: shop.url,
    db,
    gatewayDb,
    process: shop,
    gateway,
    get: (path, headers = {}) => send(`${shop.url}${path}`, { headers }),
    post: (path, body, key) => post(path, body, key),
    operate: (path, body, key) => post(path, body, key, OPERATOR_TOKEN),
    provider: async (mode) => {
      const headers = {
        "content-type": "application/json",
        authorization: `Bearer ${ADMIN_TOKEN}`,
      };
      const init = { method: "POST", headers, body: JSON.stringify(mode) };
      const { status } = await send(`${gateway.url}/admin/mode`, init);
      if (status !== 200)
        throw new Error(`expected the gateway to change its mode, but it answered ${status}`);
    },
    [Symbol.asyncDispose]: async () => {
      await shop[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}
