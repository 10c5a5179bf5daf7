/** The command line as a person meets it, for tests: its own process group, its own temporary folder, everything it says. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monotonicNs, sleepMs } from "../determinism/clock.ts";

const LAUNCHER = join(import.meta.dirname, "..", "stampede.js");
export const SHORT_NIGHT = join(import.meta.dirname, "../../scenarios/probes/short-night.ts");

/** A folder of the test's own: `tmp` for TMPDIR, `out` for run folders. PostgreSQL's user must get through, so 0711. */
export class Home implements Disposable {
  readonly dir: string;
  readonly tmp: string;
  readonly out: string;

  constructor(name: string) {
    this.dir = mkdtempSync(join(tmpdir(), `stampede-test-${name}-`));
    this.tmp = join(this.dir, "tmp");
    this.out = join(this.dir, "out");
    for (const path of [this.tmp, this.out]) mkdirSync(path);
    for (const path of [this.dir, this.tmp]) chmodSync(path, 0o711);
  }

  /** Everything a run left here: processes given a directory below it, temporary files, unfinished run folders. */
  left(): string[] {
    return [
      ...processesBelow(this.tmp),
      ...readdirSync(this.tmp).map((name) => `temporary ${name}`),
      ...readdirSync(this.out)
        .filter((name) => name.startsWith("."))
        .map((name) => `unfinished ${name}`),
    ];
  }

  /** Finished run folders, by path. */
  runs(): string[] {
    return readdirSync(this.out)
      .filter((name) => !name.startsWith("."))
      .map((name) => join(this.out, name));
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Command lines that name a path below `dir`, one a process. */
export function processesBelow(dir: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return words.includes(`${dir}/`) ? [`process ${name}: ${words}`] : [];
      } catch {
        return [];
      }
    });
}

/** Looks until `seen` says yes; false when `msMax` have passed. */
export async function until(seen: () => boolean, msMax = 30_000): Promise<boolean> {
  const end = monotonicNs() + msMax * 1e6;
  while (!seen()) {
    if (monotonicNs() > end) return false;
    await sleepMs(20);
  }
  return true;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly said: string;
}

/** One started command. */
export class Cli {
  readonly child: ChildProcess;
  readonly #gone: Promise<unknown[]>;
  #said = "";

  constructor(home: Home, args: readonly string[]) {
    this.child = spawn(process.execPath, [LAUNCHER, ...args], {
      cwd: home.dir,
      detached: true, // a process group of its own, as a shell gives one to a job
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: home.dir, TMPDIR: home.tmp },
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#said += text));
    this.#gone = once(this.child, "close");
  }

  /** The probe of a night on one variant, with a fixed capacity unless `env` says otherwise. */
  static night(home: Home, target: string, env: readonly string[] = ["CAPACITY=20"]): Cli {
    const variables = env.flatMap((pair) => ["-e", pair]);
    const args = ["run", SHORT_NIGHT, "--target", target, "--seed", "7", "--out", home.out];
    return new Cli(home, [...args, ...variables]);
  }

  get said(): string {
    return this.#said;
  }

  /** Waits for a line; throws with everything said so far when it does not come. */
  async says(words: RegExp, msMax = 40_000): Promise<void> {
    const ended = (): boolean => this.child.exitCode !== null || this.child.signalCode !== null;
    await until(() => words.test(this.#said) || ended(), msMax);
    if (!words.test(this.#said))
      throw new Error(`expected ${String(words)} to be said; came:\n${this.#said}`);
  }

  /** As a terminal does it: to the whole group. */
  interrupt(signal: NodeJS.Signals = "SIGINT"): void {
    if (this.child.pid !== undefined) process.kill(-this.child.pid, signal);
  }

  async ended(): Promise<Ended> {
    const [code, signal] = (await this.#gone) as [number | null, NodeJS.Signals | null];
    return { code, signal, said: this.#said };
  }
}

/** Runs a command to its end. */
export async function stampede(home: Home, ...args: readonly string[]): Promise<Ended> {
  return new Cli(home, args).ended();
}

/** Whether a run's unfinished folder is there: the crowd is about to be let in, or was. */
export function growing(home: Home): boolean {
  return existsSync(home.out) && readdirSync(home.out).some((name) => name.endsWith(".part"));
}
