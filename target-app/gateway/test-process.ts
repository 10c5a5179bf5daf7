/** Starts a service process of the sample target for a test, the way the harness does: configuration on stdin, ready on descriptor 3. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { z } from "zod";
import { withClient } from "../test-database.ts";
import type { Database } from "../process.ts";

const START_TIMEOUT_MS = 15_000;
const readySchema = z.object({ ready: z.literal(true), port: z.number().optional() });

export interface TestProcess extends AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything it wrote to stdout and stderr so far. */
  output(): string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** `entry` is a path below target-app/. Rejects with the process's own output when it does not become ready. */
export async function startProcess(entry: string, configuration: unknown): Promise<TestProcess> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "..", entry), "--run-dir", "test"],
    {
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const killWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const gone = once(child, "exit").finally(() => process.off("exit", killWithUs));
  child.stdin?.on("error", () => undefined); // it may already be gone; its output says why
  child.stdin?.write(`${JSON.stringify(configuration)}\n`);
  const timer = setTimeout(() => child.kill("SIGKILL"), START_TIMEOUT_MS);
  const ready = createInterface({ input: child.stdio[3] as Readable });
  const line = await Promise.race([
    once(ready, "line").then(([text]) => String(text)),
    gone.then(() => null),
  ]);
  clearTimeout(timer);
  if (line === null) throw new Error(`${entry} did not become ready:\n${output}`);
  const { port } = readySchema.parse(JSON.parse(line));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await gone;
  };
  return {
    url: `http://127.0.0.1:${port ?? 0}`,
    child,
    output: () => output,
    kill: () => end("SIGKILL"),
    [Symbol.asyncDispose]: () => end("SIGTERM"),
  };
}

/** Applies every migration of a folder below target-app/, in the order of their names. */
export async function migrate(db: Database, folder: string): Promise<void> {
  const directory = join(import.meta.dirname, "..", folder);
  const files = (await readdir(directory)).filter((file) => file.endsWith(".sql")).toSorted();
  await withClient(db, async (client) => {
    for (const file of files) await client.query(await readFile(join(directory, file), "utf8"));
  });
}
