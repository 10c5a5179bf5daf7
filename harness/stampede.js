#!/usr/bin/env node
// The launcher, plain JavaScript that any Node can read: finds a Node of at least version 24 and hands over to cli.ts.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const needed = 24;
const major = Number(process.versions.node.split(".")[0]);

/** The Node that the optional dependency `node` brings, in this package's or an enclosing node_modules. */
function bundledNode() {
  for (let folder = dirname(here); ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", "node", "bin", "node");
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return null;
  }
}

const cli = join(here, "cli.ts");
if (major >= needed) {
  // Until a command listens itself there is nothing to undo: an interrupt is simply the end.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(105);
    });
  await import(pathToFileURL(cli).href);
} else {
  const node = bundledNode();
  if (node === null) {
    process.stderr.write(
      `stampede needs Node ${needed} or newer, this is ${process.versions.node}: run \`npm install\` without --omit=optional, or install Node ${needed} from nodejs.org\n`,
    );
    process.exit(104);
  }
  const child = spawn(node, [cli, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 109 : 105)));
}
