/**
 * The judge: reads the books and the client's history from a folder, judges every invariant over them and reports what
 * it could not judge. Needs no service, no load and no network; writes nothing.
 */
import { Database, type Row } from "../history/duckdb.ts";
import type { InvariantVerdict, X0Verdict } from "../history/run-folder.ts";
import { StampedeError } from "../errors.ts";
import { derive } from "./derive.ts";
import {
  contradicts,
  finishContradictions,
  gatherContradictions,
  loadFunnel,
  loadOutcomes,
  startContradictions,
  type Funnel,
} from "./funnel.ts";
import {
  BUILT_IN_INVARIANTS,
  loadInvariants,
  SUBJECT_KINDS,
  type InvariantFile,
} from "./invariant-file.ts";
import { loadBooks, type LoadedBooks } from "./load-books.ts";
import { runInvariant, type JudgedInvariant, type JudgingContext } from "./run-invariant.ts";
import { foreignWords } from "./vocabulary.ts";
import { collectWitnesses, type Subject } from "./witness.ts";
import { describeX0, isRule, mergeRules, prepareX0 } from "./x0.ts";

export interface JudgeOptions {
  /** Folder of the canonical tables, *.parquet or *.csv. */
  readonly evidenceDir: string;
  /** The client's history; null: ops.parquet or ops.csv in evidenceDir, if there. */
  readonly opsPath: string | null;
  /** Invariants that must have been exercised: under the least sample they are inconclusive. */
  readonly judges: readonly string[];
  /** Whether the service came to rest before its books were read; null: as the table `books` says, else yes. */
  readonly drained: boolean | null;
  /** A folder of further invariants of the user's own. */
  readonly extraDir?: string;
  /** Where large sorts may spill. */
  readonly tempDir?: string;
  /** Kinds of operation the funnel counts. */
  readonly goodputKinds?: readonly string[];
  /** Judge these ids only. */
  readonly only?: readonly string[];
  readonly queryTimeoutMs?: number;
}

export interface JudgeResult {
  readonly invariants: InvariantVerdict[];
  readonly x0: X0Verdict;
  readonly outcomes: {
    readonly ok: number;
    readonly fail: number;
    readonly info: number;
    readonly info_resolved: number;
  };
  readonly funnel: Funnel | null;
  /** Intents that a definite O, P or X0 violation contradicts. */
  readonly contradicted: string[];
  readonly missing: { readonly invariant: string; readonly missing: readonly string[] }[];
  /** Files of the folder that are no canonical table. */
  readonly extra: readonly string[];
  readonly drained: boolean;
  /** At most 1,000 violations an invariant. */
  readonly rows: ReadonlyMap<string, readonly Row[]>;
}

const QUERY_TIMEOUT_MS = 60_000;

function chosen(options: JudgeOptions): InvariantFile[] {
  const files = loadInvariants([
    BUILT_IN_INVARIANTS,
    ...(options.extraDir === undefined ? [] : [options.extraDir]),
  ]);
  const { only } = options;
  if (only === undefined) return files;
  const some = files.filter(
    (file) => only.includes(file.id) || (isRule(file.id) && only.includes("X0")),
  );
  if (some.length === 0)
    throw new StampedeError(
      "configuration",
      `expected invariants among ${files.map((file) => file.id).join(", ")}; got ${only.join(", ")}`,
    );
  return some;
}

/** Not drained as soon as anyone says so; drained when nobody says anything: books are read at rest (design.md §7). */
async function isDrained(db: Database, said: boolean | null): Promise<boolean> {
  const [row] = await db.all("SELECT bool_and(drained) AS drained FROM books");
  return said !== false && row?.["drained"] !== false;
}

async function witnesses(
  db: Database,
  judged: readonly JudgedInvariant[],
): Promise<InvariantVerdict[]> {
  const shownOf = (verdict: InvariantVerdict): Row | null => verdict.worst ?? verdict.first;
  const subjects = judged.flatMap(({ verdict }): Subject[] => {
    const shown = shownOf(verdict);
    const kind = SUBJECT_KINDS.find((word) => word === shown?.["subject_kind"]);
    const subject = shown?.["subject"];
    return kind === undefined || typeof subject !== "string"
      ? []
      : [{ invariant: verdict.id, kind, subject }];
  });
  const found = await collectWitnesses(db, subjects);
  return judged.map(({ verdict }) => ({ ...verdict, witness: found.get(verdict.id) ?? null }));
}

async function runAll(
  context: JudgingContext,
  files: readonly InvariantFile[],
): Promise<JudgedInvariant[]> {
  await startContradictions(context.db);
  const judged: JudgedInvariant[] = [];
  for (const file of files) {
    const one = await runInvariant(file, context);
    if (one.verdict.verdict === "fail" && contradicts(file.id))
      await gatherContradictions(context.db);
    judged.push(one);
  }
  return judged;
}

/** The seven rules become one verdict X0, where X0 stands in the order of the others. */
function withX0(
  verdicts: readonly InvariantVerdict[],
  doubts: readonly string[],
): InvariantVerdict[] {
  const x0 = mergeRules(
    verdicts.filter((verdict) => isRule(verdict.id)),
    doubts,
  );
  const first = verdicts.findIndex((verdict) => isRule(verdict.id));
  const others = verdicts.filter((verdict) => !isRule(verdict.id));
  return x0 === null ? others : others.toSpliced(first, 0, x0);
}

/**
 * Judges a folder of books.
 * @throws StampedeError("configuration") when the folder holds no canonical table, a file does not fit its table, or an
 *   invariant file is wrong. What an invariant's query does wrong is that invariant's verdict, never an exception.
 */
export async function judge(options: JudgeOptions): Promise<JudgeResult> {
  const files = chosen(options);
  await using db = await Database.open(
    options.tempDir === undefined ? {} : { tempDirectory: options.tempDir },
  );
  const books: LoadedBooks = await loadBooks(db, options.evidenceDir, options.opsPath);
  await db.lock();
  const drained = await isDrained(db, options.drained);
  await derive(
    db,
    books,
    drained,
    files.map((file) => file.sample + file.violations),
  );
  await prepareX0(db, books);
  const context: JudgingContext = {
    db,
    books,
    drained,
    judges: new Set(options.judges),
    queryTimeoutMs: options.queryTimeoutMs ?? QUERY_TIMEOUT_MS,
    foreign: await foreignWords(db, books),
  };
  const judged = await runAll(context, files);
  const verdicts = await witnesses(db, judged);
  const { x0, doubts } = await describeX0(
    db,
    verdicts.filter((verdict) => isRule(verdict.id)),
  );
  const contradicted = await finishContradictions(db);
  return {
    invariants: withX0(verdicts, doubts),
    x0,
    outcomes: await loadOutcomes(db),
    funnel: await loadFunnel(db, options.goodputKinds ?? ["order"]),
    contradicted,
    missing: judged
      .filter((one) => one.missing.length > 0)
      .map((one) => ({ invariant: one.file.id, missing: one.missing })),
    extra: books.extra,
    drained,
    rows: new Map(judged.map((one) => [one.file.id, one.rows])),
  };
}
