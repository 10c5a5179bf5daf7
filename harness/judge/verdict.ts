/**
 * Merges everything a run found into one verdict, one exit code and one answer: may the promotion be sent? Pure.
 *
 * Verdicts merge pass < inconclusive < fail. A saturated generator makes thresholds, SLOs and the collapse
 * inconclusive: it measured itself. Invariants still fail then, since the books are the service's own.
 */
import { EXIT, EXIT_PRECEDENCE, type ExitCode } from "../errors.ts";
import type {
  CollapseVerdict,
  GeneratorHealth,
  InvariantVerdict,
  LimitVerdict,
  VerdictWord,
} from "../history/run-folder.ts";

export interface Findings {
  readonly invariants: readonly InvariantVerdict[];
  readonly thresholds: readonly LimitVerdict[];
  readonly slos: readonly LimitVerdict[];
  readonly collapse: CollapseVerdict;
  readonly generator: GeneratorHealth;
  /** The arrival rate the promotion is expected to bring; null for a plain load test. */
  readonly expectPeakPerS: number | null;
  /** Exit codes the run itself ended with, beside what is judged here: interrupted, script exception, unsafe … */
  readonly endings: readonly ExitCode[];
}

export interface MergedVerdict {
  readonly verdict: VerdictWord;
  readonly exit_code: ExitCode;
  /** true: send it · false: do not · null: nobody can say from this run. */
  readonly go: boolean | null;
  /** Why, in plain words; what weighs most first. */
  readonly go_because: string[];
  readonly thresholds: LimitVerdict[];
  readonly slos: LimitVerdict[];
  readonly collapse: CollapseVerdict;
}

const ENDING: Readonly<Partial<Record<ExitCode, { word: VerdictWord; because: string }>>> = {
  [EXIT.setupTimeout]: { word: "fail", because: "the script's setup ran out of time" },
  [EXIT.teardownTimeout]: { word: "fail", because: "the script's teardown ran out of time" },
  [EXIT.interrupted]: { word: "inconclusive", because: "the run was interrupted" },
  [EXIT.scriptException]: { word: "fail", because: "the script threw an exception" },
  [EXIT.testAbort]: { word: "inconclusive", because: "the script aborted the test" },
  [EXIT.internal]: { word: "inconclusive", because: "the rehearsal itself failed" },
  [EXIT.testFail]: { word: "fail", because: "the script called the test failed" },
  [EXIT.unsafe]: { word: "fail", because: "a fault is not proved undone" },
};

const number = (value: number): string => String(Math.round(value * 10) / 10);
const plural = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

function bottleneck(generator: GeneratorHealth): string {
  return `the load generator was the bottleneck${generator.because.length === 0 ? "" : ` (${generator.because.join(", ")})`}`;
}

const undecided = (limit: LimitVerdict, because: string): LimitVerdict => ({
  ...limit,
  verdict: "inconclusive",
  because,
});

/** What was measured stays to be read; what was concluded from it does not. */
const unconcluded = (collapse: CollapseVerdict, because: string): CollapseVerdict => ({
  ...collapse,
  collapsed: null,
  depth: null,
  began_s: null,
  lost_intents: null,
  lost_avoidable: null,
  recovered_after_s: null,
  metastable: "unknown",
  decided_by: because,
  served_well_per_s: null,
});

const failed = <T extends { readonly verdict: string }>(list: readonly T[]): T[] =>
  list.filter((one) => one.verdict === "fail");
const open = <T extends { readonly verdict: string }>(list: readonly T[]): T[] =>
  list.filter((one) => one.verdict === "inconclusive");

/** What stands against sending, certain. */
function objections(found: Findings): string[] {
  const { collapse } = found;
  const reasons: string[] = [];
  if (collapse.metastable === "yes")
    reasons.push(`the service collapsed${began(collapse)} and did not come back by itself`);
  else if (collapse.collapsed === true && collapse.recovered_after_s === null)
    reasons.push(`the service collapsed${began(collapse)} and was not seen to come back`);
  const broken = failed(found.invariants);
  if (broken.length > 0) {
    reasons.push(
      `${plural(broken.length, "rule was", "rules were")} broken: ${broken.map((rule) => `${rule.id} ${rule.name}`).join(", ")}`,
    );
  }
  for (const limit of failed(found.slos))
    reasons.push(`the objective "${limit.name}" was missed: ${limit.expression}${observed(limit)}`);
  for (const limit of failed(found.thresholds))
    reasons.push(`the threshold ${limit.name}: ${limit.expression} was crossed${observed(limit)}`);
  for (const code of found.endings) {
    const ending = ENDING[code];
    if (ending?.word === "fail") reasons.push(ending.because);
  }
  return reasons;
}

const began = (collapse: CollapseVerdict): string =>
  collapse.began_s === null ? "" : ` ${number(collapse.began_s)} s into the run`;
const observed = (limit: LimitVerdict): string =>
  limit.observed === null ? "" : `, it was ${number3(limit.observed)}`;
const number3 = (value: number): string => String(Math.round(value * 1000) / 1000);

/** What keeps anyone from knowing. */
function doubts(found: Findings): string[] {
  const reasons: string[] = [];
  for (const code of found.endings) {
    const ending = ENDING[code];
    if (ending?.word === "inconclusive") reasons.push(ending.because);
  }
  if (found.generator.saturated) reasons.push(bottleneck(found.generator));
  const rules = open(found.invariants);
  if (rules.length > 0)
    reasons.push(
      `${plural(rules.length, "rule is", "rules are")} undecided: ${rules.map((rule) => `${rule.id} ${rule.name}`).join(", ")}`,
    );
  if (!found.generator.saturated) {
    for (const limit of open([...found.slos, ...found.thresholds]))
      reasons.push(`"${limit.name}" is undecided: ${limit.because ?? limit.expression}`);
    if (found.expectPeakPerS !== null && found.collapse.collapsed === null)
      reasons.push(`nobody can say whether it collapsed: ${found.collapse.decided_by}`);
  }
  return reasons;
}

/** An objective that says how much of the crowd has to be served, and so how much may be turned away. */
const servesEnough = (slos: readonly LimitVerdict[]): LimitVerdict[] =>
  slos.filter(
    (slo) => slo.verdict === "pass" && /^(goodput_share|lost_share)\b/.test(slo.expression),
  );

interface Room {
  readonly enough: boolean | null;
  readonly words: string;
}

/**
 * Is what was served well enough for the forecast? At or above it, yes. Below it a service can still do right by
 * everyone it takes in, but how many may be turned away is the operator's decision, not ours: only an objective on
 * goodput, declared and met, says so.
 */
function headroom(found: Findings, refused: boolean): Room {
  const { served_well_per_s: served } = found.collapse;
  const forecast = found.expectPeakPerS;
  if (forecast === null)
    return {
      enough: null,
      words: "no forecast was given: event.expectPeakPerS says what the promotion will bring",
    };
  if (served === null)
    return {
      enough: null,
      words: `nobody can say up to what rate it was served well; the forecast is ${number(forecast)}/s`,
    };
  const share = Math.round((served / forecast - 1) * 100);
  const figures = `served well up to ${number(served)}/s, forecast ${number(forecast)}/s, headroom ${share} %`;
  if (refused || served >= forecast) return { enough: !refused, words: figures };
  const allowing = servesEnough(found.slos);
  const names = allowing.map((slo) => `"${slo.name}"`).join(", ");
  if (allowing.length > 0)
    return {
      enough: true,
      words: `${figures}; beyond that it turns people away, as much as ${names} allows`,
    };
  return { enough: false, words: `${figures}, and no objective on goodput says that is enough` };
}

function answer(found: Findings): Pick<MergedVerdict, "go" | "go_because"> {
  const against = objections(found);
  const unsure = doubts(found);
  const room = headroom(found, against.length > 0);
  if (against.length > 0) return { go: false, go_because: [...against, ...unsure, room.words] };
  if (unsure.length > 0) return { go: null, go_because: [...unsure, room.words] };
  const back = found.collapse.recovered_after_s;
  const recovered =
    found.collapse.collapsed === true && back !== null
      ? [`it collapsed under the crowd and came back by itself after ${number(back)} s`]
      : [];
  return { go: room.enough, go_because: [room.words, ...recovered] };
}

function exitCode(found: Findings, word: VerdictWord): ExitCode {
  const codes = new Set<ExitCode>(found.endings);
  if (failed(found.invariants).length > 0) codes.add(EXIT.invariantViolated);
  if (failed([...found.thresholds, ...found.slos]).length > 0) codes.add(EXIT.threshold);
  if (word === "inconclusive") codes.add(EXIT.inconclusive);
  return EXIT_PRECEDENCE.find((code) => codes.has(code)) ?? EXIT.pass;
}

/**
 * One verdict from all findings. A collapse alone fails nothing (k6's codes know none; an objective makes it one), but
 * it answers the question whether to send.
 */
export function mergeVerdict(run: Findings): MergedVerdict {
  const saturated = run.generator.saturated ? bottleneck(run.generator) : null;
  const found: Findings =
    saturated === null
      ? run
      : {
          ...run,
          thresholds: run.thresholds.map((limit) => undecided(limit, saturated)),
          slos: run.slos.map((limit) => undecided(limit, saturated)),
          collapse: unconcluded(run.collapse, saturated),
        };
  const words = [...found.invariants, ...found.thresholds, ...found.slos].map((one) => one.verdict);
  const ended = found.endings.flatMap((code) => ENDING[code]?.word ?? []);
  const all = new Set<string>([
    ...words,
    ...ended,
    ...(saturated === null ? [] : ["inconclusive"]),
  ]);
  const verdict: VerdictWord = all.has("fail")
    ? "fail"
    : all.has("inconclusive")
      ? "inconclusive"
      : "pass";
  return {
    verdict,
    exit_code: exitCode(found, verdict),
    ...answer(found),
    thresholds: [...found.thresholds],
    slos: [...found.slos],
    collapse: found.collapse,
  };
}
