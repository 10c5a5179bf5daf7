/** How many VUs a ramp plans at which moment. */
import { expect, it } from "vitest";
import { vuSteps } from "./ramping-vus.ts";

it.each([
  [
    "up by one at a time, the last at the stage's end",
    { startVUs: 1, stages: [{ durationMs: 1000, target: 5 }] },
    [
      [0, 1],
      [250, 2],
      [500, 3],
      [750, 4],
      [1000, 5],
    ],
  ],
  [
    "down the same way",
    { startVUs: 2, stages: [{ durationMs: 1000, target: 0 }] },
    [
      [0, 2],
      [500, 1],
      [1000, 0],
    ],
  ],
  [
    "a stage that holds changes nothing",
    {
      startVUs: 1,
      stages: [
        { durationMs: 1000, target: 1 },
        { durationMs: 200, target: 2 },
      ],
    },
    [
      [0, 1],
      [1200, 2],
    ],
  ],
  [
    "duration 0 jumps",
    {
      startVUs: 1,
      stages: [
        { durationMs: 0, target: 100 },
        { durationMs: 500, target: 99 },
      ],
    },
    [
      [0, 1],
      [0, 100],
      [500, 99],
    ],
  ],
])("%s", (_name, plan, expected) => {
  expect(vuSteps(plan).map(({ atMs, vus }) => [atMs, vus])).toEqual(expected);
});
