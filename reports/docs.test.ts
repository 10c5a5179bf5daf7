/** The documents say what is so: links resolve, examples run, shown numbers, commands and exit codes are the product's own. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { BUILTIN_MODULES } from "../harness/engine/node/modules/script-scope.ts";
import { nodeEngine } from "../harness/engine/node/node-engine.ts";
import { MAX_VUS } from "../harness/engine/node/options/run-options.ts";
import { EXIT } from "../harness/errors.ts";
import { judged } from "../harness/judge/fixture.ts";
import {
  BUILT_IN_INVARIANTS,
  loadInvariants,
  parseInvariant,
} from "../harness/judge/invariant-file.ts";
import { parseEvent } from "../harness/scenario/load-scenario.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const documents = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
  { cwd: root, encoding: "utf8" },
)
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(root, path)));

const scratch = mkdtempSync(join(tmpdir(), "stampede-docs-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What the command line says and exits with. */
function stampede(...argv: readonly string[]): { readonly code: number; readonly text: string } {
  const ran = spawnSync(process.execPath, [join(root, "harness/cli.ts"), ...argv], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  return { code: ran.status ?? -1, text: ran.stdout };
}

/** The n-th fenced block of a language (and, after a space, a name) in a document. */
function block(path: string, language: string, n = 0): string {
  const fence = new RegExp(`\`\`\`${language.replaceAll(".", "\\.")}\\n([\\s\\S]*?)\`\`\``, "g");
  const found = [...read(path).matchAll(fence)][n]?.[1];
  if (found === undefined) throw new Error(`${path} has no block ${language} ${n}`);
  return found;
}

describe("links", () => {
  /** GitHub's anchor of a heading. */
  const anchors = (path: string): string[] =>
    [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );

  test.each(documents)("every link of %s resolves", (path) => {
    const links = [...read(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? "");
    const broken = links.filter((link) => {
      if (link.includes("://")) return false;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      return (
        !existsSync(join(root, target)) ||
        (anchor !== undefined && !anchors(target).includes(anchor))
      );
    });
    expect(broken).toEqual([]);
  });

  const named = [...new Set(documents.flatMap((path) => namedFiles(path)))];
  test.each(named)("%s is there, since a document names it", (file) => {
    expect(existsSync(join(root, file))).toBe(true);
  });

  /** Paths of the repository in backticks, without place-holders. */
  function namedFiles(path: string): string[] {
    return [
      ...read(path).matchAll(
        /`((?:harness|reports|scenarios|target-app|docs|bench|\.ci)\/[^`*<> ]+)`/g,
      ),
    ]
      .map(([, file = ""]) => file)
      .filter((file) => !/RUN_ID|^reports\/out|…/.test(file));
  }
});

describe("what README says", () => {
  test("every command it names is in --help, and every command of --help is in it", () => {
    const help = stampede("--help").text.split("Commands:")[1] ?? "";
    const commands = [...help.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name ?? "");
    const listed = [...read("README.md").matchAll(/^ {4}stampede ([a-z-]+)/gm)].map(
      ([, name]) => name ?? "",
    );
    expect(new Set(listed)).toEqual(new Set(commands.filter((name) => name !== "help")));
  });

  test("every option it shows for a command is an option of that command", () => {
    const lines = [...read("README.md").matchAll(/^ {4}stampede ([a-z-]+)(.*)$/gm)];
    expect(lines.length).toBeGreaterThan(5);
    for (const [, command = "", rest = ""] of lines) {
      const help = stampede(command, "--help").text;
      for (const [option] of rest.matchAll(/(?<= |\[)--?[a-z][a-z-]*/g))
        expect(help, `${command} ${option}`).toContain(option);
    }
  });

  test("its exit codes are those of errors.ts", () => {
    const section = read("README.md").split("### Exit codes")[1]?.split("\n#")[0] ?? "";
    const codes = [...section.matchAll(/(?:^|[\n ·,])(\d{1,3})(?=[ ,\n])/g)].map(([, code]) =>
      Number(code),
    );
    // 1 is the demo's "not as intended"; it is no run's.
    expect(new Set(codes.filter((code) => code !== 1))).toEqual(new Set(Object.values(EXIT)));
  });

  test("the npm scripts it names exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const documented = documents.flatMap((path) => [
      ...read(path).matchAll(/npm run ([a-z]+)|npm (start|test)\b/g),
    ]);
    for (const [, script, short] of documented)
      expect(Object.keys(scripts)).toContain(script ?? short);
  });
});

describe("CONTRIBUTING's smallest examples", () => {
  test("the fault is no-fault.ts, to the letter", () => {
    const code = read("harness/faults/no-fault.ts");
    expect(block("CONTRIBUTING.md", "ts", 0)).toBe(code.slice(code.indexOf("export const")));
  });

  test("the invariant parses, finds its violation, and accuses nobody else", async () => {
    const text = block("CONTRIBUTING.md", "sql");
    const { id } = parseInvariant("CONTRIBUTING.md", text);
    writeFileSync(join(scratch, "example.sql"), text);
    const verdictOver = async (amounts: readonly (number | null)[]) => {
      const coupons = amounts.map((amount, n) => ({ id: `c${n}`, amount }));
      const { invariants } = await judged({ coupons }, { extraDir: scratch, only: [id] });
      return invariants.map(({ verdict, count, considered }) => ({ verdict, count, considered }));
    };
    expect(await verdictOver([1_000, 0, 500])).toEqual([
      { verdict: "fail", count: 1, considered: 3 },
    ]);
    expect(await verdictOver([1_000, 1])).toEqual([{ verdict: "pass", count: 0, considered: 2 }]);
    expect(await verdictOver([null])).toEqual([
      { verdict: "not-applicable", count: 0, considered: 0 },
    ]);
  });

  test("the scenario compiles, loads, and its event is one the harness takes", async () => {
    const script = join(scratch, "quiet-minute.ts");
    writeFileSync(script, block("CONTRIBUTING.md", "ts", 1));
    const env = { BASE_URL: "http://127.0.0.1:9" };
    const loaded = await nodeEngine.load({ script, env, seed: 1 });
    expect(loaded).toMatchObject({ durationS: 10, peakPerS: 10 });
    const event = parseEvent(loaded.event, {
      at: loaded.eventAt ?? script,
      scenarios: Object.keys(loaded.options["scenarios"] ?? {}),
      durationS: loaded.durationS,
      invariants: [],
    });
    expect(event.title).toBe("A quiet minute");
  });
});

describe("docs/judging.md", () => {
  test("the walk-through's three tables get the verdict it shows", () => {
    for (const name of ["orders", "payments", "refunds"])
      writeFileSync(join(scratch, `${name}.csv`), block("docs/judging.md", `csv ${name}.csv`));
    const { code, text } = stampede("judge", "--evidence", scratch);
    expect(text.split("\n\nnot decided here")[0]).toBe(
      block("docs/judging.md", "text verdict").trimEnd(),
    );
    expect(code).toBe(EXIT.invariantViolated);
    expect(read("docs/judging.md")).toContain(`exits ${code}`);
  });

  test("every rule of X0 that it explains is judged, and no other", () => {
    const rules = loadInvariants([BUILT_IN_INVARIANTS]).filter(({ id }) => id.startsWith("X0-"));
    const explained = [...read("docs/judging.md").matchAll(/^\| (R\d) \|/gm)].map(([, id]) => id);
    expect(explained).toEqual(rules.map(({ id }) => id.slice(3)));
  });
});

describe("docs/engine.md", () => {
  const words = new Set([...read("docs/engine.md").matchAll(/`([^`]+)`/g)].map(([, word]) => word));

  test.each(BUILTIN_MODULES.filter((name) => name !== "k6/options"))(
    "the module %s is there",
    (name) => expect(words).toContain(name),
  );

  test("options are refused or without effect exactly as it says", () => {
    const source = read("harness/engine/node/options/run-options.ts");
    for (const list of ["WITHOUT_EFFECT", "NOT_BUILT"]) {
      const names = new RegExp(`const ${list} = \\[([^\\]]*)\\]`).exec(source)?.[1] ?? "";
      const options = [...names.matchAll(/"(\w+)"/g)].map(([, name]) => name);
      expect(options.length).toBeGreaterThan(3);
      expect(options.filter((name) => !words.has(name))).toEqual([]);
    }
    expect(read("docs/engine.md")).toContain(MAX_VUS.toLocaleString("en-US"));
  });
});

describe("docs/sample-shop.md", () => {
  const text = read("docs/sample-shop.md");

  test("every pair of files of the shop has a line, and every line its pair", () => {
    const pairs = (folder: string, prefix: string): string[] =>
      readdirSync(join(root, folder))
        .filter((name) => name.endsWith("-naive.ts"))
        .map((name) => `${prefix}${name.replace("-naive.ts", "-*")}`);
    const shown = [...text.matchAll(/^\| `([a-z/-]+-\*)` \|/gm)].map(([, name]) => name);
    expect(new Set(shown)).toEqual(
      new Set([...pairs("target-app/shop", ""), ...pairs("target-app/shop/jobs", "jobs/")]),
    );
  });

  test("every route of the shop, the gateway and the sink is named", () => {
    const routes = ["shop/routes.ts", "gateway/routes.ts", "sink/app.ts"].flatMap((file) => [
      ...read(`target-app/${file}`).matchAll(/path: "([^"]+)"/g),
    ]);
    expect(routes.length).toBeGreaterThan(10);
    expect(routes.map(([, path]) => path ?? "").filter((path) => !text.includes(path))).toEqual([]);
  });
});

describe("DECISIONS", () => {
  const manifest = JSON.parse(read("package.json")) as Record<
    "dependencies" | "devDependencies" | "optionalDependencies",
    Record<string, string>
  >;
  const packages = Object.keys({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
  });
  const table = read("DECISIONS.md").split("## Libraries")[1] ?? "";
  const listed = [...table.matchAll(/^\| ([^|]+) \|/gm)]
    .flatMap(([, cell = ""]) => cell.split(/[ ,()]+/))
    .filter((name) => /^@?[a-z]/.test(name) && name !== "library");
  const covers = (entry: string, name: string): boolean =>
    entry.endsWith("/*") ? name.startsWith(entry.slice(0, -1)) : entry === name;

  test.each(packages)("the dependency %s has a line", (name) => {
    expect(listed.some((entry) => covers(entry, name))).toBe(true);
  });

  test("no line is about a library that is not used", () => {
    expect(listed.filter((entry) => !packages.some((name) => covers(entry, name)))).toEqual([]);
  });
});

test("every promise names a test file or a step of .ci/run that is there, or none", () => {
  const promises = JSON.parse(read("docs/promises.json")) as { test: string | null }[];
  const steps = [...read(".ci/run").matchAll(/^step "([^"]+)"/gm)].map(([, name]) => name);
  const gone = promises.filter(({ test: proof }) => {
    if (proof === null) return false;
    const [what = ""] = proof.split(" > ");
    return what.startsWith("step: ")
      ? !steps.includes(what.slice("step: ".length))
      : !existsSync(join(root, what));
  });
  expect(gone).toEqual([]);
});
