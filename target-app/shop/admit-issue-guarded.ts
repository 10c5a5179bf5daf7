/**
 * Whether an issuing job may start: the audience is resolved first and held against what was declared, against the
 * eligibility snapshot, and against the cap. A wrong WHERE ends here, before the first coupon.
 */
import type { ClientBase } from "pg";
import { AUDIENCE_SQL } from "./audience.ts";
import type { IssueAsk } from "./routes.ts";
import { refuse, type Refusal } from "./shop.ts";

interface Resolved {
  readonly size: number;
  readonly strangers: number;
  readonly room: number | null;
}

/** null: it may. */
export async function admitIssue(client: ClientBase, ask: IssueAsk): Promise<Refusal | null> {
  const { rows } = await client.query<Resolved>(
    `WITH audience AS (${AUDIENCE_SQL[ask.audience]}), listed AS (SELECT user_id FROM eligible WHERE campaign_id = $1)
     SELECT (SELECT count(*) FROM audience) AS size,
       (SELECT count(*) FROM audience LEFT JOIN listed USING (user_id)
        WHERE listed.user_id IS NULL AND EXISTS (SELECT FROM listed)) AS strangers,
       counter.cap - counter.issued AS room
     FROM campaigns JOIN campaign_counters AS counter ON counter.campaign_id = id WHERE id = $1 AND kind = 'grant'`,
    [ask.campaign_id],
  );
  const resolved = rows[0];
  if (resolved === undefined) return refuse(422, "unknown_campaign", "no such campaign");
  const { size, strangers, room } = resolved;
  const declared = ask.declared_audience;
  if (declared === null || size > declared)
    return refuse(
      422,
      "audience_exceeds_declared",
      `declared ${declared ?? "nothing"}, but the audience is ${size} members`,
    );
  if (strangers > 0)
    return refuse(422, "audience_not_eligible", `${strangers} of ${size} members are not eligible`);
  if (room !== null && size > room)
    return refuse(422, "audience_exceeds_cap", `${room} coupons are left for ${size} members`);
  return null;
}
