/** `stampede doctor`: what this machine can do, and the undoing of what killed runs left behind. */
import { statfsSync } from "node:fs";
import { cpus, freemem, tmpdir, totalmem } from "node:os";
import { EXIT, messageOf } from "../errors.ts";
import { liveRuns, ownershipRoot, sweepDeadOwners } from "../target/ownership.ts";
import { postgresBinaries, postgresUser } from "../target/postgres-binaries.ts";
import { freePort } from "../target/free-port.ts";

interface Finding {
  readonly good: boolean;
  readonly line: string;
}

async function look(): Promise<Finding[]> {
  const disk = statfsSync(tmpdir());
  const freeGiB = (disk.bavail * disk.bsize) / 2 ** 30;
  const findings: Finding[] = [
    {
      good: Number(process.versions.node.split(".")[0]) >= 24,
      line: `Node ${process.versions.node} (24 or newer is needed)`,
    },
    {
      good: cpus().length >= 2,
      line: `${cpus().length} processor cores (two are needed for generator and service)`,
    },
    {
      good: freemem() > 2 ** 31,
      line: `${(freemem() / 2 ** 30).toFixed(1)} of ${(totalmem() / 2 ** 30).toFixed(1)} GiB memory free (2 are needed)`,
    },
    { good: freeGiB > 2, line: `${freeGiB.toFixed(1)} GiB free in ${tmpdir()} (2 are needed)` },
  ];
  try {
    postgresBinaries(ownershipRoot());
    findings.push({
      good: true,
      line: `PostgreSQL's programs start${postgresUser().uid === undefined ? "" : " (as nobody, because this user is root)"}`,
    });
  } catch (error) {
    findings.push({ good: false, line: messageOf(error) });
  }
  findings.push({ good: (await freePort()) > 0, line: "loopback ports can be opened" });
  return findings;
}

/** 0 when nothing stands in the way of a run, 109 otherwise. */
export async function doctorCommand(): Promise<number> {
  const swept = await sweepDeadOwners();
  for (const { run, undone } of swept)
    console.log(`swept  ${run}: ${undone.length === 0 ? "nothing was left" : undone.join(", ")}`);
  const alive = liveRuns();
  console.log(
    `${swept.length === 0 ? "no killed run left anything behind" : `${swept.length} killed run(s) undone`}; ${alive.length} running now${alive.length === 0 ? "" : `: ${alive.join(", ")}`}`,
  );
  const findings = await look();
  for (const { good, line } of findings) console.log(`${good ? "ok    " : "wrong "} ${line}`);
  return findings.every((finding) => finding.good) ? EXIT.pass : EXIT.internal;
}
