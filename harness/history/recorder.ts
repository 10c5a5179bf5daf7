/** Records the client's history while the load runs and writes it as Parquet after the drain; never makes the load wait. */
import type { Arrival, FaultRecord, Operation, VitalsSample } from "./operation.ts";
import { Database, literal } from "./duckdb.ts";
import { OPS_COLUMNS } from "./evidence-tables.ts";
import { Spool } from "./spool.ts";

const OP_NUMBERS = [
  "time_intended_ns",
  "time_invoke_ns",
  "time_complete_ns",
  "attempt",
  "status",
  "iteration",
  "final",
] as const;
const OP_TEXTS = [
  "process",
  "intent",
  "kind",
  "outcome",
  "error",
  "phase",
  "scenario",
  "request",
  "response",
] as const;

/** Hears every row as it is recorded, for the live view; must be cheap. */
export interface HistoryListener {
  operation(op: Omit<Operation, "index">): void;
  arrival(arrival: Arrival): void;
}

/** The bounded record of one run. */
export class Recorder {
  readonly #ops = new Spool({ numbers: OP_NUMBERS, texts: OP_TEXTS });
  readonly #arrivals = new Spool(
    { numbers: ["iteration", "time_intended_ns", "time_start_ns"], texts: ["scenario", "state"] },
    64 << 20,
  );
  readonly #faults: FaultRecord[] = [];
  readonly #vitals: VitalsSample[] = [];
  readonly #listener: HistoryListener | null;

  constructor(listener: HistoryListener | null = null) {
    this.#listener = listener;
  }

  operation(op: Omit<Operation, "index">): void {
    this.#ops.push(
      [
        op.time_intended_ns,
        op.time_invoke_ns,
        op.time_complete_ns,
        op.attempt,
        op.status,
        op.iteration,
        op.final ? 1 : 0,
      ],
      [
        op.process,
        op.intent,
        op.kind,
        op.outcome,
        op.error,
        op.phase,
        op.scenario,
        JSON.stringify(op.request),
        JSON.stringify(op.response),
      ],
    );
    this.#listener?.operation(op);
  }

  arrival(arrival: Arrival): void {
    this.#arrivals.push(
      [arrival.iteration, arrival.time_intended_ns, arrival.time_start_ns],
      [arrival.scenario, arrival.state],
    );
    this.#listener?.arrival(arrival);
  }

  fault(record: FaultRecord): void {
    this.#faults.push(record);
  }

  vitals(sample: VitalsSample): void {
    this.#vitals.push(sample);
  }

  get faults(): readonly FaultRecord[] {
    return this.#faults;
  }

  /** Rows lost to the bound; anything but 0 makes the history incomplete and is reported. */
  get refused(): number {
    return this.#ops.refused + this.#arrivals.refused;
  }

  /** Every recorded operation so far, oldest first. */
  *operations(): Generator<{ kind: string; outcome: string; request: string; response: string }> {
    for (const { texts } of this.#ops.read()) {
      yield {
        kind: texts[2] ?? "",
        outcome: texts[3] ?? "",
        request: texts[7] ?? "{}",
        response: texts[8] ?? "{}",
      };
    }
  }

  /** Writes ops, arrivals, faults and vitals as Parquet. */
  async write(paths: {
    readonly ops: string;
    readonly arrivals: string;
    readonly faults: string;
    readonly vitals: string;
  }): Promise<void> {
    await using db = await Database.open();
    await this.#writeOps(db, paths.ops);
    await this.#writeArrivals(db, paths.arrivals);
    await writeRows(
      db,
      paths.faults,
      "id VARCHAR, kind VARCHAR, name VARCHAR, target VARCHAR, planned_ns BIGINT, begin_ns BIGINT, end_ns BIGINT, detail VARCHAR",
      this.#faults.map((f) => [
        f.id,
        f.kind,
        f.name,
        f.target,
        f.planned_ns,
        f.begin_ns,
        f.end_ns,
        f.detail,
      ]),
    );
    await writeRows(
      db,
      paths.vitals,
      "t_ns BIGINT, queue_depth BIGINT",
      this.#vitals.map((v) => [v.t_ns, v.queue_depth]),
    );
  }

  async #writeOps(db: Database, path: string): Promise<void> {
    await db.run(
      `CREATE TABLE ops(${Object.entries(OPS_COLUMNS)
        .map(([name, type]) => `"${name}" ${type}`)
        .join(", ")})`,
    );
    const appender = await db.connection.createAppender("ops");
    let index = 0;
    for (const { numbers, texts } of this.#ops.read()) {
      const [
        intended = 0,
        invoke = 0,
        complete = 0,
        attempt = 0,
        status = 0,
        iteration = 0,
        final = 0,
      ] = numbers;
      const [
        process = "",
        intent = "",
        kind = "",
        outcome = "",
        error = "",
        phase = "",
        scenario = "",
        request = "{}",
        response = "{}",
      ] = texts;
      for (const value of [index, intended, invoke, complete])
        appender.appendBigInt(BigInt(Math.round(value)));
      appender.appendVarchar(process);
      appender.appendVarchar(intent);
      appender.appendBigInt(BigInt(attempt));
      appender.appendVarchar(kind);
      appender.appendVarchar(outcome);
      appender.appendBigInt(BigInt(status));
      for (const text of [error, phase, scenario]) appender.appendVarchar(text);
      appender.appendBigInt(BigInt(iteration));
      appender.appendBoolean(final === 1);
      appender.appendVarchar(request);
      appender.appendVarchar(response);
      appender.endRow();
      index += 1;
    }
    appender.closeSync();
    await db.run(`COPY ops TO ${literal(path)} (FORMAT parquet)`);
  }

  async #writeArrivals(db: Database, path: string): Promise<void> {
    await db.run(
      "CREATE TABLE arrivals(scenario VARCHAR, iteration BIGINT, time_intended_ns BIGINT, time_start_ns BIGINT, state VARCHAR)",
    );
    const appender = await db.connection.createAppender("arrivals");
    for (const { numbers, texts } of this.#arrivals.read()) {
      appender.appendVarchar(texts[0] ?? "");
      for (const value of numbers) appender.appendBigInt(BigInt(Math.round(value)));
      appender.appendVarchar(texts[1] ?? "");
      appender.endRow();
    }
    appender.closeSync();
    await db.run(`COPY arrivals TO ${literal(path)} (FORMAT parquet)`);
  }
}

async function writeRows(
  db: Database,
  path: string,
  columns: string,
  rows: readonly (readonly (string | number | null)[])[],
): Promise<void> {
  await db.run(`CREATE OR REPLACE TABLE few(${columns})`);
  for (const row of rows) {
    await db.run(
      `INSERT INTO few VALUES (${row.map((v) => (v === null ? "NULL" : typeof v === "number" ? String(Math.round(v)) : literal(v))).join(", ")})`,
    );
  }
  await db.run(`COPY few TO ${literal(path)} (FORMAT parquet)`);
}
