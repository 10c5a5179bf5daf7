/**
 * The worker's process: mass jobs, the warehouse, and in the guarded variant refunds, notices and the reconciliation of
 * unknown payments. Run by the harness (configuration on stdin, see ../process.ts); success is `{"ready":true}` on
 * descriptor 3. When nothing is to be done it costs the database four queries a second.
 */
import { z } from "zod";
import { createLog } from "../log.ts";
import { announceReady, databaseSchema, onEnd, readConfiguration } from "../process.ts";
import { openPool } from "./database.ts";
import { createQueue } from "./job-queue.ts";
import { openGateway } from "./jobs/gateway-client.ts";
import { handlers as guarded } from "./jobs/handlers-guarded.ts";
import { handlers as naive } from "./jobs/handlers-naive.ts";
import { Messages } from "./jobs/messages.ts";
import { noticeRound } from "./jobs/notices.ts";
import { ASK_AFTER_MS, reconcileRound } from "./jobs/reconcile.ts";
import { refundRound } from "./jobs/refunds.ts";
import { every, Rounds } from "./jobs/rounds.ts";
import { SHIP_EVERY_MS, shipTick } from "./jobs/shipping.ts";
import { openSink } from "./jobs/sink-client.ts";
import { becomeTheWorker, takeOver } from "./jobs/take-over.ts";
import type { Work } from "./jobs/work.ts";

const POOL = 10;
const WATCH_EVERY_MS = 500;

/** The one look that tells whether anything is to be done; each part is answered by a small partial index. */
const WATCH = {
  name: "watch",
  text: `
    SELECT EXISTS (SELECT FROM job_progress WHERE state IN ('queued', 'running')) AS jobs,
      EXISTS (SELECT FROM refunds WHERE state = 'requested' AND next_attempt_at <= clock_timestamp()) AS refunds,
      EXISTS (SELECT FROM outbox_pending) AS notices,
      EXISTS (SELECT FROM orders WHERE status = 'pending' AND created_at < clock_timestamp() - interval '${ASK_AFTER_MS} milliseconds') AS unknown`,
};

const configuration = await readConfiguration(
  z.strictObject({
    runId: z.string().min(1),
    variant: z.enum(["naive", "guarded"]),
    db: databaseSchema,
    gatewayUrl: z.url(),
    gatewayToken: z.string().min(8),
    sinkUrl: z.url(),
    sinkToken: z.string().min(8),
  }),
);
const { variant } = configuration;
const log = createLog("worker", configuration.runId);
const pool = openPool(configuration.db, POOL, "worker", log);
const boss = createQueue(pool, { supervise: false }); // it is asked to look only while a job is open
boss.on("error", (error) => log.warn({ error: String(error) }, "the queue had a problem"));
const gateway = openGateway(configuration.gatewayUrl, configuration.gatewayToken);
const sink = openSink(configuration.sinkUrl, configuration.sinkToken);

const work: Work = {
  variant,
  pool,
  boss,
  gateway,
  sink,
  log,
  wake: {
    refunds: () => refunds.wake(),
    notices: () => notices.wake(),
    messages: () => messages.wake(),
  },
};
const messages = new Messages(work, variant === "naive" ? naive(work) : guarded(work));
const refunds = new Rounds("refunds", log, () => refundRound(work));
const notices = new Rounds("notices", log, () => noticeRound(work));
const reconcile = new Rounds("reconcile", log, () => reconcileRound(work));

const session = await becomeTheWorker(work, (error) => {
  log.error(
    { error: String(error) },
    "the worker's session is gone, and with it the right to work",
  );
  process.exit(1);
});
await boss.start();
await takeOver(work);

const stopWatch = every(WATCH_EVERY_MS, "watch", log, async () => {
  const { rows } = await pool.query<{
    jobs: boolean;
    refunds: boolean;
    notices: boolean;
    unknown: boolean;
  }>(WATCH);
  const seen = rows[0];
  if (seen?.jobs === true) {
    messages.wake();
    await boss.supervise(); // frees the messages of a worker that hangs
  }
  if (variant === "naive" || seen === undefined) return;
  if (seen.refunds) refunds.wake();
  if (seen.notices) notices.wake();
  if (seen.unknown) reconcile.wake();
});
const stopShipping = every(SHIP_EVERY_MS, "shipping", log, () => shipTick(work));

onEnd(async () => {
  await Promise.all([
    stopWatch(),
    stopShipping(),
    messages.stop(),
    refunds.stop(),
    notices.stop(),
    reconcile.stop(),
  ]);
  await boss.stop({ graceful: false });
  await Promise.all([gateway.close(), sink.close()]);
  session.release(true);
  await pool.end();
});
log.info({ variant }, "worker ready");
announceReady();
