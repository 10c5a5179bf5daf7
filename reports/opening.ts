/** The first second: what will happen, and for how long. */
import type { Phase } from "../harness/history/run-folder.ts";
import { fit, plainLine, wrap } from "./columns.ts";
import { durationText, figure, perSecond } from "./numbers.ts";
import { speak, type Lang } from "./sentences.ts";
import { paintWith, SCREEN_COLUMNS } from "./terminal.ts";

export interface Opening {
  readonly title: string;
  readonly seed: number;
  /** The service's name, or "demo" for naive and then guarded. */
  readonly target: string;
  readonly phases: readonly Phase[];
  /** Orders per second, or null when it will be measured first. */
  readonly capacity: number | null;
  /** Everything together, as long as it will take at most. */
  readonly totalS: number;
}

const ROLES = {
  "warm-up": "roleWarmUp",
  baseline: "roleBaseline",
  trigger: "roleTrigger",
  watch: "roleWatch",
  intervention: "roleIntervention",
} as const;

/** What a run says before it starts. */
export function openingLines(
  opening: Opening,
  options: { readonly lang?: Lang; readonly color?: boolean } = {},
): string[] {
  const say = speak(options.lang);
  const paint = paintWith(options.color ?? false);
  const sentences = [
    opening.target === "demo" ? say("openDemo") : say("openRun", { target: opening.target }),
    opening.capacity === null
      ? say("openProbe")
      : say("openCapacity", { rate: perSecond(say, opening.capacity) }),
    say("openLasts", { duration: durationText(say, opening.totalS) }),
    say("openSafe"),
  ];
  return [
    paint(
      "strong",
      plainLine(say("demoTitle", { title: opening.title.toUpperCase(), seed: opening.seed })),
    ),
    ...sentences.flatMap((sentence) => wrap(plainLine(sentence), SCREEN_COLUMNS)),
    ...(opening.phases.length === 0 ? [] : [say("openPlan")]),
    ...opening.phases.map(
      (phase) =>
        `  ${fit(`${figure(phase.start_s)} – ${figure(phase.end_s)}`, 14)}${fit(plainLine(phase.name), 16)}${say(ROLES[phase.role])}`,
    ),
  ];
}
