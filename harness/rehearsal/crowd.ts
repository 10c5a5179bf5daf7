/** The crowd of one run, gathered before it is let in: the engine with all its customers made, the record, the live figures. */
import { LiveFigures } from "../analysis/live.ts";
import type { EngineResult, PreparedRun } from "../engine/engine.ts";
import { nodeEngine } from "../engine/node/node-engine.ts";
import { Recorder } from "../history/recorder.ts";
import type { EventDeclaration } from "../scenario/event.ts";
import { phaseWindows } from "../scenario/load-scenario.ts";
import type { Target } from "../target/target.ts";
import { driveCrowd, type Driven } from "./drive.ts";
import { engineLog } from "./finish.ts";
import type { RunPlan, Show } from "./plan.ts";

export interface CrowdOptions {
  readonly plan: RunPlan;
  readonly event: EventDeclaration;
  readonly target: Target;
  readonly capacity: number;
  readonly logsDir: string;
  readonly show: Show;
  readonly signal: AbortSignal;
}

/** What is known once the crowd has left. */
export interface CrowdLeft extends Driven {
  readonly recorder: Recorder;
  readonly engine: EngineResult;
}

export class Crowd implements AsyncDisposable {
  readonly #options: CrowdOptions;
  readonly #prepared: PreparedRun;
  readonly #recorder: Recorder;
  readonly #live: LiveFigures;

  private constructor(
    options: CrowdOptions,
    prepared: PreparedRun,
    recorder: Recorder,
    live: LiveFigures,
  ) {
    this.#options = options;
    this.#prepared = prepared;
    this.#recorder = recorder;
    this.#live = live;
  }

  /** setup() has run and every virtual user exists when this resolves. */
  static async gather(options: CrowdOptions): Promise<Crowd> {
    const { event, plan } = options;
    const phases = phaseWindows(event);
    const live = new LiveFigures({
      goodputKinds: event.goodputKinds,
      goodputScenarios: event.goodputScenarios,
      deadlineS: event.customer.deadlineS,
      attemptTimeoutS: event.customer.attemptTimeoutS,
      phases: phases.map((p) => ({ role: p.role, start_s: p.startS, end_s: p.endS })),
    });
    const recorder = new Recorder(live);
    const prepared = await nodeEngine.prepare({
      script: plan.script,
      env: {
        ...plan.env,
        BASE_URL: options.target.baseUrl,
        CAPACITY: String(options.capacity),
      },
      seed: plan.seed,
      phases,
      allowHosts: plan.allowHosts,
      history: recorder,
      log: engineLog(options.logsDir),
      signal: options.signal,
    });
    return new Crowd(options, prepared, recorder, live);
  }

  /** Lets it in; resolves when the schedule is over and every fault is healed. */
  async drive(): Promise<CrowdLeft> {
    const { event, target, plan, show, signal } = this.#options;
    const driven = await driveCrowd({
      prepared: this.#prepared,
      event,
      phases: phaseWindows(event),
      target,
      variant: plan.variant,
      recorder: this.#recorder,
      live: this.#live,
      show,
      signal,
    });
    return { ...driven, recorder: this.#recorder };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#prepared[Symbol.asyncDispose]();
  }
}
