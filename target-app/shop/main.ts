/**
 * The shop's process: coupons, orders, the operator's commands. Run by the harness (configuration on stdin, see
 * ../process.ts); success is `{"ready":true,"port":N}` on descriptor 3. Mass jobs run in worker.ts, not here.
 */
import { z } from "zod";
import { listen, type Listening } from "../listen.ts";
import { createLog } from "../log.ts";
import { announceReady, databaseSchema, onEnd, portSchema, readConfiguration } from "../process.ts";
import { createShop } from "./app.ts";
import { loadCatalogue } from "./catalogue.ts";
import { CROWD_POOL, OPERATOR_POOL, openPool } from "./database.ts";
import { createQueue } from "./job-queue.ts";
import { openPayments } from "./payment-client.ts";
import { VARIANTS } from "./variants.ts";

const configuration = await readConfiguration(
  z.strictObject({
    runId: z.string().min(1),
    variant: z.enum(["naive", "guarded"]),
    port: portSchema,
    db: databaseSchema,
    gatewayUrl: z.url(),
    gatewayToken: z.string().min(8),
    operatorToken: z.string().min(8),
    webhookSecret: z.string().min(8),
  }),
);
const { runId, variant, db, gatewayUrl, gatewayToken, operatorToken, webhookSecret } =
  configuration;
const log = createLog(`shop-${variant}`, runId);
const pool = openPool(db, CROWD_POOL, "shop-crowd", log);
const operatorPool = openPool(db, OPERATOR_POOL, "shop-operator", log);
const boss = createQueue(operatorPool, { supervise: false });
boss.on("error", (error) => log.warn({ error: String(error) }, "job queue"));
let listening: Listening | undefined;
const notifyUrl = (): string => `http://127.0.0.1:${listening?.port ?? 0}/webhooks/payments`;
const timeoutMs = VARIANTS[variant].gatewayTimeoutMs;
const payments = openPayments(gatewayUrl, gatewayToken, timeoutMs, notifyUrl);
const [catalogue] = await Promise.all([loadCatalogue(operatorPool), boss.start()]);
const work = { accepted: 0 };
const app = createShop({
  runId,
  variant,
  pool,
  operatorPool,
  boss,
  payments,
  catalogue,
  webhookSecret,
  operatorToken,
  log,
  work,
});
onEnd(async () => {
  await Promise.all([pool.end(), operatorPool.end(), payments.close()]);
});
listening = await listen(app.fetch, configuration.port);
onEnd(() => listening?.close());
log.info({ port: listening.port }, "shop ready");
announceReady({ port: listening.port });
