/** The start protocol: what a service process promises to whoever started it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { describe, expect, test } from "vitest";

const PROGRAM = `
  import { z } from "zod";
  import { announceReady, onEnd, readConfiguration } from ${JSON.stringify(new URL("process.ts", import.meta.url).href)};
  const { end } = await readConfiguration(z.strictObject({ end: z.enum(["quick", "never"]) }));
  setInterval(() => undefined, 1_000);
  onEnd(() => { process.stdout.write("first registered, last released "); });
  onEnd(async () => { if (end === "never") await new Promise(() => undefined); process.stdout.write("last registered "); });
  announceReady({ port: 4711 });`;

function start(firstLine: string): ChildProcess {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", PROGRAM], {
    cwd: import.meta.dirname,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  child.stdin?.write(firstLine);
  return child;
}
const ready = async (child: ChildProcess): Promise<unknown> => {
  const [chunk] = (await once(child.stdio[3] as Readable, "data")) as [Buffer];
  return JSON.parse(chunk.toString());
};
const textOf = (stream: Readable | null): (() => string) => {
  let text = "";
  stream?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
};

describe("a service process", () => {
  test("says ready with its port on descriptor 3, and after SIGTERM releases in reverse order and exits 0", async () => {
    const child = start('{"end":"quick"}\n');
    const output = textOf(child.stdout);
    expect(await ready(child)).toEqual({ ready: true, port: 4711 });
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([0, null]);
    expect(output()).toBe("last registered first registered, last released ");
  });

  test("that cannot finish its work is gone about a second after SIGTERM all the same", async () => {
    const child = start('{"end":"never"}\n');
    await ready(child);
    const began = process.hrtime.bigint();
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    const tookMs = Number(process.hrtime.bigint() - began) / 1e6;
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(2_500);
  });

  test("goes when its stdin ends, whoever died at the other end", async () => {
    const child = start('{"end":"never"}\n');
    await ready(child);
    child.stdin?.end();
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test.each([
    { name: "is not JSON", line: "secret-token\n", says: "not JSON" },
    { name: "does not fit", line: '{"end":"secret-token"}\n', says: "does not fit" },
  ])(
    "refuses a configuration that $name, without repeating what it holds",
    async ({ line, says }) => {
      const child = start(line);
      const errors = textOf(child.stderr);
      const [code] = (await once(child, "close")) as [number];
      expect(code).not.toBe(0);
      expect(errors()).toContain(says);
      expect(errors()).not.toContain("secret-token");
    },
  );
});
