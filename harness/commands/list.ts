/** `stampede list`: the scenarios that come along, the invariants that are judged, the faults that can be named. */
import { EXIT } from "../errors.ts";
import { readFileSync } from "node:fs";
import { FAULTS } from "../faults/catalogue.ts";
import { shippedScenarios } from "../scenario/load-scenario.ts";
import { BUILT_IN_INVARIANTS, loadInvariants } from "../judge/invariant-file.ts";

/** The first sentence of a scenario's header comment. */
function headline(path: string): string {
  const header = /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(path, "utf8"))?.[1] ?? "";
  return (
    header
      .replaceAll(/\s*\n \*\s?/g, " ")
      .trim()
      .split(". ")[0] ?? ""
  );
}

export function listCommand(): Promise<number> {
  console.log("SCENARIOS (stampede run NAME)");
  for (const [name, path] of Object.entries(shippedScenarios()))
    console.log(`  ${name.padEnd(24)} ${headline(path)}`);
  console.log("\nINVARIANTS");
  for (const { id, name, holds } of loadInvariants([BUILT_IN_INVARIANTS]))
    console.log(`  ${id.padEnd(6)} ${name.padEnd(24)} ${holds}`);
  console.log("\nFAULTS (event.timeline)");
  for (const { name, what } of Object.values(FAULTS)) console.log(`  ${name.padEnd(24)} ${what}`);
  return Promise.resolve(EXIT.pass);
}
