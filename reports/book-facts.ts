/**
 * The customers' side of the story, counted in the books (design.md §7). These are figures beside the verdicts, never
 * instead of them: whether a rule is broken is the judge's word alone. A fact whose tables are missing is null.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { literal, type Database, type Row } from "../harness/history/duckdb.ts";
import type { EvidenceTable } from "../harness/history/evidence-tables.ts";

export interface CampaignFacts {
  readonly id: string;
  readonly cap: number | null;
  readonly issued: number;
  readonly used: number;
  readonly recalled: number;
  /** Issued − voided − cap, at least 0 (C1's sum, at the end). */
  readonly aboveCap: number;
  /** Seconds from T0. */
  readonly firstIssueS: number | null;
  /** Seconds between the first issue and the first recall; null when nothing was recalled. */
  readonly stoppedAfterS: number | null;
}

export interface CancelFacts {
  /** Orders that ended cancelled though they had been paid for, and whose refunds (done or waiting for an account) are short. */
  readonly notRefunded: number;
  /** Orders whose refund waits for an account, and how many of those customers were never told. */
  readonly refundPending: number;
  readonly refundPendingUntold: number;
  /** Orders the system (not their customer) cancelled, without a notice. */
  readonly notTold: number;
  readonly cancelledBySystem: number;
}

export interface BookFacts {
  readonly campaigns: readonly CampaignFacts[] | null;
  readonly cancels: CancelFacts | null;
}

/** @param t0WallUs wall time of T0, µs since the epoch: the books' `at_us` less this is the run's own time */
export async function readBookFacts(
  db: Database,
  evidenceDir: string,
  t0WallUs: number,
): Promise<BookFacts> {
  const table = (name: EvidenceTable): string => join(evidenceDir, `${name}.parquet`);
  const has = (...names: readonly EvidenceTable[]): boolean =>
    names.every((name) => existsSync(table(name)));
  const from = (name: EvidenceTable): string => `read_parquet(${literal(table(name))})`;
  return {
    campaigns: has("campaigns", "coupons", "coupon_events")
      ? await campaignFacts(db, from, t0WallUs)
      : null,
    cancels: has("orders", "order_events", "refunds", "notifications")
      ? await cancelFacts(db, from)
      : null,
  };
}

type From = (name: EvidenceTable) => string;

const numberOrNull = (row: Row, name: string): number | null =>
  typeof row[name] === "number" ? row[name] : null;

async function campaignFacts(db: Database, from: From, t0WallUs: number): Promise<CampaignFacts[]> {
  const rows = await db.all(`
    SELECT k.id, k.cap,
      count(*) FILTER (e.from_status IS NULL AND e.to_status = 'issued') AS issued,
      count(*) FILTER (e.from_status IN ('issued', 'released') AND e.to_status = 'void') AS voided,
      count(DISTINCT e.coupon_id) FILTER (e.to_status = 'used') AS used,
      count(DISTINCT e.coupon_id) FILTER (e.to_status = 'recalled') AS recalled,
      min(e.at_us) FILTER (e.from_status IS NULL AND e.to_status = 'issued') AS first_us,
      min(e.at_us) FILTER (e.to_status = 'recalled') AS recall_us
    FROM ${from("campaigns")} k
      LEFT JOIN ${from("coupons")} c ON c.campaign_id = k.id
      LEFT JOIN ${from("coupon_events")} e ON e.coupon_id = c.id
    GROUP BY k.id, k.cap ORDER BY first_us NULLS LAST, k.id`);
  return rows.map((row) => {
    const cap = numberOrNull(row, "cap");
    const issued = Number(row["issued"]);
    const firstUs = numberOrNull(row, "first_us");
    const recallUs = numberOrNull(row, "recall_us");
    return {
      id: String(row["id"]),
      cap,
      issued,
      used: Number(row["used"]),
      recalled: Number(row["recalled"]),
      aboveCap: cap === null ? 0 : Math.max(0, issued - Number(row["voided"]) - cap),
      firstIssueS: firstUs === null ? null : (firstUs - t0WallUs) / 1e6,
      stoppedAfterS: firstUs === null || recallUs === null ? null : (recallUs - firstUs) / 1e6,
    };
  });
}

async function cancelFacts(db: Database, from: From): Promise<CancelFacts> {
  const [row = {}] = await db.all(`
    WITH back AS (
      SELECT order_id, sum(amount) FILTER (state IN ('done', 'awaiting_account')) AS amount, bool_or(state = 'awaiting_account') AS pending
      FROM ${from("refunds")} GROUP BY order_id),
    told AS (SELECT DISTINCT ref FROM ${from("notifications")} WHERE ref_kind IN ('order', 'refund')),
    told_order AS (SELECT DISTINCT ref FROM ${from("notifications")} WHERE ref_kind = 'order'),
    by_system AS (SELECT DISTINCT order_id FROM ${from("order_events")} WHERE to_status = 'cancelled' AND actor <> 'customer')
    SELECT
      count(*) FILTER (o.status = 'cancelled' AND o.captured > coalesce(back.amount, 0)) AS not_refunded,
      count(*) FILTER (back.pending) AS pending,
      count(*) FILTER (back.pending AND told.ref IS NULL) AS pending_untold,
      count(by_system.order_id) AS by_system,
      count(by_system.order_id) FILTER (told_order.ref IS NULL) AS not_told
    FROM ${from("orders")} o
      LEFT JOIN back ON back.order_id = o.id LEFT JOIN by_system ON by_system.order_id = o.id
      LEFT JOIN told ON told.ref = o.id LEFT JOIN told_order ON told_order.ref = o.id`);
  return {
    notRefunded: Number(row["not_refunded"] ?? 0),
    refundPending: Number(row["pending"] ?? 0),
    refundPendingUntold: Number(row["pending_untold"] ?? 0),
    notTold: Number(row["not_told"] ?? 0),
    cancelledBySystem: Number(row["by_system"] ?? 0),
  };
}
