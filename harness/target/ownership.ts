/**
 * The one table of everything a run has made: directories, processes, ports, databases. A row is on disk before the
 * thing exists, so whoever finds the table can undo a run whose makers are dead: the keeper at once, doctor and the
 * next start later. What carries no table of ours is never touched.
 */
import {
  appendFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sleepMs, monotonicNs } from "../determinism/clock.ts";
import { findByMarker, identify, isAlive, signal, type ProcessIdentity } from "./processes.ts";

export type ResourceKind = "directory" | "process" | "port" | "database";

export interface OwnedRow {
  readonly row: number;
  readonly kind: ResourceKind;
  readonly name: string;
  /** directory: its path · process: pid@started, "" while only intended · port: number · database: name. */
  readonly detail: string;
  readonly state: "intended" | "held" | "released";
}

interface Header {
  readonly stampede: 1;
  readonly run: string;
  readonly owner: ProcessIdentity;
  readonly keeper: ProcessIdentity;
}

const TABLE = "ownership.jsonl";

/** Where every run of this user keeps its own directory. Others may pass through (PostgreSQL's own user), not list. */
export function ownershipRoot(): string {
  return join(tmpdir(), `stampede-${process.getuid?.() ?? 0}`);
}

/** The directory of one run below the root. */
export function runDirectory(run: string): string {
  return join(ownershipRoot(), run);
}

/** Makes the run's directory and an empty table. Called by the keeper, first of all. */
export function createTable(dir: string, run: string, owner: ProcessIdentity): void {
  makeDirectory(dir);
  const header: Header = { stampede: 1, run, owner, keeper: identify(process.pid) };
  append(dir, header);
}

/** The root goes when its last run goes, maybe between the two lines here: then once more. It follows from the path, since a keeper knows no TMPDIR. */
function makeDirectory(dir: string): void {
  for (let attempt = 1; ; attempt++) {
    mkdirSync(dirname(dir), { recursive: true, mode: 0o711 });
    try {
      mkdirSync(dir, { mode: 0o711 });
      return;
    } catch (error) {
      if (attempt === 5 || !(error instanceof Error && "code" in error && error.code === "ENOENT"))
        throw error;
    }
  }
}

function append(dir: string, row: OwnedRow | Header): void {
  const path = join(dir, TABLE);
  appendFileSync(path, `${JSON.stringify(row)}\n`, { mode: 0o600 });
  const fd = openSync(path, "r");
  fsyncSync(fd);
  closeSync(fd);
}

/** The harness's hand on the table. */
export class Ownership {
  readonly dir: string;
  #next = 0;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Writes down what is about to be made. Make it, then `held`; undo it, then `released`. */
  intend(
    kind: ResourceKind,
    name: string,
    detail = "",
  ): { held(detail?: string): void; released(): void } {
    const row = this.#next++;
    let last = detail;
    append(this.dir, { row, kind, name, detail, state: "intended" });
    return {
      held: (now = detail) => {
        last = now;
        append(this.dir, { row, kind, name, detail: now, state: "held" });
      },
      released: () => {
        if (existsSync(this.dir))
          append(this.dir, { row, kind, name, detail: last, state: "released" });
      },
    };
  }
}

/** The table as it stands: the last state of every row. A half-written last line (killed while writing) is no row. */
export function readTable(
  dir: string,
): { readonly header: Header; readonly rows: readonly OwnedRow[] } | null {
  const path = join(dir, TABLE);
  if (!existsSync(path)) return null;
  const rows = new Map<number, OwnedRow>();
  let header: Header | null = null;
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (!line.endsWith("}")) continue;
    try {
      const entry = JSON.parse(line) as Header | OwnedRow;
      if ("stampede" in entry) header = entry;
      else rows.set(entry.row, entry);
    } catch {
      continue;
    }
  }
  return header === null ? null : { header, rows: [...rows.values()] };
}

async function until(done: () => boolean, msMax: number): Promise<boolean> {
  const end = monotonicNs() + msMax * 1e6;
  while (!done()) {
    if (monotonicNs() > end) return false;
    await sleepMs(20);
  }
  return true;
}

/**
 * Undoes everything one run's table names: processes first (asked, then killed), then directories, the run's own last.
 * Safe to repeat. Returns what it found still there, for the user.
 */
export async function undo(dir: string): Promise<string[]> {
  const table = readTable(dir);
  if (table === null) return [];
  const undone: string[] = [];
  const keeper = table.header.keeper.pid;
  // Every process of a run carries the run's directory in its command line, also one killed before its row was "held".
  const running = (): number[] =>
    findByMarker(dir).filter((pid) => pid !== keeper && pid !== table.header.owner.pid);
  for (const pid of running()) {
    undone.push(`process ${pid}`);
    // SIGQUIT is PostgreSQL's immediate shutdown and takes its backends along; for a service it is simply the end.
    signal(pid, "SIGQUIT");
  }
  if (!(await until(() => running().length === 0, 1500)))
    for (const pid of running()) signal(pid, "SIGKILL");
  await until(() => running().length === 0, 2000);
  for (const row of table.rows) {
    if (row.kind !== "directory" || row.state === "released" || !existsSync(row.detail)) continue;
    rmSync(row.detail, { recursive: true, force: true, maxRetries: 5 });
    undone.push(`directory ${row.detail}`);
  }
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  undone.push(`directory ${dir}`);
  try {
    rmdirSync(dirname(dir));
  } catch {
    // Other runs are still there.
  }
  return undone;
}

/** Undoes every run below the root whose owner and keeper are both dead. A folder without our table is left alone. */
export async function sweepDeadOwners(): Promise<
  { readonly run: string; readonly undone: readonly string[] }[]
> {
  const root = ownershipRoot();
  if (!existsSync(root)) return [];
  const swept: { run: string; undone: string[] }[] = [];
  for (const name of readdirSync(root)) {
    const dir = join(root, name);
    const table = readTable(dir);
    if (table === null || isAlive(table.header.owner) || isAlive(table.header.keeper)) continue;
    swept.push({ run: name, undone: await undo(dir) });
  }
  return swept;
}

/** Runs below the root that somebody alive owns. */
export function liveRuns(): string[] {
  const root = ownershipRoot();
  if (!existsSync(root)) return [];
  return readdirSync(root).filter((name) => {
    const table = readTable(join(root, name));
    return table !== null && (isAlive(table.header.owner) || isAlive(table.header.keeper));
  });
}
