/** The run folder (design.md §5, fixed): what each file holds, and who may read an older one. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { StampedeError } from "../errors.ts";

const verdictWord = z.enum(["pass", "fail", "inconclusive"]);
export type VerdictWord = z.infer<typeof verdictWord>;

const phase = z.object({
  name: z.string(),
  start_s: z.number(),
  end_s: z.number(),
  role: z.enum(["warm-up", "baseline", "trigger", "watch", "intervention"]),
});
export type Phase = z.infer<typeof phase>;

/** run.json: what was asked, of whom, on which machine. Never a secret. */
export const runSchema = z.object({
  format: z.literal(1),
  id: z.string(),
  scenario: z.string(),
  title: z.string(),
  target: z.string(),
  place: z.enum(["embedded", "containers", "external"]),
  engine: z.enum(["node", "k6"]),
  seed: z.number().int(),
  capacity: z.number().nullable(),
  schedule_hash: z.string(),
  started_at: z.string(),
  /** Wall time of T0 in µs since the epoch; every *_ns in this folder counts from there. */
  t0_wall_us: z.number(),
  phases: z.array(phase),
  goodput_kinds: z.array(z.string()),
  /** k6 scenarios whose iterations are meant to hold an intent of goodput_kinds: their arrivals are λ. */
  goodput_scenarios: z.array(z.string()),
  customer: z.record(z.string(), z.unknown()),
  expect_peak_per_s: z.number().nullable(),
  judges: z.array(z.string()),
  /** One line that runs this again: command, seed, capacity. */
  replay: z.string(),
  versions: z.record(z.string(), z.string()),
  machine: z.record(z.string(), z.unknown()),
});
export type RunJson = z.infer<typeof runSchema>;

const invariantVerdict = z.object({
  id: z.string(),
  name: z.string(),
  class: z.string(),
  /** One plain sentence: what must hold. */
  holds: z.string(),
  verdict: z.enum(["pass", "fail", "inconclusive", "not-applicable"]),
  /** Definite violations. */
  count: z.number(),
  possible: z.number(),
  considered: z.number(),
  unknown: z.number(),
  /** Why it is not a plain pass or fail: missing columns, sample too small, drain, a crash of the query. */
  because: z.string().nullable(),
  first: z.record(z.string(), z.unknown()).nullable(),
  worst: z.record(z.string(), z.unknown()).nullable(),
  last: z.record(z.string(), z.unknown()).nullable(),
  /** The fewest rows of all books that show it: table → rows. */
  witness: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))).nullable(),
  took_ms: z.number(),
});
export type InvariantVerdict = z.infer<typeof invariantVerdict>;

const pairSide = z.object({
  order_id: z.string(),
  user_id: z.string(),
  ordered_at_us: z.number().nullable(),
  items: z.string(),
  total: z.number(),
  coupon: z.string().nullable(),
  /** cancelled | held | kept | … */
  outcome: z.string(),
  refund: z.string(),
  told: z.boolean(),
  attributes: z.record(z.string(), z.unknown()),
  /** Facts no policy may look at: refund account on file, shipped, minute, worker, position in the batch … */
  undeclared: z.record(z.string(), z.unknown()),
});
const matchedPair = z.object({
  left: pairSide,
  right: pairSide,
  /** What separates the two among the undeclared facts, the best separator over all pairs first. */
  separates: z.array(z.object({ fact: z.string(), left: z.unknown(), right: z.unknown() })),
});
export type MatchedPair = z.infer<typeof matchedPair>;

const x0 = z.object({
  rules: z.record(z.string(), z.number()),
  label: z.enum(["none", "unfinished", "random", "unexplained"]),
  index_low: z.number().nullable(),
  index_high: z.number().nullable(),
  entropy: z.number().nullable(),
  /** Count of differing pairs (one cancelled, one kept, in one class), bounded by what was looked at. */
  matched_pairs: z.number(),
  /** Orders cancelled or held by the system, and how many of them no rule covers. */
  cancelled: z.number(),
  without_rule: z.number(),
  pairs: z.array(matchedPair),
});
export type X0Verdict = z.infer<typeof x0>;

const collapse = z.object({
  collapsed: z.boolean().nullable(),
  capacity_per_s: z.number().nullable(),
  baseline_per_s: z.number().nullable(),
  depth: z.number().nullable(),
  began_s: z.number().nullable(),
  lost_intents: z.number().nullable(),
  lost_avoidable: z.number().nullable(),
  recovered_after_s: z.number().nullable(),
  intervention_s: z.number().nullable(),
  metastable: z.enum(["yes", "no", "unknown"]),
  decided_by: z.string(),
  amplification_max: z.number().nullable(),
  /** Goodput per second in the baseline, the trigger's peak phase, the end of the watch and after the intervention. */
  goodput_before: z.number().nullable(),
  goodput_in: z.number().nullable(),
  goodput_after: z.number().nullable(),
  goodput_restarted: z.number().nullable(),
  /** Share of min(λ, μ) acknowledged while the trigger lasted at its peak. */
  surge_share: z.number().nullable(),
  backlog_slope_per_s: z.number().nullable(),
  /** The highest arrival rate (per second, over whole seconds) that was still served well. */
  served_well_per_s: z.number().nullable(),
  /** How far each figure is from the line that would change its verdict, as a share of that line. */
  margins: z.record(z.string(), z.number()),
});
export type CollapseVerdict = z.infer<typeof collapse>;

const limit = z.object({
  name: z.string(),
  expression: z.string(),
  observed: z.number().nullable(),
  verdict: verdictWord,
  because: z.string().nullable(),
});
export type LimitVerdict = z.infer<typeof limit>;

const generator = z.object({
  lateness_ms_p99: z.number(),
  dropped: z.number(),
  dropped_share: z.number(),
  event_loop_delay_ms_p99: z.number(),
  cpu_share: z.number(),
  socket_errors: z.number(),
  saturated: z.boolean(),
  /** Empty, or why it counts as saturated. */
  because: z.array(z.string()),
});
export type GeneratorHealth = z.infer<typeof generator>;

export const verdictSchema = z.object({
  schema: z.literal(1),
  run: z.string(),
  verdict: verdictWord,
  exit_code: z.number().int(),
  go: z.boolean().nullable(),
  /** Why go is what it is, in plain words. */
  go_because: z.array(z.string()),
  invariants: z.array(invariantVerdict),
  thresholds: z.array(limit),
  slos: z.array(limit),
  collapse,
  x0,
  generator,
  outcomes: z.object({
    ok: z.number(),
    fail: z.number(),
    info: z.number(),
    info_resolved: z.number(),
  }),
  /** intents → attempts → acknowledged → in the books → kept, of the goodput kinds. */
  funnel: z
    .object({
      intents: z.number(),
      attempts: z.number(),
      acknowledged: z.number(),
      in_books: z.number(),
      kept: z.number(),
    })
    .nullable(),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** Paths of a run folder's files. */
export function runPaths(
  dir: string,
): Record<
  | "run"
  | "verdict"
  | "ops"
  | "arrivals"
  | "faults"
  | "vitals"
  | "series"
  | "summary"
  | "logs"
  | "evidence"
  | "report"
  | "junit"
  | "markdown",
  string
> {
  return {
    run: join(dir, "run.json"),
    verdict: join(dir, "verdict.json"),
    ops: join(dir, "ops.parquet"),
    arrivals: join(dir, "arrivals.parquet"),
    faults: join(dir, "faults.parquet"),
    vitals: join(dir, "vitals.parquet"),
    series: join(dir, "series.parquet"),
    summary: join(dir, "summary.json"),
    logs: join(dir, "logs"),
    evidence: join(dir, "evidence"),
    report: join(dir, "report.html"),
    junit: join(dir, "junit.xml"),
    markdown: join(dir, "summary.md"),
  };
}

/** Writes beside, then renames: a reader never sees half a file. */
export function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}

/** Makes a run folder with its sub-folders. */
export function makeRunFolder(dir: string, inside: readonly string[] = ["evidence", "logs"]): void {
  try {
    mkdirSync(dir, { recursive: true });
    for (const name of inside) mkdirSync(join(dir, name), { recursive: true });
  } catch (cause) {
    throw new StampedeError(
      "configuration",
      `the output folder ${dir} must be writable; it is not`,
      { hint: "give another with --out DIR", cause },
    );
  }
}

function readJson(path: string, what: string): unknown {
  if (!existsSync(path))
    throw new StampedeError("configuration", `expected ${what} at ${path}; there is no such file`, {
      hint: "give the folder of a finished run",
    });
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new StampedeError("configuration", `${path} must be JSON; it is not`, { cause });
  }
}

/** Reads run.json; refuses a newer format. */
export function readRun(dir: string): RunJson {
  const path = runPaths(dir).run;
  const data = readJson(path, "a run's run.json");
  const format =
    typeof data === "object" && data !== null && "format" in data ? data.format : undefined;
  if (typeof format === "number" && format > 1) {
    throw new StampedeError(
      "configuration",
      `${path} has format ${format}; this stampede reads up to 1`,
      { hint: "use the version that wrote it, or a newer one" },
    );
  }
  const parsed = runSchema.safeParse(data);
  if (!parsed.success)
    throw new StampedeError(
      "configuration",
      `${path} is not a run: ${z.prettifyError(parsed.error)}`,
    );
  return parsed.data;
}

/** Reads verdict.json. */
export function readVerdict(dir: string): Verdict {
  const path = runPaths(dir).verdict;
  const parsed = verdictSchema.safeParse(readJson(path, "a run's verdict.json"));
  if (!parsed.success)
    throw new StampedeError(
      "configuration",
      `${path} is not a verdict: ${z.prettifyError(parsed.error)}`,
    );
  return parsed.data;
}
