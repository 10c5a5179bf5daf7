/** What a fault is: something broken on purpose in the target, and the proof that it is whole again. */
import type { FaultStep } from "../scenario/event.ts";
import type { Target } from "../target/target.ts";

export interface Fault {
  readonly name: FaultStep["fault"];
  /** One line for `stampede list`. */
  readonly what: string;
  /** Breaks it. Throws when it could not be broken; then nothing is. */
  inject(target: Target, step: FaultStep): Promise<ActiveFault>;
}

export interface ActiveFault {
  /** What was done, for the record: "SIGKILL to process 4711". */
  readonly detail: string;
  /** Undoes it and proves it by a probe. Safe to call twice. Throws when the proof fails: the run is then unsafe. */
  heal(): Promise<void>;
}
