/**
 * While the crowd is there: several lines for a terminal that can be redrawn, one plain line for a log, and the
 * sentence that tells a collapse when it happens. Text only; a command draws it.
 */
import { fit, plainLine, spaced, width } from "./columns.ts";
import type { LiveSnapshot } from "./live-snapshot.ts";
import { clockText, milliseconds, perSecond, percent, secondsText } from "./numbers.ts";
import { speak, type Lang, type Say } from "./sentences.ts";
import { paintWith, SCREEN_COLUMNS } from "./terminal.ts";

export interface LiveOptions {
  readonly lang?: Lang;
  readonly color?: boolean;
}

const BAR_CELLS = 30;

const bar = (share: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR_CELLS);
  return "█".repeat(full) + "░".repeat(BAR_CELLS - full);
};

const faultsText = (say: Say, snapshot: LiveSnapshot): string =>
  snapshot.faults.length === 0 ? say("liveNone") : plainLine(snapshot.faults.join(", "));

/** How well the service does right now: under half of what is asked is a collapse in the making. */
const markOf = (snapshot: LiveSnapshot): "good" | "open" | "bad" => {
  if (snapshot.offeredPerS === 0) return "open";
  const share = snapshot.goodputPerS / snapshot.offeredPerS;
  return share >= 0.95 ? "good" : share >= 0.5 ? "open" : "bad";
};

/** Four or five lines for a terminal. */
export function liveLines(snapshot: LiveSnapshot, options: LiveOptions = {}): string[] {
  const say = speak(options.lang);
  const paint = paintWith(options.color ?? false);
  const left = say("liveLeft", {
    seconds: secondsText(say, Math.max(0, Math.ceil(snapshot.totalS - snapshot.elapsedS))),
  });
  const goodput = `${say("liveGoodput")} ${perSecond(say, snapshot.goodputPerS)}`;
  const pair = (label: string, text: string, cells: number): string =>
    fit(`${label} ${text}`, cells);
  return [
    `${paint("strong", fit(plainLine(snapshot.variant), 10))}${bar(snapshot.elapsedS / Math.max(1, snapshot.totalS))}  ${clockText(snapshot.elapsedS)} / ${clockText(snapshot.totalS)}   ${spaced(left)}`,
    `  ${pair(say("livePhase"), plainLine(snapshot.phase), 30)}${pair(say("liveFaults"), faultsText(say, snapshot), SCREEN_COLUMNS - 33)}`.trimEnd(),
    `  ${pair(say("liveOffered"), perSecond(say, snapshot.offeredPerS), 30)}${paint(markOf(snapshot), fit(goodput, Math.max(30, width(goodput) + 1)))}${say("liveRetries")} ${spaced(percent(snapshot.retryShare))}`,
    `  ${pair("p99", milliseconds(snapshot.p99Ms), 30)}${say("liveInFlight")} ${snapshot.inFlight.toLocaleString("en-US")}`,
    ...(snapshot.message === undefined
      ? []
      : [`  ${paint("strong", plainLine(snapshot.message))}`]),
  ];
}

/** One plain line for a log. */
export function liveLine(snapshot: LiveSnapshot, options: LiveOptions = {}): string {
  const say = speak(options.lang);
  const figures = [
    `${say("liveOffered")} ${perSecond(say, snapshot.offeredPerS)}`,
    `${say("liveGoodput")} ${perSecond(say, snapshot.goodputPerS)}`,
    `${say("liveRetries")} ${percent(snapshot.retryShare)}`,
    `p99 ${milliseconds(snapshot.p99Ms)}`,
    `${say("liveInFlight")} ${snapshot.inFlight.toLocaleString("en-US")}`,
    `${say("liveFaults")} ${faultsText(say, snapshot)}`,
  ]
    .map(spaced)
    .join("  ");
  const message = snapshot.message === undefined ? "" : `  ${plainLine(snapshot.message)}`;
  return `[${clockText(snapshot.elapsedS)}/${clockText(snapshot.totalS)}] ${fit(plainLine(snapshot.variant), 8)}${fit(plainLine(snapshot.phase), 12)}${figures}${message}`;
}

/** Goodput must stay under half of min(offered, baseline) this long before it is called a collapse (faults.md). */
const COLLAPSE_S = 5;

/**
 * Watches the snapshots and says, once each time, that the service has collapsed, and that it is back. A preview: the
 * verdict is reached after the drain, from the whole history.
 */
export class LiveStory {
  readonly #baselinePhase: string;
  readonly #say: Say;
  readonly #baseline: number[] = [];
  #lowSinceS: number | null = null;
  #down = false;

  /** @param baselinePhase name of the phase that shows what normal looks like */
  constructor(baselinePhase: string, lang?: Lang) {
    this.#baselinePhase = baselinePhase;
    this.#say = speak(lang);
  }

  /** The sentence this snapshot gives rise to, if any. */
  tell(snapshot: LiveSnapshot): string | null {
    if (snapshot.phase === this.#baselinePhase) this.#baseline.push(snapshot.goodputPerS);
    if (this.#baseline.length === 0) return null;
    const normal = this.#baseline.reduce((sum, rate) => sum + rate, 0) / this.#baseline.length;
    const line = Math.min(snapshot.offeredPerS, normal);
    const low = snapshot.goodputPerS < 0.5 * line;
    this.#lowSinceS = low ? (this.#lowSinceS ?? snapshot.elapsedS) : null;
    const parameters = {
      offered: perSecond(this.#say, snapshot.offeredPerS),
      good: perSecond(this.#say, snapshot.goodputPerS),
    };
    if (
      !this.#down &&
      this.#lowSinceS !== null &&
      snapshot.elapsedS - this.#lowSinceS >= COLLAPSE_S
    ) {
      this.#down = true;
      return this.#say("tellCollapse", {
        ...parameters,
        seconds: secondsText(this.#say, snapshot.elapsedS - this.#lowSinceS),
      });
    }
    if (this.#down && line > 0 && snapshot.goodputPerS >= 0.95 * line) {
      this.#down = false;
      return this.#say("tellBack", parameters);
    }
    return null;
  }
}
