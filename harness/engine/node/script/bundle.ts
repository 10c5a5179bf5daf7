/** Bundles a script and its local modules with esbuild: types stripped, builtin modules left as imports, every problem named. */
import { existsSync, realpathSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import {
  build,
  type BuildFailure,
  type Message,
  type Metafile,
  type PartialMessage,
  type Plugin,
  type PluginBuild,
} from "esbuild";
import { StampedeError } from "../../../errors.ts";

export interface Bundle {
  readonly code: string;
  /** The source map, JSON; its sources are relative to `directory`. */
  readonly map: string;
  readonly directory: string;
  readonly sourceFiles: readonly string[];
  /** Stretches of the code from libraries that reach no builtin module, and hence cannot block by themselves. */
  readonly libraries: readonly CodeRange[];
}

/** A stretch of the bundle, by offsets. */
export interface CodeRange {
  readonly start: number;
  readonly end: number;
  readonly file: string;
}

/** A path as messages show it: relative when it lies below the working directory. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") || isAbsolute(short) ? path : short;
}

function refusal(path: string, builtins: readonly string[]): PartialMessage | null {
  const available = `available: ${builtins.join(", ")}, and your own files`;
  if (/^https?:\/\//.test(path)) {
    return {
      text: `importing ${path} over the network is not supported yet`,
      notes: [{ text: "download the file beside the script and import it as ./name.js" }],
    };
  }
  if (path.startsWith("k6/x/"))
    return {
      text: `expected a module this engine has; got "${path}", a k6 extension (${available})`,
      notes: [{ text: "run it with a k6 built with the extension" }],
    };
  if (path === "k6" || path.startsWith("k6/"))
    return {
      text: `expected a module this engine has; got "${path}" (${available})`,
      notes: [{ text: "run it with k6 itself" }],
    };
  if (isBuiltin(path))
    return {
      text: `expected a k6 module or a file; got "${path}", a module of Node (${available})`,
      notes: [{ text: "scripts run as in k6, which has no Node modules" }],
    };
  return null;
}

const own = Symbol("resolved by esbuild itself");

function resolver(builtins: readonly string[]): Plugin {
  const known = new Set(builtins);
  const missing = (path: string): PartialMessage => ({
    text: `expected a file or a module this engine has; nothing is found for "${path}" (available: ${builtins.join(", ")}, and your own files)`,
    notes: [{ text: "k6 wants the file's extension: ./name.js, ./name.ts" }],
  });
  return {
    name: "k6-modules",
    setup(session: PluginBuild) {
      session.onResolve({ filter: /.*/ }, async (asked) => {
        if (asked.kind === "entry-point" || asked.pluginData === own) return null;
        if (known.has(asked.path)) return { path: asked.path, external: true };
        const refused = refusal(asked.path, builtins);
        if (refused !== null) return { errors: [refused] };
        const path = asked.path.replace(/^file:\/\//, "");
        const found = await session.resolve(path, {
          importer: asked.importer,
          kind: asked.kind,
          resolveDir: asked.resolveDir,
          pluginData: own,
        });
        return found.errors.length > 0
          ? { errors: [missing(asked.path)] }
          : { path: found.path, external: false };
      });
    },
  };
}

const isFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && "errors" in error && Array.isArray(error.errors);

function sentence(message: Message, directory: string): string {
  const where =
    message.location === null
      ? ""
      : `${shownPath(resolve(directory, message.location.file))}:${message.location.line}: `;
  return `${where}${message.text}`;
}

/** Above this size, in bytes, a file that does not reach k6 counts as a library even beside the script. */
const LIBRARY_BYTES_MIN = 24_000;

/** Files that import no builtin module, neither themselves nor through others, and are packages or large. */
function libraryFiles(metafile: Metafile): ReadonlySet<string> {
  const files = Object.entries(metafile.inputs);
  const reaching = new Set<string>();
  for (let before = -1; before !== reaching.size;) {
    before = reaching.size;
    for (const [file, { imports }] of files)
      if (imports.some(({ path, external }) => external === true || reaching.has(path)))
        reaching.add(file);
  }
  const isLibrary = (file: string, bytes: number): boolean =>
    !reaching.has(file) && (file.includes("node_modules/") || bytes > LIBRARY_BYTES_MIN);
  return new Set(files.filter(([file, { bytes }]) => isLibrary(file, bytes)).map(([file]) => file));
}

/** esbuild writes a comment with the file's name before every file's code. */
function librariesIn(code: string, metafile: Metafile): CodeRange[] {
  const libraries = libraryFiles(metafile);
  const heads = [...code.matchAll(/^\/\/ (.+)$/gm)].filter(
    ([, file]) => file !== undefined && file in metafile.inputs,
  );
  return heads.flatMap(({ index, 1: file }, at) =>
    file !== undefined && libraries.has(file)
      ? [{ start: index, end: heads[at + 1]?.index ?? code.length, file }]
      : [],
  );
}

/** Throws StampedeError("configuration") naming every problem with file:line. */
export async function bundleScript(path: string, builtins: readonly string[]): Promise<Bundle> {
  if (!existsSync(path)) {
    throw new StampedeError(
      "configuration",
      `expected a script at ${shownPath(path)}; there is no such file`,
      { hint: "give the path of a k6 script" },
    );
  }
  const entry = realpathSync(path);
  const directory = dirname(entry);
  try {
    const result = await build({
      entryPoints: [entry],
      outfile: join(directory, "bundle.js"),
      absWorkingDir: directory,
      write: false,
      bundle: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      target: "es2024",
      sourcemap: "external",
      metafile: true,
      charset: "utf8",
      legalComments: "none",
      logLevel: "silent",
      // A tsconfig of the user's may keep unused imports (verbatimModuleSyntax); k6 drops them, types among them.
      tsconfigRaw: { compilerOptions: {} },
      plugins: [resolver(builtins)],
    });
    const output = (ending: string): string =>
      result.outputFiles.find((file) => file.path.endsWith(ending))?.text ?? "";
    const sourceFiles = Object.keys(result.metafile.inputs).map((file) => resolve(directory, file));
    const code = output(".js");
    return {
      code,
      map: output(".map"),
      directory,
      sourceFiles,
      libraries: librariesIn(code, result.metafile),
    };
  } catch (cause) {
    if (!isFailure(cause)) throw cause;
    const problems = cause.errors.map((message) => sentence(message, directory));
    const advice = [
      ...new Set(cause.errors.flatMap((message) => message.notes.map((note) => note.text))),
    ];
    throw new StampedeError("configuration", problems.join("\n"), {
      cause,
      ...(advice.length > 0 ? { hint: advice.join("; ") } : {}),
    });
  }
}
