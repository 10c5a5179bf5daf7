/** What one or several runs stand on: the stage with its keeper, one PostgreSQL, the templates with 100,000 members. */
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { prepareTemplates, EmbeddedTarget, type Variant } from "../target/embedded.ts";
import { Postgres } from "../target/postgres.ts";
import type { Stage } from "../target/stage.ts";
import { probeCapacity } from "../target/capacity-probe.ts";
import { StampedeError } from "../errors.ts";
import type { EventDeclaration } from "../scenario/event.ts";

const MEMBERS = 100_000;

export class World implements AsyncDisposable {
  readonly stage: Stage;
  readonly postgres: Postgres;
  /** Logs of what is shared by several runs: PostgreSQL, the preparation, the probe. */
  readonly logsDir: string;

  private constructor(stage: Stage, postgres: Postgres, logsDir: string) {
    this.stage = stage;
    this.postgres = postgres;
    this.logsDir = logsDir;
  }

  /** About three seconds: cluster, sample data from the seed. An interrupt is heard between the two, and the stage undoes what stands. */
  static async open(stage: Stage, seed: number, signal?: AbortSignal): Promise<World> {
    signal?.throwIfAborted();
    const logsDir = join(stage.dir, "logs");
    mkdirSync(logsDir, { recursive: true });
    const postgres = await Postgres.start(
      stage.dir,
      stage.ownership,
      join(logsDir, "postgres.log"),
    );
    signal?.throwIfAborted();
    const world = new World(stage, postgres, logsDir);
    await prepareTemplates({
      runDir: stage.dir,
      logsDir,
      ownership: stage.ownership,
      postgres,
      seed,
      members: MEMBERS,
    });
    signal?.throwIfAborted();
    return world;
  }

  /** The sample service in one variant, on fresh clones of the templates. */
  async target(runId: string, variant: Variant, logsDir: string): Promise<EmbeddedTarget> {
    return EmbeddedTarget.start({
      runId,
      variant,
      runDir: this.stage.dir,
      logsDir,
      ownership: this.stage.ownership,
      postgres: this.postgres,
    });
  }

  /** Orders per second of the naive variant, always, on a scratch clone that is thrown away; said as it is measured. */
  async measure(
    event: EventDeclaration,
    say: (line: string) => void,
    signal: AbortSignal,
  ): Promise<number> {
    const { probe } = event;
    if (probe === undefined)
      throw new StampedeError(
        "configuration",
        "this scenario's event names no probe, so its capacity cannot be measured",
        { hint: "give the capacity with -e CAPACITY=…, or add event.probe" },
      );
    say(`measuring the naive service's capacity for ${probe.seconds} s …`);
    signal.throwIfAborted();
    await using scratch = await this.target("probe", "naive", join(this.logsDir, "probe"));
    const capacity = await probeCapacity({
      baseUrl: scratch.baseUrl,
      path: probe.path,
      seconds: probe.seconds,
      connections: probe.connections,
      order: (n) => ({
        body: JSON.stringify(probe.order(n)),
        headers: { "idempotency-key": `probe-${n}` },
      }),
      signal,
    });
    say(`capacity ${capacity} orders/s`);
    return capacity;
  }

  /** Copies the shared logs so far into a run's own. */
  keepLogs(logsDir: string): void {
    cpSync(this.logsDir, logsDir, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.postgres[Symbol.asyncDispose]();
  }
}
