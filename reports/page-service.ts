/** The service's part of a page: charts, faults, the figures of each phase, collapse and recovery. */
import {
  bucketText,
  goodputAlt,
  numberedFaults,
  phaseFigures,
  SHOWN_FAULTS_MAX,
} from "./charts.ts";
import { html, type Markup } from "./html.ts";
import {
  durationText,
  figure,
  milliseconds,
  perSecond,
  percent,
  secondsText,
  UNKNOWN,
  whole,
} from "./numbers.ts";
import { plannedS, type RunView } from "./run-view.ts";
import type { Say } from "./sentences.ts";

export type ChartName = "goodput" | "latency" | "backlog";

const CAPTIONS = {
  goodput: "chartGoodput",
  latency: "chartLatency",
  backlog: "chartBacklog",
} as const;

/** What a chart shows. */
export function chartCaption(say: Say, which: ChartName): string {
  return say(CAPTIONS[which]);
}

/** Holders of the three charts; page-charts.js fills them. `sync` ties the cursors together. */
export function chartFigure(
  say: Say,
  view: RunView,
  which: ChartName,
  place: { readonly prefix: string; readonly sync: string; readonly caption?: string },
): Markup {
  const { series } = view;
  if (series === null) return html`<p class="note">${say("noSeries")}</p>`;
  const duration = durationText(say, plannedS(view.run));
  const texts = {
    goodput: {
      alt: goodputAlt(say, view, duration),
      note: say("chartNote", { bucket: bucketText(series) }),
      height: 300,
    },
    latency: { alt: say("chartLatencyAlt", { duration }), note: say("latencyNote"), height: 220 },
    backlog: { alt: say("chartBacklogAlt", { duration }), note: "", height: 180 },
  }[which];
  return html`<figure>
    <figcaption>${place.caption ?? chartCaption(say, which)}</figcaption>
    <div
      class="chart"
      id="${place.prefix}${which}"
      role="img"
      aria-label="${texts.alt}"
      data-height="${texts.height}"
      data-sync="${place.sync}"
    ></div>
    ${texts.note === "" ? "" : html`<p class="note">${texts.note}</p>`}
  </figure>`;
}

/** The numbered flags of the charts, told. */
export function faultList(say: Say, view: RunView, whose = ""): Markup {
  if (view.faults.length === 0) return html``;
  const at = (seconds: number): string => secondsText(say, seconds);
  return html`<h3>${say("faultsHeading")}${whose === "" ? "" : `: ${whose}`}</h3>
    <ol class="faults">
      ${numberedFaults(view).map(({ number, fault, fromS, toS }) => {
        const when =
          toS === null
            ? say("faultOpen", { from: at(fromS) })
            : toS > fromS
              ? say("faultDuring", { from: at(fromS), to: at(toS) })
              : say("faultAt", { from: at(fromS) });
        return html`<li>
          <span class="flag" aria-hidden="true">${number}</span
          ><span
            ><strong>${fault.name === "" ? fault.kind : fault.name}</strong>
            <span class="soft">${fault.target} ${when}</span
            >${fault.detail === "" ? "" : html`<br /><span class="soft">${fault.detail}</span>`}</span
          >
        </li>`;
      })}
    </ol>
    ${view.faults.length > SHOWN_FAULTS_MAX ? html`<p class="note">+ ${view.faults.length - SHOWN_FAULTS_MAX}</p>` : ""}`;
}

/** The charts' figures for those who cannot see them. */
export function phaseTable(say: Say, view: RunView): Markup {
  const figures = phaseFigures(view);
  if (figures.length === 0) return html``;
  const head = [
    say("phaseOffered"),
    say("phaseGood"),
    say("phaseKept"),
    say("phaseAmplification"),
    say("phaseP99"),
  ];
  return html`<div class="scroll">
    <table>
      <caption>
        ${say("phaseTable")}
      </caption>
      <thead>
        <tr>
          <th scope="col">${say("phaseName")}</th>
          <th scope="col">${say("phaseWhen")}</th>
          ${head.map((label) => html`<th scope="col" class="num">${label}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${figures.map(
          (one) =>
            html`<tr>
              <th scope="row">${one.phase.name}</th>
              <td>
                ${say("faultDuring", { from: figure(one.phase.start_s), to: secondsText(say, one.phase.end_s) })}
              </td>
              <td class="num">${figure(Math.round(one.offeredPerS))}</td>
              <td class="num">${figure(Math.round(one.goodPerS))}</td>
              <td class="num">${figure(Math.round(one.keptPerS))}</td>
              <td class="num">${figure(one.amplification)}</td>
              <td class="num">${milliseconds(one.worstP99Ms)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const METASTABLE = { yes: "yes", no: "no", unknown: "unknownWord" } as const;

/** Collapse and recovery as faults.md defines them. */
export function collapseTable(say: Say, view: RunView): Markup {
  const { collapse } = view.verdict;
  const { collapsed } = collapse;
  const collapsedText =
    collapsed === null
      ? say("unknownWord")
      : collapsed
        ? say("collapsedYes", { when: secondsText(say, collapse.began_s) })
        : say("no");
  const rows: readonly (readonly [string, string])[] = [
    [say("collapsedRow"), collapsedText],
    [say("depthRow"), percent(collapse.depth)],
    [
      say("recoveredRow"),
      collapse.recovered_after_s === null ? UNKNOWN : secondsText(say, collapse.recovered_after_s),
    ],
    [say("metastableRow"), say(METASTABLE[collapse.metastable])],
    [say("decidedByRow"), collapse.decided_by === "" ? UNKNOWN : collapse.decided_by],
    [say("lostRow"), `${whole(collapse.lost_intents)}, ${whole(collapse.lost_avoidable)}`],
    [say("amplificationRow"), figure(collapse.amplification_max)],
    [say("surgeShareRow"), percent(collapse.surge_share)],
    [say("interventionRow"), secondsText(say, collapse.intervention_s)],
    [say("restartedRow"), perSecond(say, collapse.goodput_restarted)],
  ];
  const margins = Object.entries(collapse.margins);
  return html`<div class="cols">
    <table>
      <caption>
        ${say("collapseTable")}
      </caption>
      <tbody>
        ${rows.map(
          ([label, value]) =>
            html`<tr>
              <th scope="row">${label}</th>
              <td>${value}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${
      margins.length === 0
        ? ""
        : html`<table>
            <caption>
              ${say("marginsTable")}
            </caption>
            <tbody>
              ${margins.map(
                ([name, margin]) =>
                  html`<tr>
                    <th scope="row">${name}</th>
                    <td class="num">${percent(margin)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
  </div>`;
}
