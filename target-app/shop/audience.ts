/** Who an issuing job means: the operator's words for a segment, as SQL. `$1` is the campaign's id. */
import { z } from "zod";

export const audienceSchema = z.enum(["all-members", "eligible"]);
export type Audience = z.infer<typeof audienceSchema>;

/** A SELECT of user ids (column `user_id`). */
export const AUDIENCE_SQL: Readonly<Record<Audience, string>> = {
  "all-members": "SELECT id AS user_id FROM members WHERE $1::text IS NOT NULL",
  eligible: "SELECT user_id FROM eligible WHERE campaign_id = $1",
};
