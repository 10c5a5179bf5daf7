/** A throw-away PostgreSQL cluster of the run: initialised, started and stopped with it, on loopback, password random. */
import { spawn, type ChildProcess } from "node:child_process";
import {
  chownSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  writeFileSync,
  rmSync,
} from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { Client } from "pg";
import { monotonicNs, sleepMs } from "../determinism/clock.ts";
import { secret } from "../determinism/seed.ts";
import { StampedeError, messageOf } from "../errors.ts";
import { freePort } from "./free-port.ts";
import type { Ownership } from "./ownership.ts";
import { postgresBinaries, postgresUser, type PostgresBinaries } from "./postgres-binaries.ts";
import { identify, yieldToGenerator } from "./processes.ts";

/** How to reach one database of the cluster. */
export interface DatabaseEntry {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const USER = "stampede";
const START_MS_MAX = 30_000;

/**
 * The books live for minutes and die with the run, so nothing is synced to disk; what a crash of the *services* does
 * to them is unchanged. Commit timestamps are the judge's order of events (design.md §7).
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "150",
  track_commit_timestamp: "on",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "4GB",
  checkpoint_timeout: "1h",
  shared_buffers: "256MB",
  jit: "off",
  logging_collector: "off",
  log_min_messages: "warning",
};

export class Postgres implements AsyncDisposable {
  readonly entry: DatabaseEntry;
  readonly #server: ChildProcess;
  readonly #released: () => void;

  private constructor(entry: DatabaseEntry, server: ChildProcess, released: () => void) {
    this.entry = entry;
    this.#server = server;
    this.#released = released;
  }

  /** Initialises and starts a cluster below `dir`; its log goes to `logPath`. About a second. */
  static async start(dir: string, ownership: Ownership, logPath: string): Promise<Postgres> {
    const binaries = postgresBinaries(dir);
    const home = join(dir, "pg");
    const directory = ownership.intend("directory", "postgres data", home);
    mkdirSync(home, { mode: 0o700 });
    const { uid, gid } = postgresUser();
    if (uid !== undefined && gid !== undefined) chownSync(home, uid, gid);
    directory.held();
    const password = secret();
    await initialise(binaries, home, password);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      try {
        return await Postgres.#launch(
          binaries,
          home,
          { host: "127.0.0.1", port, user: USER, password, database: "postgres" },
          ownership,
          logPath,
        );
      } catch (error) {
        // Another process took the port between the look and the start: once more, elsewhere.
        if (attempt === 3) throw error;
      }
    }
  }

  static async #launch(
    binaries: PostgresBinaries,
    home: string,
    entry: DatabaseEntry,
    ownership: Ownership,
    logPath: string,
  ): Promise<Postgres> {
    const settings = Object.entries({ ...SETTINGS, port: String(entry.port) }).flatMap(
      ([name, value]) => ["-c", `${name}=${value}`],
    );
    const port = ownership.intend("port", "postgres", String(entry.port));
    const row = ownership.intend("process", "postgres");
    const log = openSync(logPath, "a", 0o600);
    const server = spawn(binaries.postgres, ["-D", join(home, "data"), ...settings], {
      ...postgresUser(),
      detached: true,
      cwd: home,
      stdio: ["ignore", log, log],
      env: { LC_ALL: "C" },
    });
    closeSync(log);
    yieldToGenerator(server.pid); // its backends inherit it
    server.on("error", () => {}); // a failed spawn shows as an exit below
    row.held(server.pid === undefined ? "" : `${server.pid}@${identify(server.pid).started}`);
    const release = (): void => {
      row.released();
      port.released();
    };
    try {
      await ready(server, entry, logPath);
    } catch (error) {
      server.kill("SIGKILL");
      release();
      throw error;
    }
    port.held();
    return new Postgres(entry, server, release);
  }

  in(database: string): DatabaseEntry {
    return { ...this.entry, database };
  }

  /** Runs statements one by one in `database`; each is its own transaction (CREATE DATABASE insists on that). */
  async execute(database: string, ...statements: readonly string[]): Promise<void> {
    const client = new Client(this.in(database));
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  /** A new database from a template, in the time of a file copy. */
  async clone(database: string, template: string, ownership: Ownership): Promise<DatabaseEntry> {
    const row = ownership.intend("database", database, database);
    await this.execute(
      "postgres",
      `CREATE DATABASE "${database}" TEMPLATE "${template}" STRATEGY file_copy`,
    );
    row.held();
    return this.in(database);
  }

  /** Cuts every session of a database and drops it. */
  async drop(database: string): Promise<void> {
    await this.execute("postgres", `DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.exitCode === null && this.#server.signalCode === null) {
      const gone = once(this.#server, "exit");
      this.#server.kill("SIGQUIT"); // immediate: the data are thrown away with the directory
      await gone;
    }
    this.#released();
  }
}

async function initialise(
  binaries: PostgresBinaries,
  home: string,
  password: string,
): Promise<void> {
  const as = postgresUser();
  const secretFile = join(home, "password");
  writeFileSync(secretFile, password, { mode: 0o600 });
  if (as.uid !== undefined && as.gid !== undefined) chownSync(secretFile, as.uid, as.gid);
  const making = spawn(
    binaries.initdb,
    [
      "-D",
      join(home, "data"),
      "-U",
      USER,
      `--pwfile=${secretFile}`,
      "-A",
      "scram-sha-256",
      "-E",
      "UTF8",
      "--locale=C",
      "--no-sync",
      "--no-instructions",
    ],
    {
      ...as,
      cwd: home,
      detached: true, // a terminal's Ctrl-C is for the harness alone
      stdio: ["ignore", "ignore", "pipe"],
      env: { LC_ALL: "C" },
    },
  );
  let said = "";
  making.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const status = await new Promise<number | null>((resolve) => {
    making.once("close", resolve);
    making.once("error", (error) => {
      said += messageOf(error);
      resolve(null);
    });
  });
  rmSync(secretFile, { force: true });
  if (status !== 0) {
    throw new StampedeError(
      "environment",
      `expected initdb to make a cluster in ${home}; it exited ${status ?? "before its end"}: ${said.trim().slice(-400)}`,
      {
        hint: /look up effective user/.test(said)
          ? "PostgreSQL insists on an entry in the user database: run as a user that `id -un` can name"
          : "check free disk space and shared memory; `stampede doctor` looks at both",
      },
    );
  }
}

async function ready(server: ChildProcess, entry: DatabaseEntry, logPath: string): Promise<void> {
  const deadline = monotonicNs() + START_MS_MAX * 1e6;
  while (server.exitCode === null && server.pid !== undefined && monotonicNs() < deadline) {
    const client = new Client(entry);
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await client.end().catch(() => {});
      await sleepMs(25);
    }
  }
  const log = readFileSync(logPath, "utf8").trim().slice(-600);
  throw new StampedeError(
    "environment",
    `expected PostgreSQL to answer on 127.0.0.1:${entry.port} within ${START_MS_MAX / 1000} s; it did not:\n${log}`,
    { hint: "`stampede doctor` checks disk, memory and ports" },
  );
}
