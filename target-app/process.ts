/**
 * How a service process of the sample target starts and ends. Its secrets come as one line of JSON on stdin, never by
 * argv or environment, where any user of the machine could read them. stdin then stays open as a lifeline: when the
 * parent dies, however it dies, the pipe ends and the process goes with it. "Ready" is one JSON line on descriptor 3.
 */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";

/** One database of the throw-away cluster. */
export const databaseSchema = z.strictObject({
  host: z.literal("127.0.0.1"),
  port: z.number().int().positive().max(65_535),
  user: z.string().min(1),
  password: z.string(),
  database: z.string().min(1),
});

export type Database = z.infer<typeof databaseSchema>;

/** 0 asks the system for any free port; the ready line says which one it became. */
export const portSchema: z.ZodNumber = z.number().int().min(0).max(65_535);

/** How long the last work may take after SIGTERM, milliseconds. */
const GRACE_MS = 1_000;
const READY_DESCRIPTOR = 3;

/** What `onEnd` registered, in order; run in reverse, as a stack of resources is released. */
const endings: (() => void | Promise<void>)[] = [];
let ending = false;

/** Reads the first line of stdin, and from then on lives no longer than stdin does. Throws when the line does not fit. */
export async function readConfiguration<S extends z.ZodType>(schema: S): Promise<z.output<S>> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
  const line = await new Promise<string>((resolve, reject) => {
    const endedEarly = (): void => {
      reject(
        new Error("expected one line of JSON configuration on stdin, but stdin ended without one"),
      );
    };
    lines.once("close", endedEarly);
    lines.once("line", (text) => {
      lines.off("close", endedEarly);
      // Nobody is left to tell and the databases are about to vanish: there is no point in an orderly end.
      lines.once("close", () => process.exit(0));
      resolve(text);
    });
  });
  process.once("SIGTERM", () => void end());
  process.on("SIGINT", () => undefined); // a Ctrl-C in the terminal reaches the whole group; the parent decides
  const parsed = schema.safeParse(parseJson(line));
  if (!parsed.success)
    throw new Error(`the configuration on stdin does not fit:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Tells the parent that this process can be used. `port` is absent for one that listens on none. */
export function announceReady(info: { readonly port?: number } = {}): void {
  const line = `${JSON.stringify({ ready: true, ...info })}\n`;
  try {
    writeSync(READY_DESCRIPTOR, line);
  } catch {
    process.stdout.write(line); // started by hand: nobody opened descriptor 3
  }
}

/** Registers what SIGTERM has to finish, latest first, all of it within a second. */
export function onEnd(finish: () => void | Promise<void>): void {
  endings.push(finish);
}

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  setTimeout(() => process.exit(0), GRACE_MS).unref();
  for (const finish of endings.toReversed()) {
    try {
      await finish();
    } catch (error) {
      process.stderr.write(
        `${JSON.stringify({ level: 40, msg: "ending failed", error: String(error) })}\n`,
      );
    }
  }
  process.exit(0);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error("expected one line of JSON configuration on stdin, but the line is not JSON"); // never echo it: it holds secrets
  }
}
