/** Mass jobs, naive: one message is the whole batch, and one attempt is all it gets. */
import { cancel } from "./cancel-naive.ts";
import { issue } from "./issue-naive.ts";
import type { Handlers } from "./messages.ts";
import { recall } from "./recall-naive.ts";
import { loadJob, markEnded, type MassJob, type Work } from "./work.ts";

const KINDS: Readonly<Record<string, (work: Work, job: MassJob) => Promise<void>>> = {
  issue,
  recall,
  cancel,
};

export function handlers(work: Work): Handlers {
  return {
    job: async (jobId) => {
      const job = await loadJob(work.pool, jobId);
      const run = KINDS[job.kind];
      try {
        if (run === undefined) throw new Error(`nobody here does jobs of the kind ${job.kind}`);
        await run(work, job);
        work.log.info({ job: jobId }, "job done");
      } catch (error) {
        await markEnded(work.pool, jobId, "failed", String(error));
        throw error;
      }
    },
    chunk: () => Promise.reject(new Error("naive knows no chunks")),
  };
}
