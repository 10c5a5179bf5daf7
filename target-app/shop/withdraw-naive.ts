/**
 * Withdrawing a campaign, the way it is often done: the policy is published like in any company that has a crisis
 * manual, and then the batch people start neither reads nor names it. Orders keep shipping meanwhile.
 */
import type { PoolClient } from "pg";
import { declareJob, enqueueJob } from "./job-queue.ts";
import { publishPolicy } from "./publish-policy.ts";
import type { WithdrawAsk } from "./routes.ts";
import type { Shop } from "./shop.ts";

/** Runs in the caller's transaction. Returns the cancel job's id. */
export async function withdraw(
  shop: Shop,
  client: PoolClient,
  ask: WithdrawAsk,
  intent: string | null,
): Promise<string> {
  await publishPolicy(client, ask);
  const campaignId = ask.campaign_id;
  const recall = await declareJob(client, { kind: "recall", campaignId });
  const cancel = await declareJob(client, {
    kind: "cancel",
    campaignId,
    intent,
    parameters: { compensation: ask.compensation },
  });
  await enqueueJob(shop.boss, client, shop.variant, recall);
  await enqueueJob(shop.boss, client, shop.variant, cancel);
  return cancel;
}
