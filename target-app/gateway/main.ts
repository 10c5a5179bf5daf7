/**
 * The payment gateway's process: charges, refunds, voids, signed webhooks, on a ledger of its own.
 * Run by the harness (configuration on stdin, see ../process.ts); success is `{"ready":true,"port":N}` on descriptor 3.
 */
import { Pool } from "pg";
import { Agent } from "undici";
import { z } from "zod";
import { listen } from "../listen.ts";
import { createLog } from "../log.ts";
import { announceReady, databaseSchema, onEnd, portSchema, readConfiguration } from "../process.ts";
import { createGateway } from "./app.ts";
import { healthyMode } from "./modes.ts";
import { Webhooks } from "./webhooks.ts";

const configuration = await readConfiguration(
  z.strictObject({
    runId: z.string().min(1),
    port: portSchema,
    db: databaseSchema,
    adminToken: z.string().min(8),
    merchantToken: z.string().min(8),
    webhookSecret: z.string().min(8),
    latencyMs: z.number().int().min(0).max(60_000).default(25),
  }),
);
const log = createLog("gateway", configuration.runId);
const pool = new Pool({ ...configuration.db, max: 6, application_name: "gateway" });
pool.on("error", (error) => log.warn({ error: String(error) }, "a database connection was lost"));
const mode = healthyMode(configuration.latencyMs);
const agent = new Agent({ connections: 2 });
const webhooks = new Webhooks(pool, agent, configuration.webhookSecret, mode, log);
const { adminToken, merchantToken } = configuration;
const app = createGateway({ pool, mode, webhooks, adminToken, merchantToken, log });
const listening = await listen(app.fetch, configuration.port);
onEnd(async () => {
  webhooks.stop();
  await agent.destroy();
  await pool.end();
});
onEnd(() => listening.close());
await pool.query("SELECT 1");
webhooks.wake(); // what an earlier process of this run left undelivered
log.info({ port: listening.port }, "gateway ready");
announceReady({ port: listening.port });
