/** What the operating system says of processes: alive, since when, with which command line. Linux by /proc, else by ps. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";

/** A process number is reused; number and start together are not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

const hasProc = existsSync("/proc/self/stat");

/** The process's start time in the kernel's own words, or null when there is no such process (or it is a zombie). */
export function startedAt(pid: number): string | null {
  try {
    if (!hasProc)
      return (
        execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() ||
        null
      );
    // Fields after the last ")" (a command name may hold anything): state is the 3rd of all, starttime the 22nd.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** Who this is, to be recognised later. */
export function identify(pid: number): ProcessIdentity {
  return { pid, started: startedAt(pid) ?? "" };
}

/** Whether that very process still runs. */
export function isAlive(who: ProcessIdentity): boolean {
  return who.started !== "" && startedAt(who.pid) === who.started;
}

/**
 * Whether a command line is that of a process the run in `dir` started: only those are given the directory in these two
 * ways. Somebody's `tail` of a log below it is not ours to end.
 */
function isOfRun(commandLine: string, dir: string): boolean {
  return commandLine.includes(` --run-dir ${dir} `) || commandLine.includes(` -D ${dir}/`);
}

/** Processes that the run in `dir` started: its keeper, its services, its PostgreSQL; this process excluded. */
export function findByMarker(dir: string): number[] {
  const found: number[] = [];
  if (hasProc) {
    for (const name of readdirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        if (isOfRun(words, dir)) found.push(Number(name));
      } catch {
        // It ended between the two reads.
      }
    }
  } else {
    for (const line of execFileSync("ps", ["-axo", "pid=,command="], { encoding: "utf8" }).split(
      "\n",
    )) {
      if (isOfRun(`${line} `, dir)) found.push(Number.parseInt(line.trim(), 10));
    }
  }
  return found.filter((pid) => pid !== process.pid && Number.isInteger(pid));
}

/** Sends a signal; a process that is already gone is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // ESRCH: gone. EPERM: not ours, and so never started by this run.
  }
}

/** The service, not the generator, must be what gets scarce on shared cores (faults.md). */
export function yieldToGenerator(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not allowed here: the generator's own lateness tells whether it mattered.
  }
}
