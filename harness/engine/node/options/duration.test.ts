/** Durations are read as k6 reads them. */
import { expect, it } from "vitest";
import { parseDurationMs } from "./duration.ts";

it.each([
  ["10s", 10_000],
  ["1m30s", 90_000],
  ["1.5h", 5_400_000],
  ["1d2h", 93_600_000],
  ["500ms", 500],
  ["250µs", 0.25],
  ["1000000ns", 1],
  ["0", 0],
  ["1500", 1500],
  [250, 250],
  ["-3s", -3000],
  ["", null],
  ["10", 10],
  ["10 s", null],
  ["s", null],
  ["10s5", null],
  ["soon", null],
  [Number.NaN, null],
  [null, null],
  [{}, null],
])("%j is %j ms", (value, expected) => {
  expect(parseDurationMs(value)).toBe(expected);
});
