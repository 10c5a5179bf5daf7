/**
 * Publishing a policy, the same in both variants: the policy's row and a snapshot of every live order's declared
 * attributes, in the caller's transaction. Whatever is decided later is decided on the snapshot.
 */
import type { ClientBase } from "pg";
import { parseScope } from "./policy-scope.ts";
import type { WithdrawAsk } from "./routes.ts";

const POLICY = `
  INSERT INTO policies (policy, version, campaign_id, scope, action, carve_outs, coupon_action, deadline_ms, compensation)
  VALUES ($1, $2, $3, $4, 'cancel', $5, $6, $7, $8)`;

/** Locks each order while it is read: nothing ships or settles between its line in the snapshot and our commit. */
const SNAPSHOT = `
  WITH live AS (
    SELECT id, attributes, status FROM orders WHERE status IN ('pending', 'paid', 'held', 'cancelling', 'shipped')
    ORDER BY id FOR NO KEY UPDATE
  )
  INSERT INTO policy_snapshots (policy, version, order_id, attributes)
  SELECT $1, $2, id, attributes || jsonb_build_object('status', status) FROM live`;

export interface PolicyName {
  readonly name: string;
  readonly version: number;
}

/** "withdraw@1" → withdraw, 1. The form was checked at the border. */
export function policyName(policy: string): PolicyName {
  const [name = "", version = ""] = policy.split("@");
  return { name, version: Number(version) };
}

/** Throws ScopeError when scope or carve-outs do not follow the grammar, and a unique violation when the policy exists. */
export async function publishPolicy(client: ClientBase, ask: WithdrawAsk): Promise<PolicyName> {
  parseScope(ask.scope);
  if (ask.carve_outs !== null && ask.carve_outs.trim() !== "") parseScope(ask.carve_outs);
  const { name, version } = policyName(ask.policy);
  await client.query(POLICY, [
    name,
    version,
    ask.campaign_id,
    ask.scope,
    ask.carve_outs,
    ask.coupon_action,
    ask.deadline_ms,
    ask.compensation,
  ]);
  await client.query(SNAPSHOT, [name, version]);
  return { name, version };
}
