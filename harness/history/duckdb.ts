/**
 * DuckDB as the harness uses it: in memory, external access off after the tables are in, configuration locked,
 * memory and threads bounded. Rows come back as plain objects; BIGINT as number (every figure here is below 2^53).
 */
import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from "@duckdb/node-api";

export type Row = Record<string, unknown>;

export interface DatabaseOptions {
  /** Where large sorts may spill; inside the run folder. */
  readonly tempDirectory?: string;
  readonly memoryLimit?: string;
  readonly threads?: number;
}

const plain = (value: DuckDBValue): unknown => {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === "object" && "items" in value && Array.isArray(value.items))
    return value.items.map(plain);
  return value;
};

/** SQL text of a string literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** One in-memory database and its one connection. */
export class Database implements AsyncDisposable {
  readonly connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.connection = connection;
  }

  static async open(options: DatabaseOptions = {}): Promise<Database> {
    const instance = await DuckDBInstance.create(":memory:", {
      threads: String(options.threads ?? 2),
      memory_limit: options.memoryLimit ?? "2GB",
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
      ...(options.tempDirectory === undefined ? {} : { temp_directory: options.tempDirectory }),
    });
    return new Database(instance, await instance.connect());
  }

  /** Runs statements for their effect. */
  async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  /** Runs one query and returns all rows. */
  async all(sql: string): Promise<Row[]> {
    const reader = await this.connection.runAndReadAll(sql);
    return reader
      .getRowObjects()
      .map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])),
      );
  }

  /** No file, no network, no setting can be reached from here on. */
  async lock(): Promise<void> {
    await this.run("SET enable_external_access = false; SET lock_configuration = true;");
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.connection.closeSync();
    this.#instance.closeSync();
    return Promise.resolve();
  }
}
