/** How a command speaks: lines on stdout; a live view that redraws itself on a terminal and is plain lines elsewhere. */
import { createLogUpdate } from "log-update";
import { monotonicNs } from "../determinism/clock.ts";
import type { Show } from "../rehearsal/plan.ts";
import type { LiveSnapshot } from "../../reports/live-snapshot.ts";
import { liveLine, liveLines } from "../../reports/live.ts";

/** Between two plain lines when there is no terminal to redraw. */
const PLAIN_EVERY_NS = 2e9;

export class Screen implements Show {
  readonly #out: NodeJS.WriteStream;
  readonly #redraw: ReturnType<typeof createLogUpdate> | null;
  #lastNs = 0;

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
    this.#redraw = out.isTTY ? createLogUpdate(out) : null;
    out.on("error", () => {}); // a reader that went away (| head) does not end the run
  }

  get color(): boolean {
    return this.#out.isTTY && process.env["NO_COLOR"] === undefined;
  }

  say(line: string): void {
    this.#redraw?.clear();
    this.#out.write(`${line}\n`);
  }

  tick(snapshot: LiveSnapshot): void {
    if (this.#redraw !== null) {
      this.#redraw(liveLines(snapshot, { color: this.color }).join("\n"));
      return;
    }
    const now = monotonicNs();
    if (now - this.#lastNs < PLAIN_EVERY_NS) return;
    this.#lastNs = now;
    this.#out.write(`${liveLine(snapshot)}\n`);
  }

  /** Takes the live view away before the last screen. */
  finish(): void {
    this.#redraw?.clear();
    this.#redraw?.done();
  }
}
