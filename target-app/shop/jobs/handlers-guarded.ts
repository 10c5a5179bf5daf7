/** Mass jobs, guarded: a message starts a job by cutting it, each further message is one of its chunks. */
import type { JobKind } from "../job-queue.ts";
import { cancel } from "./cancel-guarded.ts";
import { runChunk, startChunked, type ChunkedJob } from "./chunks.ts";
import { compensate } from "./compensate-guarded.ts";
import { issue } from "./issue-guarded.ts";
import type { Handlers } from "./messages.ts";
import { recall } from "./recall-guarded.ts";
import { loadJob, type Work } from "./work.ts";

const KINDS: Readonly<Record<JobKind, ChunkedJob>> = { issue, recall, cancel, compensate };

export function handlers(work: Work): Handlers {
  return {
    job: async (jobId) => {
      const job = await loadJob(work.pool, jobId);
      await startChunked(work, job, KINDS[job.kind]);
    },
    chunk: async (jobId, chunk) => {
      const job = await loadJob(work.pool, jobId);
      await runChunk(work, job, KINDS[job.kind], chunk);
    },
  };
}
