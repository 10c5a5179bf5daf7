/** What the shop says of itself to its operator, over the operator's own connections: fast even when the crowd waits. */
import type { Shop } from "./shop.ts";

const JOBS_MAX = 50;

export interface JobVitals {
  readonly id: string;
  readonly kind: string;
  readonly done: number;
  readonly total: number;
  readonly state: string;
}

const JOBS = {
  name: "vitals-jobs",
  text: `SELECT id, kind, done, total, state FROM jobs JOIN job_progress ON job_id = id ORDER BY id LIMIT ${JOBS_MAX}`,
};

/** One row a thing that has not come to rest. */
const RESTLESS = {
  name: "restless",
  text: `
    SELECT what, n FROM (VALUES
      ('job(s) open', (SELECT count(*) FROM job_progress WHERE state IN ('queued', 'running'))),
      ('order(s) unsettled', (SELECT count(*) FROM orders WHERE status IN ('pending', 'held', 'cancelling'))),
      ('refund(s) requested', (SELECT count(*) FROM refunds WHERE state = 'requested')),
      ('message(s) unsent', (SELECT count(*) FROM outbox_pending))) AS thing (what, n)
    WHERE n > 0`,
};

/** `queue_depth`: customers' requests accepted and not answered, those waiting for a connection among them. */
export async function readVitals(shop: Shop): Promise<{ queue_depth: number; jobs: JobVitals[] }> {
  const { rows } = await shop.operatorPool.query<JobVitals>(JOBS);
  return { queue_depth: shop.work.accepted, jobs: rows };
}

/** Whether everything asynchronous has come to rest, and if not, what it waits for. */
export async function readDrained(shop: Shop): Promise<{ drained: boolean; waiting: string }> {
  const { rows } = await shop.operatorPool.query<{ what: string; n: number }>(RESTLESS);
  const waiting = rows.map(({ what, n }) => `${n} ${what}`);
  if (shop.work.accepted > 0) waiting.unshift(`${shop.work.accepted} request(s) in work`);
  return { drained: waiting.length === 0, waiting: waiting.join(", ") };
}
