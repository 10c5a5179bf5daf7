/**
 * A retry storm on a virtual clock, for the golden tests: one server, Poisson arrivals, exponential service, clients
 * who give up an attempt after a time-out and try again, and a server that does not notice they have gone. It fills in
 * the same Series that a real run does, so the tests judge it through the very functions that judge a run.
 * What it does not model: connections, several servers, a customer's overall deadline.
 */
import { stream } from "../determinism/seed.ts";
import { BUCKET_MS, emptySeries, type Series } from "./series.ts";

export interface StormOptions {
  readonly seed: number;
  /** Arrivals as a share of capacity. */
  readonly rho: number;
  /** For this long from `triggerAtS` on, the server works at `triggerCapacity` of its rate. */
  readonly triggerAtS: number;
  readonly triggerS: number;
  readonly triggerCapacity: number;
  /** No arrivals from here on. */
  readonly endS: number;
  /** μ, served per second. */
  readonly capacityPerS: number;
  readonly timeoutS: number;
  /** Further attempts after the first. */
  readonly retries: number;
  /** Exponential backoff with full jitter: retry k waits uniform(0, baseS·2^(k−1)); 0 retries at once. */
  readonly backoffBaseS: number;
  /** Tokens a first attempt earns, a retry costs one; Infinity sets no budget. */
  readonly retryBudget: number;
  /** The server throws away, at no cost, what has waited longer than the time-out when its turn comes. */
  readonly dropExpired: boolean;
  /** Attempts beyond this many waiting are refused at once. */
  readonly queueCap: number;
  readonly order: "fifo" | "lifo";
}

/** The reference setting of faults.md: μ = 200/s, time-out 1 s, 3 immediate retries, capacity × 0.2 in the trigger. */
export const REFERENCE_STORM: StormOptions = {
  seed: 1,
  rho: 0.2,
  triggerAtS: 20,
  triggerS: 8,
  triggerCapacity: 0.2,
  endS: 150,
  capacityPerS: 200,
  timeoutS: 1,
  retries: 3,
  backoffBaseS: 0,
  retryBudget: Number.POSITIVE_INFINITY,
  dropExpired: false,
  queueCap: Number.POSITIVE_INFINITY,
  order: "fifo",
};

/** Tokens a retry budget can save up. */
const BUDGET_BURST = 10;
const WAITING = 0;
const ANSWERED = 1;
const GIVEN_UP = 2;

/** A min-heap of (time, payload) in two flat arrays. */
class TimeHeap {
  readonly #times: number[] = [];
  readonly #payloads: number[] = [];

  get nextS(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  push(time: number, payload: number): void {
    let i = this.#times.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((this.#times[parent] ?? 0) <= time) break;
      this.#set(i, parent);
      i = parent;
    }
    this.#times[i] = time;
    this.#payloads[i] = payload;
  }

  pop(): number {
    const top = this.#payloads[0] ?? -1;
    const time = this.#times.pop() ?? 0;
    const payload = this.#payloads.pop() ?? -1;
    const size = this.#times.length;
    let i = 0;
    for (let child = 1; child < size; child = 2 * i + 1) {
      if (child + 1 < size && (this.#times[child + 1] ?? 0) < (this.#times[child] ?? 0)) child++;
      if ((this.#times[child] ?? 0) >= time) break;
      this.#set(i, child);
      i = child;
    }
    if (size > 0) {
      this.#times[i] = time;
      this.#payloads[i] = payload;
    }
    return top;
  }

  #set(to: number, from: number): void {
    this.#times[to] = this.#times[from] ?? 0;
    this.#payloads[to] = this.#payloads[from] ?? 0;
  }
}

/** One simulation; `run()` plays it to the end. */
class Storm {
  readonly #o: StormOptions;
  readonly #series: Series;
  readonly #arrivals: () => number;
  readonly #work: () => number;
  readonly #jitter: () => number;
  // Attempts, in the order they were sent; an intent is known by its number.
  readonly #sentS: Float64Array;
  readonly #intentOf: Int32Array;
  readonly #state: Uint8Array;
  readonly #arrivedS: Float64Array;
  readonly #tries: Uint8Array;
  readonly #queue: Int32Array;
  readonly #pendingRetries = new TimeHeap();
  #intents = 0;
  #sent = 0;
  #answered = 0;
  #settled = 0;
  /** Attempts before this one have been answered or given up. */
  #oldest = 0;
  #head = 0;
  #tail = 0;
  #serving = -1;
  #finishS = Number.POSITIVE_INFINITY;
  #nextArrivalS = 0;
  #tokens = BUDGET_BURST;
  #sampled = 0;

  constructor(o: StormOptions) {
    this.#o = o;
    const buckets = Math.round((o.endS * 1000) / BUCKET_MS);
    this.#series = emptySeries(buckets, Array.from<string>({ length: buckets }).fill("storm"));
    this.#arrivals = stream(o.seed, "arrivals");
    this.#work = stream(o.seed, "work");
    this.#jitter = stream(o.seed, "jitter");
    // Ten standard deviations above the mean count of arrivals.
    const mean = o.rho * o.capacityPerS * o.endS;
    const intents = Math.ceil(mean + 10 * Math.sqrt(mean) + 10);
    const attempts = intents * (o.retries + 1);
    this.#sentS = new Float64Array(attempts);
    this.#intentOf = new Int32Array(attempts);
    this.#state = new Uint8Array(attempts);
    this.#queue = new Int32Array(attempts);
    this.#arrivedS = new Float64Array(intents);
    this.#tries = new Uint8Array(intents);
  }

  run(): Series {
    this.#nextArrivalS = this.#gap();
    for (;;) {
      const timeoutS = this.#nextTimeout();
      const nextClientS = Math.min(this.#nextArrivalS, timeoutS, this.#pendingRetries.nextS);
      this.#sampleUpTo(Math.min(nextClientS, this.#finishS, this.#o.endS));
      // Once no client waits for anything, what the server still works on changes no figure.
      if (nextClientS === Number.POSITIVE_INFINITY) return this.#series;
      const t = Math.min(nextClientS, this.#finishS);
      if (t === this.#finishS) this.#finish(t);
      else if (t === timeoutS) this.#giveUp(t);
      else if (t === this.#pendingRetries.nextS) this.#send(t, this.#pendingRetries.pop());
      else this.#arrive(t);
    }
  }

  #gap(): number {
    return -Math.log(1 - this.#arrivals()) / (this.#o.rho * this.#o.capacityPerS);
  }

  #arrive(t: number): void {
    const intent = this.#intents++;
    this.#arrivedS[intent] = t;
    this.#count(this.#series.offered, t);
    this.#count(this.#series.intents, t);
    this.#tokens = Math.min(BUDGET_BURST, this.#tokens + this.#o.retryBudget);
    this.#send(t, intent);
    const next = t + this.#gap();
    this.#nextArrivalS = next < this.#o.endS ? next : Number.POSITIVE_INFINITY;
  }

  #send(t: number, intent: number): void {
    const attempt = this.#sent++;
    const tries = (this.#tries[intent] ?? 0) + 1;
    this.#tries[intent] = tries;
    this.#sentS[attempt] = t;
    this.#intentOf[attempt] = intent;
    this.#count(this.#series.tries, this.#arrivedS[intent] ?? 0);
    this.#count(this.#series.attempts, t);
    if (tries > 1) this.#count(this.#series.retries, t);
    if (this.#tail - this.#head >= this.#o.queueCap) {
      this.#state[attempt] = GIVEN_UP;
      this.#settled++;
      this.#answered++; // a refusal is an answer: the server holds nothing of it
      this.#count(this.#series.fail, t);
      this.#retry(t, intent);
      return;
    }
    this.#queue[this.#tail++] = attempt;
    if (this.#serving < 0) this.#serveNext(t);
  }

  #serveNext(t: number): void {
    this.#serving = -1;
    this.#finishS = Number.POSITIVE_INFINITY;
    while (this.#tail > this.#head) {
      const attempt =
        (this.#o.order === "fifo" ? this.#queue[this.#head++] : this.#queue[--this.#tail]) ?? 0;
      if (this.#o.dropExpired && t - (this.#sentS[attempt] ?? 0) > this.#o.timeoutS) continue;
      this.#serving = attempt;
      this.#finishS = this.#endOfWork(t, -Math.log(1 - this.#work()) / this.#o.capacityPerS);
      return;
    }
  }

  /** When `workS` seconds of full capacity are done that begin at t: slower while the trigger lasts. */
  #endOfWork(t: number, workS: number): number {
    const { triggerAtS, triggerS, triggerCapacity } = this.#o;
    const triggerEndS = triggerAtS + triggerS;
    if (t >= triggerEndS || t + workS <= triggerAtS) return t + workS;
    const before = Math.max(0, triggerAtS - t);
    const slowFrom = Math.max(t, triggerAtS);
    const slowEnd = slowFrom + (workS - before) / triggerCapacity;
    return slowEnd <= triggerEndS
      ? slowEnd
      : triggerEndS + (workS - before) - (triggerEndS - slowFrom) * triggerCapacity;
  }

  #finish(t: number): void {
    const attempt = this.#serving;
    if (this.#state[attempt] === WAITING) {
      this.#state[attempt] = ANSWERED;
      this.#settled++;
      this.#answered++;
      const arrivedS = this.#arrivedS[this.#intentOf[attempt] ?? 0] ?? 0;
      this.#count(this.#series.ok, this.#sentS[attempt] ?? 0);
      this.#count(this.#series.good, arrivedS);
      this.#count(this.#series.kept, arrivedS);
      this.#series.latency.add(this.#bucket(arrivedS), (t - arrivedS) * 1000);
    }
    this.#serveNext(t);
  }

  #nextTimeout(): number {
    while (this.#oldest < this.#sent && this.#state[this.#oldest] !== WAITING) this.#oldest++;
    return this.#oldest < this.#sent
      ? (this.#sentS[this.#oldest] ?? 0) + this.#o.timeoutS
      : Number.POSITIVE_INFINITY;
  }

  #giveUp(t: number): void {
    const attempt = this.#oldest;
    this.#state[attempt] = GIVEN_UP;
    this.#settled++;
    this.#count(this.#series.info, this.#sentS[attempt] ?? 0);
    this.#retry(t, this.#intentOf[attempt] ?? 0);
  }

  #retry(t: number, intent: number): void {
    const tries = this.#tries[intent] ?? 0;
    if (tries > this.#o.retries || this.#tokens < 1) {
      this.#count(this.#series.unanswered, this.#arrivedS[intent] ?? 0);
      return;
    }
    if (Number.isFinite(this.#o.retryBudget)) this.#tokens -= 1;
    this.#pendingRetries.push(t + this.#jitter() * this.#o.backoffBaseS * 2 ** (tries - 1), intent);
  }

  #bucket(t: number): number {
    return Math.min(this.#series.buckets - 1, Math.floor((t * 1000) / BUCKET_MS));
  }

  #count(column: Float64Array, t: number): void {
    const bucket = this.#bucket(t);
    column[bucket] = (column[bucket] ?? 0) + 1;
  }

  #sampleUpTo(t: number): void {
    for (
      ;
      this.#sampled < this.#series.buckets && ((this.#sampled + 1) * BUCKET_MS) / 1000 <= t;
      this.#sampled++
    ) {
      this.#series.queueDepth[this.#sampled] =
        this.#tail - this.#head + (this.#serving < 0 ? 0 : 1);
      this.#series.inFlight[this.#sampled] = this.#sent - this.#settled;
      this.#series.backlogBound[this.#sampled] = this.#sent - this.#answered;
    }
  }
}

/** Plays one storm. */
export function retryStorm(options: Partial<StormOptions>): Series {
  return new Storm({ ...REFERENCE_STORM, ...options }).run();
}
