/** What the page's charts draw: the series as rates a second, the phases and faults as bands, and the shared axes. */
import type { FaultRecord } from "../harness/history/operation.ts";
import type { Phase } from "../harness/history/run-folder.ts";
import { figure, milliseconds } from "./numbers.ts";
import type { RunView, Series } from "./run-view.ts";
import type { Say } from "./sentences.ts";

export interface ChartLine {
  readonly label: string;
  /** A custom property of page.css. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  /** fill: tinted down to the axis. */
  readonly look: "line" | "fill" | "dash";
}

export interface Chart {
  /** Id of the element that holds it. */
  readonly id: string;
  readonly tS: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly phases: readonly {
    readonly name: string;
    readonly fromS: number;
    readonly toS: number;
    readonly role: Phase["role"];
  }[];
  readonly faults: readonly {
    readonly number: number;
    readonly fromS: number;
    readonly toS: number;
  }[];
  readonly log: boolean;
  readonly unit: "/s" | "ms" | "";
  /** Upper end of the axes, so that two charts can have the same. */
  readonly yMax: number;
  readonly xMax: number;
  readonly axisLabel: string;
}

export interface ChartBounds {
  readonly xMaxS: number;
  readonly rateMax: number;
  readonly latencyMaxMs: number;
  readonly backlogMax: number;
}

/** Faults shown in the charts and the list below them; a longer list is cut there, not here. */
export const SHOWN_FAULTS_MAX = 40;

/** A count a bucket → a rate a second. */
export function rates(series: Series, counts: readonly number[]): number[] {
  return counts.map((count) => (count * 1000) / series.bucketMs);
}

const most = (values: readonly (number | null)[]): number =>
  values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);

/** The axes that hold all of these runs. */
export function boundsOf(views: readonly RunView[]): ChartBounds {
  const all = views.flatMap((view) => (view.series === null ? [] : [view.series]));
  return {
    xMaxS: Math.max(1, ...all.map((series) => ((series.tMs.at(-1) ?? 0) + series.bucketMs) / 1000)),
    rateMax: Math.max(
      10,
      ...all.map(
        (series) =>
          1.15 * Math.max(most(rates(series, series.offered)), most(rates(series, series.good))),
      ),
    ),
    latencyMaxMs: Math.max(100, ...all.map((series) => 1.5 * most(series.p99Ms))),
    backlogMax: Math.max(
      10,
      ...all.map((series) => 1.15 * Math.max(most(series.inFlight), most(series.queueDepth))),
    ),
  };
}

const rounded = (values: readonly (number | null)[]): (number | null)[] =>
  values.map((value) => (value === null ? null : Math.round(value * 100) / 100));

/** The charts of one run: goodput, latency, backlog. `prefix` keeps the ids of two runs on one page apart. */
export function runCharts(say: Say, view: RunView, bounds: ChartBounds, prefix: string): Chart[] {
  const { series } = view;
  if (series === null) return [];
  const frame = {
    tS: series.tMs.map((tMs) => tMs / 1000),
    phases: view.run.phases.map((phase) => ({
      name: phase.name,
      fromS: phase.start_s,
      toS: phase.end_s,
      role: phase.role,
    })),
    faults: numberedFaults(view).map(({ number, fromS, toS }) => ({
      number,
      fromS,
      toS: toS ?? bounds.xMaxS,
    })),
    xMax: bounds.xMaxS,
    axisLabel: say("axisTime"),
  };
  const rate = (counts: readonly number[]): (number | null)[] => rounded(rates(series, counts));
  const line = (
    label: string,
    color: string,
    look: ChartLine["look"],
    values: readonly (number | null)[],
  ): ChartLine => ({ label, color, look, values });
  return [
    {
      ...frame,
      id: `${prefix}goodput`,
      log: false,
      unit: "/s",
      yMax: bounds.rateMax,
      lines: [
        line(say("seriesOffered"), "--offered", "line", rate(series.offered)),
        line(say("seriesGood"), "--served", "fill", rate(series.good)),
        line(say("seriesKept"), "--kept", "dash", rate(series.kept)),
      ],
    },
    {
      ...frame,
      id: `${prefix}latency`,
      log: true,
      unit: "ms",
      yMax: bounds.latencyMaxMs,
      lines: [
        line(say("seriesP99"), "--p99", "line", rounded(series.p99Ms)),
        line(say("seriesP50"), "--p50", "line", rounded(series.p50Ms)),
      ],
    },
    {
      ...frame,
      id: `${prefix}backlog`,
      log: false,
      unit: "",
      yMax: bounds.backlogMax,
      lines: [
        line(say("seriesInFlight"), "--offered", "line", rounded(series.inFlight)),
        line(say("seriesQueue"), "--p99", "line", joined(series.queueDepth)),
      ],
    },
  ];
}

/** The queue's depth is asked a few times a second; buckets between two answers keep the last one. */
function joined(values: readonly (number | null)[]): (number | null)[] {
  let last: number | null = null;
  return values.map((value) => (last = value ?? last));
}

export interface NumberedFault {
  readonly number: number;
  readonly fault: FaultRecord;
  readonly fromS: number;
  /** Null when it was never proved undone. */
  readonly toS: number | null;
}

/** Faults and operator's steps with the numbers that the charts and the list share. */
export function numberedFaults(view: RunView): NumberedFault[] {
  return view.faults.slice(0, SHOWN_FAULTS_MAX).map((fault, at) => ({
    number: at + 1,
    fault,
    fromS: fault.begin_ns / 1e9,
    toS: fault.end_ns < 0 ? null : fault.end_ns / 1e9,
  }));
}

export interface PhaseFigures {
  readonly phase: Phase;
  readonly offeredPerS: number;
  readonly goodPerS: number;
  readonly keptPerS: number;
  /** Attempts per arrival; null without arrivals. */
  readonly amplification: number | null;
  readonly worstP99Ms: number | null;
}

/** The charts' figures as a table, for those who cannot see them. */
export function phaseFigures(view: RunView): PhaseFigures[] {
  const { series } = view;
  if (series === null) return [];
  return view.run.phases.map((phase) => {
    const inside = series.tMs.flatMap((tMs, at) =>
      tMs >= phase.start_s * 1000 && tMs < phase.end_s * 1000 ? [at] : [],
    );
    const sum = (counts: readonly number[]): number =>
      inside.reduce((total, at) => total + (counts[at] ?? 0), 0);
    const lastedS = Math.max(0.1, (inside.length * series.bucketMs) / 1000);
    const arrivals = sum(series.offered);
    const worst = inside.flatMap((at) => series.p99Ms[at] ?? []);
    return {
      phase,
      offeredPerS: arrivals / lastedS,
      goodPerS: sum(series.good) / lastedS,
      keptPerS: sum(series.kept) / lastedS,
      amplification: arrivals === 0 ? null : sum(series.attempts) / arrivals,
      worstP99Ms: worst.length === 0 ? null : Math.max(...worst),
    };
  });
}

/** "100 ms" or what the buckets were merged to. */
export function bucketText(series: Series): string {
  return milliseconds(series.bucketMs);
}

/** Text for those who cannot see the goodput chart. */
export function goodputAlt(say: Say, view: RunView, duration: string): string {
  const { collapse } = view.verdict;
  const rate = (value: number | null): string => say("perSecond", { number: figure(value) });
  return say("chartGoodputAlt", {
    duration,
    before: rate(collapse.goodput_before),
    surge: rate(collapse.goodput_in),
    after: rate(collapse.goodput_after),
  });
}
