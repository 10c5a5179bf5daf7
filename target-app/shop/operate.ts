/** The operator's commands: each one transaction on the operator's own connections; a repeated key starts nothing twice. */
import type { PoolClient } from "pg";
import { declareJob, enqueueJob } from "./job-queue.ts";
import { ScopeError } from "./policy-scope.ts";
import type { IssueAsk, RecallAsk, WithdrawAsk } from "./routes.ts";
import { done, refuse, type Answer, type Shop } from "./shop.ts";
import { VARIANTS } from "./variants.ts";

type Accepted = Answer<{ job_id: string }>;

const UNIQUE_VIOLATION = "23505";

export async function issue(shop: Shop, ask: IssueAsk, intent: string | null): Promise<Accepted> {
  return transaction(shop, intent, async (client) => {
    const refusal = await VARIANTS[shop.variant].admitIssue(client, ask);
    if (refusal !== null) return refusal;
    const id = await declareJob(client, {
      kind: "issue",
      campaignId: ask.campaign_id,
      intent,
      audience: ask.audience,
      declaredAudience: ask.declared_audience,
    });
    await enqueueJob(shop.boss, client, shop.variant, id);
    return done({ job_id: id });
  });
}

export async function recall(shop: Shop, ask: RecallAsk, intent: string | null): Promise<Accepted> {
  return transaction(shop, intent, async (client) => {
    if (!(await campaignExists(client, ask.campaign_id)))
      return refuse(422, "unknown_campaign", "no such campaign");
    const id = await declareJob(client, { kind: "recall", campaignId: ask.campaign_id, intent });
    await enqueueJob(shop.boss, client, shop.variant, id);
    return done({ job_id: id });
  });
}

export async function withdraw(
  shop: Shop,
  ask: WithdrawAsk,
  intent: string | null,
): Promise<Accepted> {
  try {
    return await transaction(shop, intent, async (client) => {
      if (!(await campaignExists(client, ask.campaign_id)))
        return refuse(422, "unknown_campaign", "no such campaign");
      return done({ job_id: await VARIANTS[shop.variant].withdraw(shop, client, ask, intent) });
    });
  } catch (error) {
    if (error instanceof ScopeError) return refuse(422, "bad_scope", error.message);
    if (error instanceof Error && "constraint" in error && error.constraint === "policies_pkey")
      return refuse(
        409,
        "policy_exists",
        `${ask.policy} is published already; publish a new version`,
      );
    throw error;
  }
}

/** Commits what is done, rolls back what is refused; gives the earlier job when the key was used before. */
async function transaction(
  shop: Shop,
  intent: string | null,
  work: (client: PoolClient) => Promise<Accepted>,
): Promise<Accepted> {
  const client = await shop.operatorPool.connect();
  let broken = true;
  try {
    await client.query("BEGIN");
    const earlier = await jobOf(client, intent);
    const answer = earlier === null ? await work(client) : done({ job_id: earlier });
    await client.query(answer.kind === "done" ? "COMMIT" : "ROLLBACK");
    broken = false;
    if (answer.kind === "done") shop.log.info({ job: answer.value.job_id, intent }, "job accepted");
    return answer;
  } catch (error) {
    const racing = error instanceof Error && "code" in error && error.code === UNIQUE_VIOLATION;
    await client.query("ROLLBACK");
    broken = false;
    const earlier = racing ? await jobOf(client, intent) : null;
    if (earlier !== null) return done({ job_id: earlier });
    throw error;
  } finally {
    client.release(broken);
  }
}

async function jobOf(client: PoolClient, intent: string | null): Promise<string | null> {
  const { rows } = await client.query<{ id: string }>("SELECT id FROM jobs WHERE intent = $1", [
    intent,
  ]);
  return rows[0]?.id ?? null;
}

async function campaignExists(client: PoolClient, id: string): Promise<boolean> {
  return (await client.query("SELECT FROM campaigns WHERE id = $1", [id])).rowCount === 1;
}
