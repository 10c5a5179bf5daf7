/** The stage of a run: its own directory, its ownership table and the keeper that clears it when the harness dies. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { StampedeError } from "../errors.ts";
import { Ownership, runDirectory, sweepDeadOwners, undo } from "./ownership.ts";

export class Stage implements AsyncDisposable {
  readonly dir: string;
  readonly ownership: Ownership;
  readonly #keeper: ChildProcess;

  private constructor(dir: string, keeper: ChildProcess) {
    this.dir = dir;
    this.ownership = new Ownership(dir);
    this.#keeper = keeper;
  }

  /** Sweeps what dead owners left, then starts the keeper, which makes the directory. */
  static async open(run: string): Promise<Stage> {
    await sweepDeadOwners();
    const dir = runDirectory(run);
    const keeper = spawn(
      process.execPath,
      [fileURLToPath(new URL("keeper.ts", import.meta.url)), "--run-dir", dir, String(process.pid)],
      {
        detached: true, // a terminal's Ctrl-C must not reach it
        stdio: ["pipe", "pipe", "ignore"],
        env: {},
      },
    );
    keeper.stdin?.on("error", () => {});
    const ready = await Promise.race([
      once(keeper.stdout ?? keeper, "data").then(() => true),
      once(keeper, "exit").then(() => false),
    ]);
    if (!ready) {
      throw new StampedeError(
        "environment",
        `expected the run's directory ${dir} to be made; the keeper process ended first`,
        { hint: "is the temporary directory writable? set TMPDIR to one that is" },
      );
    }
    keeper.unref();
    keeper.stdout?.destroy();
    return new Stage(dir, keeper);
  }

  /** Undoes whatever is still there, then lets the keeper go. */
  async [Symbol.asyncDispose](): Promise<void> {
    await undo(this.dir);
    this.#keeper.ref();
    const gone = once(this.#keeper, "exit");
    this.#keeper.stdin?.end("farewell\n");
    await gone;
  }
}
