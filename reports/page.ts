/** report.html: one run on one page, the verdict first. */
import { boundsOf, runCharts } from "./charts.ts";
import { pageDocument } from "./document.ts";
import { html } from "./html.ts";
import { campaignTable, factTable, funnelTable, pairsSection } from "./page-customers.ts";
import { limitsSection, rulesSection } from "./page-rules.ts";
import {
  chartFigure,
  collapseTable,
  faultList,
  phaseTable,
  type ChartName,
} from "./page-service.ts";
import { replaySection, runHeader, trustSection, verdictCard } from "./page-verdict.ts";
import type { RunView } from "./run-view.ts";
import { speak, type Lang } from "./sentences.ts";
import { customerFacts, goWord, serviceFacts } from "./story.ts";

/** The whole file. */
export function runPage(view: RunView, options: { readonly lang?: Lang } = {}): string {
  const lang = options.lang ?? "en";
  const say = speak(lang);
  const figureOf = (which: ChartName) => chartFigure(say, view, which, { prefix: "", sync: "run" });
  const body = html`<main class="page">
    ${runHeader(say, view)}
    ${verdictCard(say, view, { text: say("sendIt"), id: "verdict", level: 2 })}
    <section aria-labelledby="service">
      <h2 id="service">${say("serviceHeading")}</h2>
      <p class="lead">${say("serviceLead")}</p>
      ${factTable(say, say("serviceTable"), serviceFacts(say, view))}
      ${view.series === null ? html`<p class="note">${say("noSeries")}</p>` : html`${figureOf("goodput")}${faultList(say, view)}${figureOf("latency")}${figureOf("backlog")}`}
      ${phaseTable(say, view)} ${collapseTable(say, view)}
    </section>
    <section aria-labelledby="customers">
      <h2 id="customers">${say("customersHeading")}</h2>
      ${factTable(say, say("customersTable"), customerFacts(say, view))} ${campaignTable(say, view)}
      ${funnelTable(say, view)}
    </section>
    ${pairsSection(say, view)} ${rulesSection(say, lang, view)} ${limitsSection(say, view)}
    ${trustSection(say, [{ name: "", view }])} ${replaySection(say, view, [view.run.replay])}
  </main>`;
  const title = say("pageTitle", {
    title: view.run.title,
    verdict: goWord(say, view.verdict.go),
    target: view.run.target,
  });
  return pageDocument(say, {
    lang,
    title,
    body,
    charts: runCharts(say, view, boundsOf([view]), ""),
  });
}
