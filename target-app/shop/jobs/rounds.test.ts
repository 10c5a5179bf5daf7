/** Background rounds: nothing that wakes them is lost, nothing runs twice at once, a failure is not the end. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createLog } from "../../log.ts";
import { Rounds } from "./rounds.ts";

const quiet = createLog("test", "t");
quiet.level = "silent";

test("a round runs until there is no more, and never two at once", async () => {
  let left = 5;
  let running = 0;
  let most = 0;
  const rounds = new Rounds("t", quiet, async () => {
    most = Math.max(most, ++running);
    await delay(1);
    running--;
    return --left > 0;
  });
  rounds.wake();
  await expect.poll(() => left).toBe(0);
  for (let n = 0; n < 10; n++) rounds.wake();
  await expect.poll(() => left).toBeLessThan(0);
  expect(most).toBe(1);
  await rounds.stop();
});

test("who wakes it while it runs gets a further round", async () => {
  let runs = 0;
  const rounds = new Rounds("t", quiet, async () => {
    runs++;
    if (runs === 1) rounds.wake();
    await delay(1);
    return false;
  });
  rounds.wake();
  await expect.poll(() => runs).toBe(2);
  await delay(10);
  expect(runs).toBe(2);
  await rounds.stop();
});

test("a failing round rests and is woken again; a stopped one is not", async () => {
  let runs = 0;
  const rounds = new Rounds("t", quiet, async () => {
    if (++runs === 1) throw new Error("the sink is away");
    return false;
  });
  rounds.wake();
  rounds.wake();
  await expect.poll(() => runs, { timeout: 2_000 }).toBe(2);
  await rounds.stop();
  rounds.wake();
  await delay(10);
  expect(runs).toBe(2);
});
