/** One service process of the embedded target: its secrets on stdin, readiness on descriptor 3, lifeline the open stdin. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Readable } from "node:stream";
import { sleepMs } from "../determinism/clock.ts";
import { StampedeError } from "../errors.ts";
import type { Ownership } from "./ownership.ts";
import { identify, yieldToGenerator } from "./processes.ts";

const READY_MS_MAX = 20_000;
const STOP_MS_MAX = 1_500;

export interface ServiceSpec {
  readonly name: string;
  /** Path below target-app/. */
  readonly main: string;
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly logPath: string;
}

export class ServiceProcess {
  readonly spec: ServiceSpec;
  readonly child: ChildProcess;
  /** 0 for a process that listens on nothing. */
  readonly port: number;
  readonly #released: () => void;

  private constructor(spec: ServiceSpec, child: ChildProcess, port: number, released: () => void) {
    this.spec = spec;
    this.child = child;
    this.port = port;
    this.#released = released;
  }

  /** Starts it and waits until it says it is ready. Throws "environment" with the place of its log otherwise. */
  static async start(
    spec: ServiceSpec,
    runDir: string,
    ownership: Ownership,
  ): Promise<ServiceProcess> {
    const row = ownership.intend("process", spec.name);
    const child = launch(spec, runDir);
    row.held(child.pid === undefined ? "" : `${child.pid}@${identify(child.pid).started}`);
    yieldToGenerator(child.pid);
    child.stdin?.write(`${JSON.stringify(spec.configuration)}\n`);
    const port = await readyPort(child);
    if (port === null) {
      child.kill("SIGKILL");
      row.released();
      throw new StampedeError(
        "environment",
        `expected the ${spec.name} process to be ready within ${READY_MS_MAX / 1000} s; it ${child.exitCode === null ? "was not" : `exited ${child.exitCode}`}`,
        { hint: `its log says why: ${spec.logPath}` },
      );
    }
    return new ServiceProcess(spec, child, port, () => row.released());
  }

  /** Runs a process that does one thing and ends; returns its exit code (137 when it was killed). */
  static async run(spec: ServiceSpec, runDir: string, ownership: Ownership): Promise<number> {
    const row = ownership.intend("process", spec.name);
    const child = launch(spec, runDir);
    row.held(child.pid === undefined ? "" : `${child.pid}@${identify(child.pid).started}`);
    child.stdin?.write(`${JSON.stringify(spec.configuration)}\n`);
    const [code] = (await once(child, "exit")) as [number | null];
    row.released();
    return code ?? 137;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Asks, then kills. */
  async stop(): Promise<void> {
    if (this.running) {
      const gone = once(this.child, "exit");
      this.child.kill("SIGTERM");
      if (!(await Promise.race([gone.then(() => true), sleepMs(STOP_MS_MAX).then(() => false)])))
        this.child.kill("SIGKILL");
      await gone;
    }
    this.#released();
  }

  /** The end without a chance to tidy up. */
  async kill(): Promise<void> {
    if (!this.running) return;
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
    this.#released();
  }
}

function launch(spec: ServiceSpec, runDir: string): ChildProcess {
  const log = openSync(spec.logPath, "a", 0o600);
  const main = fileURLToPath(new URL(`../../target-app/${spec.main}`, import.meta.url));
  const child = spawn(process.execPath, [main, "--run-dir", runDir], {
    detached: true, // a terminal's Ctrl-C is for the harness alone
    cwd: runDir,
    stdio: ["pipe", log, log, "pipe"],
    env: { PATH: process.env["PATH"] ?? "" },
  });
  closeSync(log);
  child.on("error", () => {}); // a failed spawn shows as an exit
  child.stdin?.on("error", () => {});
  return child;
}

async function readyPort(child: ChildProcess): Promise<number | null> {
  const pipe = child.stdio[3] as Readable | null | undefined;
  if (!pipe) return null;
  let text = "";
  pipe.setEncoding("utf8");
  const line = new Promise<number | null>((resolve) => {
    pipe.on("data", (part: string) => {
      text += part;
      if (!text.includes("\n")) return;
      const port = (JSON.parse(text) as { port?: number }).port;
      resolve(port ?? 0);
    });
    pipe.on("error", () => resolve(null));
    child.once("exit", () => resolve(null));
    child.once("error", () => resolve(null));
  });
  const late = new AbortController();
  try {
    return await Promise.race([
      line,
      sleepMs(READY_MS_MAX, late.signal).then(
        () => null,
        () => null,
      ),
    ]);
  } finally {
    late.abort();
    pipe.destroy();
  }
}
