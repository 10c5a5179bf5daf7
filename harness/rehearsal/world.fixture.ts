/** A whole world with a target, standing still until it is killed: for the tests that kill it. argv: RUN_ID. */
import { join } from "node:path";
import { sleepMs } from "../determinism/clock.ts";
import { Stage } from "../target/stage.ts";
import { World } from "./world.ts";

const [, , run = "fixture"] = process.argv;
const stage = await Stage.open(run);
const world = await World.open(stage, 1);
const target = await world.target("killed", "guarded", join(stage.dir, "logs", "killed"));
process.stdout.write(`standing ${target.baseUrl}\n`);
for (;;) await sleepMs(1000);
