/** Where run folders go and how they are named. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { wallIso } from "../determinism/clock.ts";
import { secret } from "../determinism/seed.ts";

/** The repository writes to reports/out, an installed copy to ./stampede-runs. */
export function outputRoot(out: string | undefined): string {
  if (out !== undefined) return resolve(out);
  const repository = fileURLToPath(new URL("../../", import.meta.url));
  return existsSync(`${repository}.git`) && !repository.includes("node_modules")
    ? `${repository}reports/out`
    : resolve("stampede-runs");
}

/** `20250106-004400-naive-3f2a`: sorts by time, unique beside a run started in the same second. */
export function newId(word: string): string {
  const stamp = wallIso().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  return `${stamp}-${word}-${secret(2)}`;
}
