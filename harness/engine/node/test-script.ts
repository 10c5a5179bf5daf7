/** For tests: a script written to a folder of its own, a real server on loopback, and one run of the engine. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { monotonicNs } from "../../determinism/clock.ts";
import type { Arrival, Operation } from "../../history/operation.ts";
import type { EngineOptions, EngineResult, PreparedRun } from "../engine.ts";
import { nodeEngine } from "./node-engine.ts";

/** A server with the answers the tests need; every request it saw is kept. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly seen: string[];
  readonly http: Server;
}

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
};

type Route = (request: IncomingMessage, response: ServerResponse, body: string, url: URL) => void;

const ROUTES: Readonly<Record<string, Route>> = {
  "/echo"(request, response, body) {
    response.setHeader("content-type", "application/json").end(
      JSON.stringify({
        method: request.method,
        url: request.url,
        headers: request.headers,
        body,
      }),
    );
  },
  "/status"(_request, response, _body, url) {
    response.writeHead(Number(url.searchParams.get("code")), { "x-seen": "yes" }).end("{}");
  },
  "/redirect"(_request, response, _body, url) {
    response
      .writeHead(Number(url.searchParams.get("code") ?? 302), {
        location: url.searchParams.get("to") ?? "/echo",
      })
      .end();
  },
  "/set-cookie"(_request, response, _body, url) {
    response
      .setHeader("set-cookie", [`sid=${url.searchParams.get("v")}; Path=/; HttpOnly`, "other=2"])
      .end("ok");
  },
  "/slow"(_request, response, _body, url) {
    setTimeout(() => response.end("late"), Number(url.searchParams.get("ms")));
  },
  "/hang": () => undefined,
  "/reset"(request) {
    request.socket.resetAndDestroy();
  },
  "/eof"(request) {
    request.socket.end();
  },
  "/gzip"(_request, response) {
    response.setHeader("content-encoding", "gzip").end(gzipSync("unzipped"));
  },
};

export async function testServer(): Promise<TestServer> {
  const seen: string[] = [];
  const http = createServer((request, response) => {
    void read(request).then((body) => {
      const url = new URL(request.url ?? "/", "http://x");
      seen.push(`${request.method} ${request.url}`);
      const route = ROUTES[url.pathname];
      if (route === undefined) response.end("{}");
      else route(request, response, body, url);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    seen,
    http,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** What came of a run. */
export interface Ran {
  readonly result: EngineResult;
  readonly operations: readonly Omit<Operation, "index">[];
  readonly arrivals: readonly Arrival[];
  /** What the script and the engine logged. */
  readonly lines: readonly string[];
  /** The script's console.log lines that are JSON. */
  readonly told: readonly unknown[];
}

export interface RunOptions {
  readonly base?: string;
  readonly seed?: number;
  readonly phases?: EngineOptions["phases"];
  readonly allowHosts?: readonly string[];
  readonly signal?: AbortSignal;
  /** Called after start() began. */
  readonly meanwhile?: (run: PreparedRun) => Promise<void> | void;
}

const toldIn = (lines: readonly string[]): unknown[] =>
  lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as unknown];
    } catch {
      return [];
    }
  });

/** Prepares and runs a script given as text (`BASE` is the server's URL in __ENV). */
export async function runScript(text: string, options: RunOptions = {}): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), "stampede-script-"));
  const script = join(folder, "script.js");
  writeFileSync(script, text);
  const operations: Omit<Operation, "index">[] = [];
  const arrivals: Arrival[] = [];
  const lines: string[] = [];
  try {
    await using run = await nodeEngine.prepare({
      script,
      env: { BASE: options.base ?? "" },
      seed: options.seed ?? 1,
      phases: options.phases ?? [],
      allowHosts: options.allowHosts ?? [],
      history: {
        operation: (op) => operations.push(op),
        arrival: (arrival) => arrivals.push(arrival),
      },
      log: (line) => lines.push(line),
      signal: options.signal ?? new AbortController().signal,
    });
    const running = run.start(monotonicNs());
    await options.meanwhile?.(run);
    return { result: await running, operations, arrivals, lines, told: toldIn(lines) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Loads a script given as text. */
export async function loadScript(text: string): ReturnType<typeof nodeEngine.load> {
  const folder = mkdtempSync(join(tmpdir(), "stampede-script-"));
  const script = join(folder, "script.js");
  writeFileSync(script, text);
  try {
    return await nodeEngine.load({ script, env: {}, seed: 1 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
