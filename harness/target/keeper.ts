/**
 * The keeper: a process of its own that holds a pipe to the harness. End of file without a farewell means the harness
 * is dead, however it died, and everything the run made is undone. Run: node keeper.ts --run-dir DIR RUN OWNER_PID.
 * Success: it prints "ready" once the table exists, and exits 0 after a farewell or after the undo. It does not survive
 * its own SIGKILL: doctor and the next start do its work then.
 */
import { basename } from "node:path";
import { createTable, undo } from "./ownership.ts";
import { identify } from "./processes.ts";

const [, , flag, dir, owner] = process.argv;
if (flag !== "--run-dir" || dir === undefined || owner === undefined) process.exit(104);

for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(name, () => {}); // only the pipe decides

createTable(dir, basename(dir), identify(Number(owner)));
process.stdout.on("error", () => {}); // the harness died before it could listen; the pipe's end says so too
process.stdout.write("ready\n");

let farewell = false;
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text: string) => {
  if (text.includes("farewell")) farewell = true;
});
process.stdin.on("error", () => {});
process.stdin.on("close", () => {
  void (farewell ? Promise.resolve([]) : undo(dir)).then(() => process.exit(0));
});
