/** A run's folder grows beside its final place and moves there whole: nobody ever sees half a report. */
import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, basename } from "node:path";
import { StampedeError, messageOf } from "../errors.ts";
import { makeRunFolder, runPaths } from "../history/run-folder.ts";
import type { Ownership } from "../target/ownership.ts";

export interface GrowingFolder extends Disposable {
  /** Where files go meanwhile. */
  readonly dir: string;
  readonly logsDir: string;
  /** Moves it to its final place. */
  publish(): void;
}

/** Registers the growing folder with the run's owner, so that a killed run leaves none. Throws "configuration" when it cannot be written. */
export function growFolder(
  finalDir: string,
  ownership: Ownership,
  inside?: readonly string[],
): GrowingFolder {
  const dir = join(dirname(finalDir), `.${basename(finalDir)}.part`);
  if (existsSync(finalDir))
    throw new StampedeError("configuration", `expected a new run folder; ${finalDir} exists`, {
      hint: "give another with --out DIR",
    });
  const row = ownership.intend("directory", "run folder", dir);
  makeRunFolder(dir, inside);
  row.held();
  let published = false;
  return {
    dir,
    logsDir: runPaths(dir).logs,
    publish: () => {
      renameSync(dir, finalDir);
      published = true;
      row.released();
    },
    [Symbol.dispose]: () => {
      if (!published) rmSync(dir, { recursive: true, force: true });
      row.released();
    },
  };
}

/** Fails before anything is started when results could not be written. */
export function checkWritable(root: string): void {
  const probe = join(root, `.writable-${process.pid}`);
  try {
    mkdirSync(probe, { recursive: true });
    rmSync(probe, { recursive: true });
  } catch (cause) {
    throw new StampedeError(
      "configuration",
      `expected a folder to write results to; ${root} cannot be written: ${messageOf(cause)}`,
      { hint: "give another with --out DIR", cause },
    );
  }
}

/** Where the engine's and the script's own lines go in a judged run: hundreds of failed requests are the story, not news. */
export function engineLog(logsDir: string): (line: string) => void {
  const path = join(logsDir, "engine.log");
  return (line) => appendFileSync(path, `${line}\n`);
}
