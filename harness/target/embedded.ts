/** The sample target as processes of this machine: shop, worker, gateway and sink on one throw-away PostgreSQL. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Agent, request } from "undici";
import { sleepMs } from "../determinism/clock.ts";
import { secret } from "../determinism/seed.ts";
import { messageOf, StampedeError } from "../errors.ts";
import { wordOf } from "../history/operation.ts";
import { readBooks } from "./evidence.ts";
import type { Postgres, DatabaseEntry } from "./postgres.ts";
import type { Ownership } from "./ownership.ts";
import { ServiceProcess, type ServiceSpec } from "./service-process.ts";
import type { OperatorAnswer, Target, Vitals } from "./target.ts";

export type Variant = "naive" | "guarded";

/** How long a crashed worker stays down, as a process supervisor's usual restart delay. */
const RESPAWN_MS = 1_000;
const GATEWAY_LATENCY_MS = 25;
const TEMPLATES = {
  shop: "shop_template",
  gateway: "gateway_template",
  sink: "sink_template",
} as const;

export interface EmbeddedOptions {
  readonly runId: string;
  readonly variant: Variant;
  readonly runDir: string;
  readonly logsDir: string;
  readonly ownership: Ownership;
  readonly postgres: Postgres;
}

/** Fills the template databases that every variant is cloned from; runs prepare.ts to its end. */
export async function prepareTemplates(
  options: Pick<EmbeddedOptions, "runDir" | "logsDir" | "ownership" | "postgres"> & {
    readonly seed: number;
    readonly members: number;
  },
): Promise<void> {
  const { postgres, seed, members } = options;
  const preparing = await ServiceProcess.run(
    {
      name: "prepare",
      main: "prepare.ts",
      logPath: join(options.logsDir, "prepare.log"),
      configuration: { db: postgres.entry, templates: TEMPLATES, seed, members },
    },
    options.runDir,
    options.ownership,
  );
  if (preparing !== 0)
    throw new StampedeError(
      "environment",
      `expected the sample data to be prepared; the process exited ${preparing}`,
      { hint: `its log says why: ${join(options.logsDir, "prepare.log")}` },
    );
}

export class EmbeddedTarget implements Target {
  readonly place = "embedded" as const;
  readonly baseUrl: string;
  readonly #options: EmbeddedOptions;
  readonly #services: Map<string, ServiceProcess>;
  readonly #databases: Readonly<Record<"shop" | "gateway" | "sink", DatabaseEntry>>;
  readonly #operatorToken: string;
  readonly #adminToken: string;
  readonly #http = new Agent({ connections: 4, headersTimeout: 20_000, bodyTimeout: 20_000 });
  #stopping = false;

  private constructor(
    options: EmbeddedOptions,
    services: Map<string, ServiceProcess>,
    databases: EmbeddedTarget["databases"],
    tokens: { operator: string; admin: string },
  ) {
    this.#options = options;
    this.#services = services;
    this.#databases = databases;
    this.#operatorToken = tokens.operator;
    this.#adminToken = tokens.admin;
    this.baseUrl = `http://127.0.0.1:${services.get("shop")?.port ?? 0}`;
    this.#keepWorkerRunning();
  }

  get databases(): Readonly<Record<"shop" | "gateway" | "sink", DatabaseEntry>> {
    return this.#databases;
  }

  /** Clones the templates, starts gateway and sink, then shop and worker. About a second. */
  static async start(options: EmbeddedOptions): Promise<EmbeddedTarget> {
    const { postgres, ownership, variant, runId } = options;
    mkdirSync(options.logsDir, { recursive: true });
    const name = (book: string): string =>
      `${book}_${runId.replaceAll(/[^a-z0-9]/gi, "_").toLowerCase()}`;
    const databases = {
      shop: await postgres.clone(name("shop"), TEMPLATES.shop, ownership),
      gateway: await postgres.clone(name("gateway"), TEMPLATES.gateway, ownership),
      sink: await postgres.clone(name("sink"), TEMPLATES.sink, ownership),
    };
    const [operator, admin, merchant, webhookSecret] = [secret(), secret(), secret(), secret()];
    const services = new Map<string, ServiceProcess>();
    const start = async (
      service: string,
      main: string,
      configuration: ServiceSpec["configuration"],
    ): Promise<ServiceProcess> => {
      const started = await ServiceProcess.start(
        { name: service, main, configuration, logPath: join(options.logsDir, `${service}.log`) },
        options.runDir,
        ownership,
      );
      services.set(service, started);
      return started;
    };
    try {
      const [gateway, sink] = await Promise.all([
        start("gateway", "gateway/main.ts", {
          runId,
          port: 0,
          db: databases.gateway,
          adminToken: admin,
          merchantToken: merchant,
          webhookSecret,
          latencyMs: GATEWAY_LATENCY_MS,
        }),
        start("sink", "sink/main.ts", {
          runId,
          port: 0,
          db: databases.sink,
          merchantToken: merchant,
        }),
      ]);
      const shared = {
        runId,
        variant,
        db: databases.shop,
        gatewayUrl: `http://127.0.0.1:${gateway.port}`,
        gatewayToken: merchant,
      };
      await Promise.all([
        start("shop", "shop/main.ts", {
          ...shared,
          port: 0,
          operatorToken: operator,
          webhookSecret,
        }),
        start("worker", "shop/worker.ts", {
          ...shared,
          sinkUrl: `http://127.0.0.1:${sink.port}`,
          sinkToken: merchant,
        }),
      ]);
    } catch (error) {
      await Promise.all([...services.values()].map((service) => service.kill()));
      throw error;
    }
    return new EmbeddedTarget(options, services, databases, { operator, admin });
  }

  #service(name: string): ServiceProcess {
    const service = this.#services.get(name);
    if (service === undefined)
      throw new StampedeError(
        "configuration",
        `expected one of the services ${[...this.#services.keys()].toSorted().join(", ")}; came ${name}`,
        { hint: "name one of them as the target of a fault or a restart" },
      );
    return service;
  }

  /** A worker that dies is started again after a moment, as its supervisor would do in production. */
  #keepWorkerRunning(): void {
    this.#service("worker").child.once("exit", () => {
      void (async () => {
        await sleepMs(RESPAWN_MS);
        if (this.#stopping) return;
        await this.#startAgain("worker", 0);
        this.#keepWorkerRunning();
      })().catch(() => {}); // a worker that cannot start shows as undrained queues
    });
  }

  async #startAgain(name: string, port: number): Promise<void> {
    const { spec } = this.#service(name);
    const configuration = port === 0 ? spec.configuration : { ...spec.configuration, port };
    this.#services.set(
      name,
      await ServiceProcess.start(
        { ...spec, configuration },
        this.#options.runDir,
        this.#options.ownership,
      ),
    );
  }

  async #send(
    method: "GET" | "POST",
    url: string,
    token: string,
    body: unknown,
    headers: Record<string, string> = {},
    msMax = 20_000,
  ): Promise<OperatorAnswer> {
    try {
      const answer = await request(url, {
        method,
        dispatcher: this.#http,
        headers: {
          ...headers,
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(msMax),
      });
      const text = await answer.body.text();
      const parsed: unknown = text.startsWith("{") ? JSON.parse(text) : {};
      return {
        status: answer.statusCode,
        body: parsed as Record<string, unknown>,
        error:
          answer.statusCode < 400
            ? ""
            : wordOf((parsed as Record<string, unknown>)["error"], String(answer.statusCode)),
      };
    } catch (error) {
      return { status: 0, body: {}, error: messageOf(error) };
    }
  }

  async operate(
    action: "issue" | "recall" | "withdraw",
    body: Readonly<Record<string, unknown>>,
    intent: string,
  ): Promise<OperatorAnswer> {
    return this.#send("POST", `${this.baseUrl}/operator/${action}`, this.#operatorToken, body, {
      "idempotency-key": intent,
    });
  }

  async read(path: string): Promise<OperatorAnswer> {
    return this.#send("GET", `${this.baseUrl}${path}`, this.#operatorToken, undefined, {}, 5_000);
  }

  async vitals(): Promise<Vitals> {
    const answer = await this.#send(
      "GET",
      `${this.baseUrl}/operator/vitals`,
      this.#operatorToken,
      undefined,
      {},
      1_000,
    );
    if (answer.status !== 200) return { queueDepth: null, jobs: [] };
    const { queue_depth: queueDepth, jobs } = answer.body as {
      queue_depth?: number;
      jobs?: Vitals["jobs"];
    };
    return { queueDepth: queueDepth ?? null, jobs: jobs ?? [] };
  }

  async drained(): Promise<{ readonly drained: boolean; readonly waiting: string }> {
    const answer = await this.#send(
      "GET",
      `${this.baseUrl}/operator/drained`,
      this.#operatorToken,
      undefined,
      {},
      2_000,
    );
    if (answer.status !== 200)
      return { drained: false, waiting: `the shop did not say (${answer.error})` };
    return {
      drained: answer.body["drained"] === true,
      waiting: wordOf(answer.body["waiting"]),
    };
  }

  async restart(name: string): Promise<void> {
    const service = this.#service(name);
    const { port } = service;
    await service.stop();
    if (name !== "worker") await this.#startAgain(name, port); // the worker's own supervisor brings it back
  }

  async kill(name: string): Promise<{ kind: string; target: string; detail: string }> {
    const service = this.#service(name);
    const { pid } = service.child;
    await service.kill();
    return { kind: "process-kill", target: name, detail: `SIGKILL to process ${pid ?? "?"}` };
  }

  /** Whether the named service has a running process. */
  running(name: string): boolean {
    return this.#service(name).running;
  }

  async provider(mode: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await this.#send(
      "POST",
      `http://127.0.0.1:${this.#service("gateway").port}/admin/mode`,
      this.#adminToken,
      mode,
    );
    if (answer.status !== 200)
      throw new StampedeError(
        "environment",
        `expected the gateway to take the mode ${JSON.stringify(mode)}; it answered ${answer.status} ${answer.error}`,
      );
  }

  async stopServices(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#services.values()].map((service) => service.stop()));
  }

  async readBooks(evidenceDir: string, drained: boolean): Promise<void> {
    await readBooks({
      databases: this.#databases,
      evidenceDir,
      drained,
      scratchDir: join(this.#options.runDir, "books"),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopServices();
    await this.#http.destroy();
    for (const entry of Object.values(this.#databases))
      await this.#options.postgres.drop(entry.database);
  }
}
