/**
 * The running figures of a run, for the live view and for an operator who watches: O(1) per recorded row, memory for a
 * few numbers a second. These are close to, not the same as, the verdict's figures: whole seconds instead of sliding
 * ones, and an intent counts from its own intended start.
 */
import type { Arrival, Operation } from "../history/operation.ts";
import type { Phase } from "../history/run-folder.ts";
import { COLLAPSE_S, COLLAPSE_SHARE } from "./collapse.ts";
import { BINS, binOf, quantileOf } from "./latency-bins.ts";
import { SERVED_SHARE } from "./recovery.ts";

const NS_PER_S = 1e9;
/** Seconds that a "recovered" and the operator's look are based on. */
const LOOK_S = 5;

export interface LiveOptions {
  readonly goodputKinds: readonly string[];
  readonly goodputScenarios: readonly string[];
  /** The customer's deadline: after it, nothing that arrived in a second can become good any more. */
  readonly deadlineS: number;
  /** After this the first attempt of everybody who arrived is on record. */
  readonly attemptTimeoutS: number;
  readonly phases: readonly Pick<Phase, "role" | "start_s" | "end_s">[];
}

/** What is worth a sentence when it happens. Rates per second, times in seconds since T0. */
export interface LiveNotice {
  readonly kind: "collapsed" | "recovered";
  /** First second of the stretch that shows it. */
  readonly fromS: number;
  readonly goodputPerS: number;
  readonly offeredPerS: number;
  readonly baselinePerS: number;
}

export interface LiveFiguresSnapshot {
  /** Customers who arrived, in the last second whose first attempts are all on record. */
  readonly offeredPerS: number;
  /** Good answers that came in the last whole second. */
  readonly goodputPerS: number;
  /** Retries ÷ attempts that ended in the last whole second, 0 … 1. */
  readonly retryShare: number;
  /** Of the answers that came in the last whole second, from the intended start; null when there were none. */
  readonly p99Ms: number | null;
  /** Told once, when it is noticed: a deadline after the fact, for goodput is known no sooner. */
  readonly notice?: LiveNotice;
  /** The notice as an English sentence. */
  readonly message?: string;
}

/** Counts per whole second; seconds nobody wrote to are 0. */
class Seconds {
  readonly #counts: number[] = [];

  add(second: number): void {
    if (second < 0) return;
    while (this.#counts.length <= second) this.#counts.push(0);
    this.#counts[second] = (this.#counts[second] ?? 0) + 1;
  }

  at(second: number): number {
    return this.#counts[second] ?? 0;
  }

  /** Seconds from … to−1. */
  sum(from: number, to: number): number {
    let sum = 0;
    for (let s = Math.max(0, from); s < to; s++) sum += this.at(s);
    return sum;
  }
}

/** Latency histograms of the last few seconds, in a ring. */
class RecentLatency {
  static readonly #SLOTS = 4;
  readonly #histograms = Array.from({ length: RecentLatency.#SLOTS }, () => new Uint32Array(BINS));
  readonly #second = new Int32Array(RecentLatency.#SLOTS).fill(-1);
  readonly #count = new Uint32Array(RecentLatency.#SLOTS);

  add(second: number, ms: number): void {
    const slot = second % RecentLatency.#SLOTS;
    if ((this.#second[slot] ?? 0) > second) return; // older than the ring
    if (this.#second[slot] !== second) {
      this.#histograms[slot]?.fill(0);
      this.#second[slot] = second;
      this.#count[slot] = 0;
    }
    const histogram = this.#histograms[slot];
    if (histogram !== undefined) histogram[binOf(ms)] = (histogram[binOf(ms)] ?? 0) + 1;
    this.#count[slot] = (this.#count[slot] ?? 0) + 1;
  }

  p99Ms(second: number): number | null {
    const slot = second % RecentLatency.#SLOTS;
    const histogram = this.#histograms[slot];
    return second < 0 || histogram === undefined || this.#second[slot] !== second
      ? null
      : quantileOf(histogram, this.#count[slot] ?? 0, 0.99);
  }
}

/** Hears every row as it is recorded (a HistoryListener) and answers for the last seconds at any moment. */
export class LiveFigures {
  readonly #options: LiveOptions;
  readonly #kinds: ReadonlySet<string>;
  /** Goodput scenario → its iterations under way whose intent is counted, and whether it was good. */
  readonly #underWay: ReadonlyMap<string, Map<number, boolean>>;
  readonly #offered = new Seconds();
  readonly #good = new Seconds();
  readonly #goodAnswers = new Seconds();
  readonly #attempts = new Seconds();
  readonly #retries = new Seconds();
  readonly #latency = new RecentLatency();
  readonly #baseline: { readonly from: number; readonly to: number };
  #nowNs = 0;
  #nextSettled: number;
  #lowSeconds = 0;
  #down = false;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#kinds = new Set(options.goodputKinds);
    this.#underWay = new Map(
      options.goodputScenarios.map((name) => [name, new Map<number, boolean>()]),
    );
    const baseline = options.phases.findLast((p) => p.role === "baseline");
    this.#baseline = {
      from: Math.ceil(baseline?.start_s ?? 0),
      to: Math.floor(baseline?.end_s ?? 0),
    };
    this.#nextSettled = this.#baseline.to;
  }

  /** An attempt ended. */
  operation(op: Omit<Operation, "index">): void {
    const iterations = this.#underWay.get(op.scenario);
    this.#nowNs = Math.max(this.#nowNs, op.time_complete_ns);
    if (iterations === undefined || !this.#kinds.has(op.kind)) return;
    const ended = Math.floor(op.time_complete_ns / NS_PER_S);
    const arrived = Math.floor(op.time_intended_ns / NS_PER_S);
    this.#attempts.add(ended);
    if (op.attempt > 1) this.#retries.add(ended);
    const wasGood = iterations.get(op.iteration);
    if (wasGood === undefined) {
      this.#offered.add(arrived);
      iterations.set(op.iteration, false);
    }
    if (!op.final || wasGood === true) return;
    this.#latency.add(ended, (op.time_complete_ns - op.time_intended_ns) / 1e6);
    if (op.time_complete_ns - op.time_intended_ns > this.#options.deadlineS * NS_PER_S) return;
    iterations.set(op.iteration, true);
    this.#good.add(arrived);
    this.#goodAnswers.add(ended);
  }

  /** An iteration ended, or could not be started. One that never tried its intent is offered load all the same. */
  arrival(arrival: Arrival): void {
    const iterations = this.#underWay.get(arrival.scenario);
    if (iterations?.delete(arrival.iteration) === false)
      this.#offered.add(Math.floor(arrival.time_intended_ns / NS_PER_S));
  }

  /** @param nowNs nanoseconds since T0 */
  snapshot(nowNs: number): LiveFiguresSnapshot {
    this.#nowNs = Math.max(this.#nowNs, nowNs);
    const lastWhole = Math.floor(this.#nowNs / NS_PER_S) - 1;
    const attempts = this.#attempts.at(lastWhole);
    const notice = this.#notice();
    return {
      offeredPerS: this.#offered.at(
        Math.floor(this.#nowNs / NS_PER_S - this.#options.attemptTimeoutS) - 1,
      ),
      goodputPerS: this.#goodAnswers.at(lastWhole),
      retryShare: attempts === 0 ? 0 : this.#retries.at(lastWhole) / attempts,
      p99Ms: this.#latency.p99Ms(lastWhole),
      ...(notice === null ? {} : { notice, message: sentence(notice) }),
    };
  }

  /**
   * Whether goodput has not come back: over the last 5 s about which everything is known, less than 95 % of those who
   * arrived were served well. False while nobody arrived.
   */
  notRecovered(): boolean {
    const to = this.#settledTo();
    return this.#good.sum(to - LOOK_S, to) < SERVED_SHARE * this.#offered.sum(to - LOOK_S, to);
  }

  /** Seconds before this one can gain no good answer any more. */
  #settledTo(): number {
    return Math.max(0, Math.floor(this.#nowNs / NS_PER_S - this.#options.deadlineS));
  }

  /** Walks over the seconds that have settled since the last call; at most one notice a call. */
  #notice(): LiveNotice | null {
    const { from, to } = this.#baseline;
    if (to <= from) return null; // no baseline, nothing to fall below
    const baselinePerS = this.#good.sum(from, to) / (to - from);
    const settledTo = this.#settledTo();
    while (this.#nextSettled < settledTo) {
      const s = this.#nextSettled++;
      this.#lowSeconds =
        this.#good.at(s) < COLLAPSE_SHARE * Math.min(this.#offered.at(s), baselinePerS)
          ? this.#lowSeconds + 1
          : 0;
      const firstS = s + 1 - LOOK_S;
      const offered = this.#offered.sum(firstS, s + 1);
      const good = this.#good.sum(firstS, s + 1);
      const told = (kind: LiveNotice["kind"], fromS: number): LiveNotice => ({
        kind,
        fromS,
        goodputPerS: good / LOOK_S,
        offeredPerS: offered / LOOK_S,
        baselinePerS,
      });
      if (!this.#down && this.#lowSeconds >= COLLAPSE_S) {
        this.#down = true;
        return told("collapsed", s + 1 - COLLAPSE_S);
      }
      if (this.#down && offered > 0 && good >= SERVED_SHARE * offered) {
        this.#down = false;
        return told("recovered", firstS);
      }
    }
    return null;
  }
}

function sentence(notice: LiveNotice): string {
  const [good, offered, before] = [notice.goodputPerS, notice.offeredPerS, notice.baselinePerS].map(
    Math.round,
  );
  return notice.kind === "collapsed"
    ? `collapsed at second ${notice.fromS}: ${good} of ${offered} customers a second are served in time (${before}/s before the crowd)`
    : `recovered from second ${notice.fromS} on: ${good} of ${offered} customers a second are served in time`;
}
