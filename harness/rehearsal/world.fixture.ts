/** A whole world with a target and a growing run folder, standing still until it is killed: for the tests that kill it. argv: RUN_ID. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleepMs } from "../determinism/clock.ts";
import { Stage } from "../target/stage.ts";
import { growFolder } from "./finish.ts";
import { World } from "./world.ts";

const [, , run = "fixture"] = process.argv;
const stage = await Stage.open(run);
const world = await World.open(stage, 1);
const folder = growFolder(join(tmpdir(), "runs", run), stage.ownership);
const target = await world.target("killed", "guarded", folder.logsDir);
process.stdout.write(`standing ${target.baseUrl}\n`);
for (;;) await sleepMs(1000);
