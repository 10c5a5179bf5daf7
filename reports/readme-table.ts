/** README's table of the demo, from the figures of one real run: nothing in it is typed by hand. */
import { z } from "zod";
import type { RunView } from "./run-view.ts";
import { figure, whole } from "./numbers.ts";

const side = z.object({
  issued: z.number(),
  before: z.number().nullable(),
  after: z.number().nullable(),
  metastable: z.enum(["yes", "no", "unknown"]),
  recovered_after_s: z.number().nullable(),
  collapsed: z.boolean().nullable(),
  cancelled: z.number(),
  without_rule: z.number(),
});

/** docs/demo/figures.json */
export const figuresSchema = z.object({
  demo: z.string(),
  seed: z.number(),
  capacity: z.number(),
  meant: z.number(),
  minutes: z.number(),
  disk_mb: z.number(),
  machine: z.string(),
  naive: side,
  guarded: side,
});
export type Figures = z.infer<typeof figuresSchema>;

/** The figures of one side. `issued` counts the campaign that was meant for few. */
export function sideOf(view: RunView, campaign: string): Figures["naive"] {
  const { collapse, x0 } = view.verdict;
  return {
    issued: view.books.campaigns?.find((facts) => facts.id === campaign)?.issued ?? 0,
    before: collapse.goodput_before,
    after: collapse.goodput_after,
    metastable: collapse.metastable,
    recovered_after_s: collapse.recovered_after_s,
    collapsed: collapse.collapsed,
    cancelled: x0.cancelled,
    without_rule: x0.without_rule,
  };
}

function afterTheCrowd(one: Figures["naive"]): string {
  const rates = `${figure(one.before)} → ${figure(one.after)}`;
  if (one.metastable === "yes") return `${rates}, never came back`;
  if (one.collapsed === false && (one.recovered_after_s ?? 0) === 0) return `${rates}, never fell`;
  return one.recovered_after_s === null
    ? rates
    : `${rates}, back after ${figure(one.recovered_after_s)} s`;
}

/** Everything between README's demo marks. */
export function readmeTable(figures: Figures): string {
  const { naive, guarded } = figures;
  return [
    `    npm ci && npm start     # ${figures.minutes.toFixed(1)} min, no Docker; ${whole(figures.disk_mb)} MB on disk; ${figures.machine}`,
    "",
    `|  | naive | guarded |`,
    `| --- | --- | --- |`,
    `| coupons issued (meant: ${whole(figures.meant)}) | ${whole(naive.issued)} | ${whole(guarded.issued)} |`,
    `| orders/s before → after the crowd | ${afterTheCrowd(naive)} | ${afterTheCrowd(guarded)} |`,
    `| orders cancelled with no rule behind it | ${whole(naive.without_rule)} of ${whole(naive.cancelled)} | ${whole(guarded.without_rule)} of ${whole(guarded.cancelled)} |`,
    "",
    `(one real run: seed ${figures.seed}, capacity ${whole(figures.capacity)} orders/s)`,
  ].join("\n");
}
