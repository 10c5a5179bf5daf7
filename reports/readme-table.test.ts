/** README's first screen says what a real run said: its table is the rendering of docs/demo/figures.json. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { figuresSchema, readmeTable } from "./readme-table.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

test("the table in README.md is the committed run's, to the letter", () => {
  const figures = figuresSchema.parse(JSON.parse(read("docs/demo/figures.json")));
  const block = /<!-- demo:begin -->\n([\s\S]*?)\n<!-- demo:end -->/.exec(read("README.md"))?.[1];
  expect(block).toBe(readmeTable(figures));
});

test("the committed run showed what the demo claims", () => {
  const { naive, guarded, meant } = figuresSchema.parse(JSON.parse(read("docs/demo/figures.json")));
  expect(naive.issued).toBeGreaterThan(meant);
  expect(guarded.issued).toBeLessThanOrEqual(meant);
  expect(naive.metastable).toBe("yes");
  expect(naive.without_rule).toBeGreaterThan(0);
  expect(guarded.without_rule).toBe(0);
});

test("every file README links to exists", () => {
  const links = [...read("README.md").matchAll(/\]\(([^)#]+)\)/g)]
    .map(([, link]) => link ?? "")
    .filter((link) => !link.includes("://"));
  expect(links.length).toBeGreaterThan(3);
  expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
});

test("every command README names is one the command line has", () => {
  const named = [...read("README.md").matchAll(/\bstampede ([a-z]+)\b/g)].map(
    ([, word]) => word ?? "",
  );
  const cli = read("harness/cli.ts");
  const verbs = [...cli.matchAll(/\.command\("([a-z]+)/g)].map(([, word]) => word ?? "");
  const commands = named.filter((word) =>
    [
      "run",
      "demo",
      "list",
      "judge",
      "compare",
      "report",
      "doctor",
      "init",
      "serve",
      "check",
    ].includes(word),
  );
  expect(commands.length).toBeGreaterThan(3);
  expect(commands.filter((word) => !verbs.includes(word))).toEqual([]);
});
