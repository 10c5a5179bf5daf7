/** demo.json: the record of one demo, beside its two runs; the comparison page and the last screen are made from it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { StampedeError } from "../harness/errors.ts";
import { writeWhole } from "../harness/history/run-folder.ts";

export const demoSchema = z.object({
  format: z.literal(1),
  id: z.string(),
  seed: z.number().int(),
  /** Orders per second; one probe for both variants. */
  capacity: z.number(),
  /** Names of the two run folders inside the demo's folder. */
  naive: z.string(),
  guarded: z.string(),
  as_intended: z.boolean(),
  /** What was not as intended, or (when it was) the margins that show it. */
  because: z.array(z.string()),
});
export type Demo = z.infer<typeof demoSchema>;

export function writeDemo(dir: string, demo: Demo): void {
  writeWhole(join(dir, "demo.json"), `${JSON.stringify(demo, null, 2)}\n`);
}

/** @throws StampedeError("configuration") when there is no demo.json, or it is not one */
export function readDemo(dir: string): Demo {
  const path = join(dir, "demo.json");
  if (!existsSync(path))
    throw new StampedeError(
      "configuration",
      `expected a demo's demo.json at ${path}; there is no such file`,
      { hint: "give the folder of a finished demo" },
    );
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new StampedeError("configuration", `${path} must be JSON; it is not`, { cause });
  }
  const parsed = demoSchema.safeParse(data);
  if (!parsed.success)
    throw new StampedeError(
      "configuration",
      `${path} is not a demo: ${z.prettifyError(parsed.error)}`,
    );
  return parsed.data;
}
