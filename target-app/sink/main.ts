/**
 * The message sink's process: a stand-in for the providers of SMS, e-mail and push, with a book of its own.
 * Run by the harness (configuration on stdin, see ../process.ts); success is `{"ready":true,"port":N}` on descriptor 3.
 */
import { Pool } from "pg";
import { z } from "zod";
import { listen } from "../listen.ts";
import { createLog } from "../log.ts";
import { announceReady, databaseSchema, onEnd, portSchema, readConfiguration } from "../process.ts";
import { createSink } from "./app.ts";

const configuration = await readConfiguration(
  z.strictObject({
    runId: z.string().min(1),
    port: portSchema,
    db: databaseSchema,
    merchantToken: z.string().min(8),
  }),
);
const log = createLog("sink", configuration.runId);
const pool = new Pool({ ...configuration.db, max: 2, application_name: "sink" });
pool.on("error", (error) => log.warn({ error: String(error) }, "a database connection was lost"));
const listening = await listen(
  createSink(pool, configuration.merchantToken, log).fetch,
  configuration.port,
);
onEnd(() => pool.end());
onEnd(() => listening.close());
await pool.query("SELECT 1");
log.info({ port: listening.port }, "sink ready");
announceReady({ port: listening.port });
