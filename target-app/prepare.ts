/**
 * Makes the template databases a run is cloned from: schema and, for the shop, 100,000 members, products and campaigns.
 * Run once per cluster by the harness (configuration on stdin, see process.ts); success is exit code 0. It leaves no
 * session open, since CREATE DATABASE … TEMPLATE needs a template nobody is connected to.
 */
import { readdir, readFile } from "node:fs/promises";
import { Client, escapeIdentifier, type ClientBase } from "pg";
import { PgBoss } from "pg-boss";
import { z } from "zod";
import { databaseSchema, readConfiguration, type Database } from "./process.ts";
import { QUEUES } from "./shop/job-queue.ts";
import { seedCatalogue } from "./shop/seed-catalogue.ts";

export const prepareConfiguration = z.strictObject({
  db: databaseSchema,
  templates: z.strictObject({
    shop: z.string().min(1),
    gateway: z.string().min(1),
    sink: z.string().min(1),
  }),
  seed: z.number().int(),
  members: z.number().int().min(20_000).max(1_000_000).default(100_000),
});

export type PrepareConfiguration = z.output<typeof prepareConfiguration>;

/** Makes all three templates. Rejects when one exists already. */
export async function prepareTemplates(configuration: PrepareConfiguration): Promise<void> {
  const { db, templates, seed, members } = configuration;
  await connected(db, async (client) => {
    for (const name of Object.values(templates))
      await client.query(`CREATE DATABASE ${escapeIdentifier(name)} STRATEGY file_copy`);
  });
  const inside = (database: string): Database => ({ ...db, database });
  await Promise.all([
    prepareShop(inside(templates.shop), seed, members),
    connected(inside(templates.gateway), (client) => migrate(client, "gateway")),
    connected(inside(templates.sink), (client) => migrate(client, "sink")),
  ]);
}

async function prepareShop(db: Database, seed: number, members: number): Promise<void> {
  await connected(db, async (client) => {
    await migrate(client, "shop");
    await seedCatalogue(client, { seed, members });
  });
  const boss = new PgBoss({ ...db, max: 1, schedule: false, supervise: false });
  boss.on("error", () => undefined); // a lost connection fails the calls below, which are awaited
  await boss.start();
  for (const queue of QUEUES) await boss.createQueue(queue);
  await boss.stop({ graceful: false });
}

/** Applies `<service>/migrations/*.sql` in the order of their names, all or none. */
async function migrate(client: ClientBase, service: "shop" | "gateway" | "sink"): Promise<void> {
  const folder = new URL(`./${service}/migrations/`, import.meta.url);
  const files = (await readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted();
  if (files.length === 0)
    throw new Error(`expected migrations in target-app/${service}/migrations, but found none`);
  await client.query("BEGIN");
  for (const file of files) {
    try {
      await client.query(await readFile(new URL(file, folder), "utf8"));
    } catch (error) {
      throw new Error(`migration ${service}/${file} failed`, { cause: error });
    }
  }
  await client.query("COMMIT");
}

async function connected(db: Database, work: (client: ClientBase) => Promise<void>): Promise<void> {
  const client = new Client(db);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

if (import.meta.main) {
  await prepareTemplates(await readConfiguration(prepareConfiguration));
  process.exit(0); // stdin is still open, as a lifeline
}
