/** Whether an issuing job may start, the way it is often checked: the cap against what has been issued so far. */
import type { ClientBase } from "pg";
import type { IssueAsk } from "./routes.ts";
import { refuse, type Refusal } from "./shop.ts";

const ISSUED = `
  SELECT cap IS NULL OR (SELECT count(*) FROM coupons WHERE campaign_id = $1) < cap AS room
  FROM campaigns WHERE id = $1 AND kind = 'grant'`;

/** null: it may. */
export async function admitIssue(client: ClientBase, ask: IssueAsk): Promise<Refusal | null> {
  const { rows } = await client.query<{ room: boolean }>(ISSUED, [ask.campaign_id]);
  if (rows[0] === undefined) return refuse(422, "unknown_campaign", "no such campaign");
  return rows[0].room ? null : refuse(422, "audience_exceeds_cap", "all coupons are issued");
}
