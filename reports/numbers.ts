/** Figures as people read them: grouped thousands, as many digits as matter, and a dash where nothing is known. */
import type { Say } from "./sentences.ts";

/** Shown where a figure is not known; never 0. */
export const UNKNOWN = "–";

/** Between a figure and its unit: a line must not break there. */
export const NBSP = "\u00a0";

/** 12345.6 → "12,346". */
export function whole(value: number | null): string {
  return value === null || !Number.isFinite(value)
    ? UNKNOWN
    : Math.round(value).toLocaleString("en-US");
}

/** Two or three significant digits below 100, whole above: 0.25, 4.2, 37, 1,204. */
export function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return UNKNOWN;
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return whole(value);
  return Number(value.toPrecision(Math.abs(value) >= 10 ? 3 : 2)).toLocaleString("en-US");
}

/** 0.123 → "12 %". One decimal below 10 %. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return UNKNOWN;
  const hundredths = share * 100;
  const text =
    Math.abs(hundredths) < 10 && !Number.isInteger(hundredths)
      ? hundredths.toFixed(1)
      : whole(hundredths);
  return `${text}${NBSP}%`;
}

/** Milliseconds: "0.8 ms", "340 ms", "4.2 s". */
export function milliseconds(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return UNKNOWN;
  return value >= 10_000 ? `${figure(value / 1000)}${NBSP}s` : `${figure(value)}${NBSP}ms`;
}

/** A rate in the speaker's words: "320/s". */
export function perSecond(say: Say, value: number | null): string {
  return value === null ? UNKNOWN : say("perSecond", { number: figure(value) });
}

/** A duration in seconds in the speaker's words. */
export function secondsText(say: Say, value: number | null): string {
  return value === null ? UNKNOWN : say("seconds", { number: figure(Math.round(value * 10) / 10) });
}

/** 83 → "1 min 23 s" in the speaker's words. */
export function durationText(say: Say, seconds: number): string {
  const roundedS = Math.round(seconds);
  return roundedS < 60
    ? say("seconds", { number: roundedS })
    : say("minutes", { minutes: Math.floor(roundedS / 60), seconds: roundedS % 60 });
}

/** 83.4 → "01:23". */
export function clockText(seconds: number): string {
  const roundedS = Math.max(0, Math.floor(seconds));
  return `${String(Math.floor(roundedS / 60)).padStart(2, "0")}:${String(roundedS % 60).padStart(2, "0")}`;
}

/** Time of day, UTC, of a µs time stamp: "01:12:04". */
export function timeOfDay(atUs: number | null): string {
  return atUs === null ? UNKNOWN : new Date(atUs / 1000).toISOString().slice(11, 19);
}
