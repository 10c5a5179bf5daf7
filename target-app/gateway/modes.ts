/** What an operator of the rehearsal can make the gateway do: slow, silent, charge and lose the answer, a refund rail down. */
import { z } from "zod";

/** A partial mode; what is left out stays as it is. */
export const modeSchema = z.strictObject({
  /** `failing`: one of the two acquiring banks (rail b, about half of all payments) refuses every refund. */
  refunds: z.enum(["ok", "failing"]).optional(),
  /** `slow`: SLOW_MS more · `silent`: nothing is charged and nobody answers · `charge-and-lose`: charged, the answer is lost. */
  captures: z.enum(["ok", "slow", "silent", "charge-and-lose"]).optional(),
  latencyMs: z.number().int().min(0).max(60_000).optional(),
  /** How many times more than once each webhook is delivered. */
  repeatWebhooks: z.number().int().min(0).max(10).optional(),
});

/** How the gateway behaves right now. */
export interface Mode {
  refunds: "ok" | "failing";
  captures: "ok" | "slow" | "silent" | "charge-and-lose";
  latencyMs: number;
  repeatWebhooks: number;
}

/** What `slow` adds to the latency, milliseconds. */
export const SLOW_MS = 1_500;

/** The rail that `refunds: "failing"` takes down. */
export const FAILING_RAIL = "b";

/** A gateway in good health. */
export function healthyMode(latencyMs: number): Mode {
  return { refunds: "ok", captures: "ok", latencyMs, repeatWebhooks: 0 };
}

/** Takes over what the change names. */
export function changeMode(mode: Mode, change: z.output<typeof modeSchema>): void {
  if (change.refunds !== undefined) mode.refunds = change.refunds;
  if (change.captures !== undefined) mode.captures = change.captures;
  if (change.latencyMs !== undefined) mode.latencyMs = change.latencyMs;
  if (change.repeatWebhooks !== undefined) mode.repeatWebhooks = change.repeatWebhooks;
}
