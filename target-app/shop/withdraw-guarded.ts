/**
 * Withdrawing a campaign with care: policy, snapshot, shipping hold and the jobs that act under the policy are one
 * transaction. From its commit nothing in scope can ship, and every job names policy@version.
 */
import type { PoolClient } from "pg";
import { declareJob, enqueueJob } from "./job-queue.ts";
import { policySql } from "./policy-scope.ts";
import { publishPolicy, type PolicyName } from "./publish-policy.ts";
import type { WithdrawAsk } from "./routes.ts";
import type { Shop } from "./shop.ts";

/** Runs in the caller's transaction. Returns the cancel job's id. */
export async function withdraw(
  shop: Shop,
  client: PoolClient,
  ask: WithdrawAsk,
  intent: string | null,
): Promise<string> {
  const policy = ask.policy;
  const campaignId = ask.campaign_id;
  await holdShipping(client, await publishPolicy(client, ask), ask);
  const recall = await declareJob(client, { kind: "recall", campaignId, policy });
  const compensate =
    ask.compensation === null
      ? undefined
      : await declareJob(client, { kind: "compensate", campaignId, policy });
  const parameters = compensate === undefined ? {} : { next: compensate };
  const cancel = await declareJob(client, {
    kind: "cancel",
    campaignId,
    policy,
    intent,
    parameters,
  });
  await enqueueJob(shop.boss, client, shop.variant, recall);
  await enqueueJob(shop.boss, client, shop.variant, cancel);
  return cancel;
}

/** The hold is a flag, not a status: the order looks to its customer as it did, until it is cancelled or let go. */
async function holdShipping(
  client: PoolClient,
  { name, version }: PolicyName,
  ask: WithdrawAsk,
): Promise<void> {
  const parameters: unknown[] = [name, version];
  const inScope = policySql(ask.scope, ask.carve_outs, "snapshot.attributes", parameters);
  await client.query(
    `UPDATE orders SET shipping_hold = true FROM policy_snapshots AS snapshot
     WHERE snapshot.policy = $1 AND snapshot.version = $2 AND orders.id = snapshot.order_id
       AND orders.status IN ('pending', 'paid', 'held') AND ${inScope}`,
    parameters,
  );
}
