/**
 * The JSON Schema of verdict.json, made from the same zod schema that reads it. Run `node reports/schema.ts` to write
 * reports/verdict.schema.json anew; a test fails when that file is not current.
 */
import { z } from "zod";
import { verdictSchema, writeWhole } from "../harness/history/run-folder.ts";

export const VERDICT_SCHEMA_FILE: URL = new URL("verdict.schema.json", import.meta.url);

/** The file's text: JSON Schema 2020-12, as a reader of verdict.json may expect it (unknown keys are allowed: formats grow). */
export function verdictJsonSchema(): string {
  const schema = z.toJSONSchema(verdictSchema, { target: "draft-2020-12", io: "input" });
  return `${JSON.stringify({ title: "stampede verdict.json", description: "What one run of stampede decided, schema 1.", ...schema }, null, 2)}\n`;
}

if (import.meta.main) writeWhole(VERDICT_SCHEMA_FILE.pathname, verdictJsonSchema());
