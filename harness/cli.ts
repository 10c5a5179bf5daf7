/**
 * The command line: parses, calls one command, exits with its code. Run: stampede COMMAND (see --help). Success is exit
 * 0; every other code is in errors.ts. Commands that are not built yet are not listed.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { EXIT, StampedeError, messageOf } from "./errors.ts";
import { compareCommand } from "./commands/compare.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { judgeCommand } from "./commands/judge.ts";
import { listCommand } from "./commands/list.ts";
import { reportCommand } from "./commands/report.ts";
import { runCommand } from "./commands/run.ts";

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new InvalidArgumentError(`expected a whole number from 0 to 999999999, came "${text}"`);
  return Number(text);
}

function pair(text: string, all: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(`expected NAME=VALUE, came "${text}"`);
  return { ...all, [text.slice(0, at)]: text.slice(at + 1) };
}

function collect(text: string, all: readonly string[] = []): string[] {
  return [...all, text];
}

/** Options that several commands share. */
const shared = {
  seed: () =>
    new Option(
      "--seed <n>",
      "everything chosen follows from it; a fresh one when absent",
    ).argParser(wholeNumber),
  out: () =>
    new Option(
      "--out <dir>",
      "where run folders go (default: reports/out here, ./stampede-runs when installed)",
    ),
  env: () =>
    new Option(
      "-e, --env <name=value>",
      "a variable for the script's __ENV; CAPACITY fixes the capacity instead of measuring it",
    ).argParser(pair),
};

function program(exit: (code: number) => void): Command {
  const stampede = new Command("stampede")
    .description(
      "Rehearse the night everyone gets the coupon: drive a flash crowd, break things, read the books, say who was wronged.",
    )
    .exitOverride()
    .configureHelp({ showGlobalOptions: true });
  stampede.addHelpText(
    "after",
    "\nexit codes: 0 pass · 99 threshold or SLO · 104 bad input · 105 interrupted · 109 environment · 111 invariant violated · 112 inconclusive · 113 regression · 114 unsafe",
  );
  const run = stampede
    .command("run <scenario>")
    .description("run one scenario against one target and judge it")
    .addOption(
      new Option("--target <word>", "the sample service's variant")
        .choices(["naive", "guarded"])
        .default("guarded"),
    );
  run.addOption(shared.seed()).addOption(shared.out()).addOption(shared.env());
  run.addOption(
    new Option("--allow-host <host>", "a host beside loopback that may be sent to (repeatable)")
      .argParser(collect)
      .default([]),
  );
  run.action(async (scenario: string, options: Parameters<typeof runCommand>[1]) =>
    exit(await runCommand(scenario, options)),
  );
  stampede
    .command("demo")
    .description(
      "what `npm start` runs: the all-user coupon night on a naive and a guarded service, same crowd, one comparison",
    )
    .addOption(shared.seed())
    .addOption(shared.out())
    .addOption(shared.env())
    .action(async (options: Parameters<typeof demoCommand>[0]) => exit(await demoCommand(options)));
  stampede
    .command("list")
    .description("scenarios, invariants and faults")
    .action(async () => exit(await listCommand()));
  stampede
    .command("judge [run]")
    .description(
      "judge a stored run again, or books exported from anywhere (CSV, Parquet), with no load",
    )
    .addOption(new Option("--evidence <dir>", "a folder of canonical tables instead of a run"))
    .addOption(new Option("--json", "the verdict as JSON on stdout"))
    .action(async (dir: string | undefined, options: { evidence?: string; json?: boolean }) =>
      exit(await judgeCommand(dir, options)),
    );
  stampede
    .command("compare <run-a> <run-b>")
    .description("verdict changes, collapse figures and SLOs of two runs side by side")
    .action(async (a: string, b: string) => exit(await compareCommand(a, b)));
  stampede
    .command("report <run>")
    .description("write a stored run's pages again")
    .action(async (dir: string) => exit(await reportCommand(dir)));
  stampede
    .command("doctor")
    .description("what this machine can do; undoes what a killed run left")
    .action(async () => exit(await doctorCommand()));
  return stampede;
}

/** Runs one command; returns the exit code. Nothing thrown escapes without a sentence. */
async function main(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.pass;
  try {
    await program((exitCode) => (code = exitCode)).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? EXIT.pass : EXIT.invalidConfiguration;
    const known = error instanceof StampedeError;
    process.stderr.write(`stampede: ${messageOf(error)}\n`);
    if (known && error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`);
    if (!known && error instanceof Error)
      process.stderr.write(
        `${error.stack ?? ""}\n  this is a defect of stampede; please report it with the lines above\n`,
      );
    return known ? error.exitCode : EXIT.internal;
  }
  return code;
}

// What nobody awaited ends the run too; the keeper undoes what stands.
process.on("uncaughtException", (error) => {
  process.stderr.write(
    `stampede: ${messageOf(error)}\n${error.stack ?? ""}\n  this is a defect of stampede; please report it with the lines above\n`,
  );
  process.exit(EXIT.internal);
});
process.exitCode = await main(process.argv);
