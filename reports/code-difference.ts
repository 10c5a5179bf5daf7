/** Which pair of files holds the flaw that a matched pair shows: the diff is the lesson (style.md, rule 20). */
import type { MatchedPair } from "../harness/history/run-folder.ts";

export interface CodeDifference {
  readonly naive: string;
  readonly guarded: string;
}

/** What the sample shop's naive cancel batch looks at decides what separates two customers. */
const CANCEL_BATCH: CodeDifference = {
  naive: "target-app/shop/jobs/cancel-naive.ts",
  guarded: "target-app/shop/jobs/cancel-guarded.ts",
};

/** Null when one of the two was not cancelled by a batch: then no file of ours is to blame. */
export function codeOfPair(pair: MatchedPair): CodeDifference | null {
  return [pair.left, pair.right].some(
    (side) => side.outcome === "cancelled" || side.outcome === "held",
  )
    ? CANCEL_BATCH
    : null;
}
