/** The map is the law: reads ARCHITECTURE.md's import table and walks every import; and the small rules of the house. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
// Files git knows or would know, so that a new file is held to the rules before it is committed.
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(root, path)));
const sources = files.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"));
/** Built from pieces, so that this file does not accuse itself. */
const leftForLater = new RegExp(
  [String.raw`\b(it|test|describe)\.(only|skip)\(|FIX`, "ME|TO", "DO"].join(""),
);
const isTest = (path: string): boolean => /\.(test|fixture)\.ts$/.test(path);

/** folder → folders it may import, from the table's rows. */
function importTable(): Map<string, string[]> {
  const section = read("ARCHITECTURE.md").split("## Who may import whom")[1]?.split("\n## ")[0];
  const rows = (section ?? "").matchAll(/^\| ([a-z/.\-, ]+) \| (.+) \|$/gm);
  const table = new Map<string, string[]>();
  for (const [, folder = "", may = ""] of rows) {
    if (folder === "folder" || folder.startsWith("-")) continue;
    table.set(
      folder.trim(),
      may.split(",").map((word) => word.trim()),
    );
  }
  return table;
}

const table = importTable();
const everywhere = ["harness/errors.ts"];

/** The row a file belongs to: the longest folder of the table that contains it. */
function rowOf(path: string): string | null {
  return (
    [...table.keys()]
      .filter((folder) => path.startsWith(`${folder}/`) || path === folder)
      .toSorted((a, b) => b.length - a.length)[0] ?? null
  );
}

function importsOf(path: string): string[] {
  return [
    ...read(path).matchAll(
      /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)/g,
    ),
  ].map(([, a, b]) => a ?? b ?? "");
}

function offences(): string[] {
  const found: string[] = [];
  for (const path of sources.filter((p) => !isTest(p))) {
    const row = rowOf(path);
    if (row === null) continue;
    const may = table.get(row) ?? [];
    for (const name of importsOf(path)) {
      if (!name.startsWith(".")) {
        if (row === "scenarios" && !name.startsWith("k6") && name !== "@stampede-sre/stampede")
          found.push(`${path} imports ${name}`);
        continue;
      }
      const target = relative(root, resolve(root, dirname(path), name));
      if (target.startsWith(`${row}/`) || everywhere.includes(target)) continue;
      if (may.includes("everything but target-app") && !target.startsWith("target-app/")) continue;
      if (may.some((folder) => target.startsWith(`${folder}/`))) continue;
      found.push(`${path} imports ${target}, which its row (${row}) does not allow`);
    }
  }
  return found;
}

describe("the house is tidy", () => {
  test("the import table of ARCHITECTURE.md is read, and names folders that exist", () => {
    expect(table.size).toBeGreaterThanOrEqual(12);
    for (const folder of table.keys()) expect(existsSync(join(root, folder)), folder).toBe(true);
  });

  test("no import crosses the table", () => {
    expect(offences()).toEqual([]);
  });

  test("no folder is called utils, helpers, common, lib or misc", () => {
    expect(files.filter((path) => /(^|\/)(utils|helpers|common|lib|misc)\//.test(path))).toEqual(
      [],
    );
  });

  test("every source file begins with a sentence that says what it is", () => {
    expect(
      sources.filter((path) => !/^(#!.*\n)?\/\*\*?[\s\S]*?[.:!?][\s\S]*?\*\//.test(read(path))),
    ).toEqual([]);
  });

  test("time and chance have one door in harness/, and nothing but commands print or exit", () => {
    const harness = sources.filter((path) => path.startsWith("harness/") && !isTest(path));
    const clock = harness.filter(
      (path) =>
        !path.startsWith("harness/determinism/") &&
        /\bnew Date\(\)|\bDate\.now\(|performance\.now\(|Math\.random\(\)|process\.hrtime/.test(
          stripped(path),
        ),
    );
    expect(clock).toEqual([]);
    const printers = harness.filter(
      (path) =>
        !/^harness\/(commands\/|cli\.ts|target\/keeper\.ts)/.test(path) &&
        /\bconsole\.(log|error|warn)\(|process\.exit\(|process\.std(out|err)\.write/.test(
          stripped(path),
        ),
    );
    expect(printers).toEqual([]);
  });

  test("no test is skipped or left alone, and nothing is left to be done later", () => {
    const left = sources.filter(
      (path) => path !== "harness/tidy.test.ts" && leftForLater.test(read(path)),
    );
    expect(left).toEqual([]);
  });

  test("files stay under 400 lines, tests under 900", () => {
    expect(
      sources.filter((path) => read(path).split("\n").length > (isTest(path) ? 901 : 401)),
    ).toEqual([]);
  });

  test("no machine's path stands in the tree", () => {
    const personal = new RegExp(["/wor", "k/|/hom", "e/[a-z]|/Use", "rs/"].join(""));
    expect(
      files.filter(
        (path) =>
          /\.(ts|js|md|json|sql|yaml|yml)$/.test(path) &&
          path !== "package-lock.json" &&
          personal.test(read(path)),
      ),
    ).toEqual([]);
  });
});

/** Without comments and string literals, so that rules look at code only. */
function stripped(path: string): string {
  return read(path).replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"/g, "");
}
