/** comparison.html: one night lived twice, naive left and guarded right, on the same axes. */
import { boundsOf, runCharts } from "./charts.ts";
import { codeOfPair } from "./code-difference.ts";
import type { Demo } from "./demo.ts";
import { pageDocument } from "./document.ts";
import { html, type Markup } from "./html.ts";
import { perSecond, whole } from "./numbers.ts";
import { pairsSection, sign } from "./page-customers.ts";
import { inCatalogueOrder, pill, ruleCell } from "./page-rules.ts";
import { chartCaption, chartFigure, faultList, type ChartName } from "./page-service.ts";
import { meta, replaySection, trustSection, verdictCard } from "./page-verdict.ts";
import { crowdOf, type RunView } from "./run-view.ts";
import { speak, type Lang, type Say } from "./sentences.ts";
import { customerFacts, serviceFacts, type Fact } from "./story.ts";

export interface ComparisonOptions {
  readonly lang?: Lang;
  /** Where the two full reports are, relative to this page; by default beside it, under the names in demo.json. */
  readonly reports?: { readonly naive: string; readonly guarded: string };
  /** What `npm start` was, to be typed again. */
  readonly replay?: string;
}

/** Coupons issued against what was meant, for every campaign that both know. */
function issuedRows(say: Say, naive: RunView, guarded: RunView): Markup[] {
  return (naive.books.campaigns ?? []).flatMap((campaign) => {
    const other = guarded.books.campaigns?.find((one) => one.id === campaign.id);
    if (campaign.cap === null || campaign.issued + (other?.issued ?? 0) === 0) return [];
    const cell = (issued: number, bad: boolean): Markup =>
      html`<td class="answer ${bad ? "is-bad" : "is-good"}">
        ${sign(say, bad ? "bad" : "good")}<span class="strong">${whole(issued)}</span>
      </td>`;
    return [
      html`<tr>
        <th scope="row">
          ${say("issuedRow", { campaign: campaign.id, meant: whole(campaign.cap) })}
        </th>
        ${cell(campaign.issued, campaign.aboveCap > 0)}${
          other === undefined ? html`<td></td>` : cell(other.issued, other.aboveCap > 0)
        }
        <td class="codes">C1 C2 C3</td>
      </tr>`,
    ];
  });
}

function factRows(say: Say, naive: readonly Fact[], guarded: readonly Fact[]): Markup[] {
  const answer = (fact: Fact | undefined): Markup =>
    fact === undefined
      ? html`<td></td>`
      : html`<td class="answer is-${fact.mark}">
          ${sign(say, fact.mark)}<span class="strong">${fact.text}</span>
        </td>`;
  return naive.map(
    (fact) =>
      html`<tr>
        <th scope="row">${fact.label}</th>
        ${answer(fact)}${answer(guarded.find((other) => other.key === fact.key))}
        <td class="codes">${fact.rules.join(" ")}</td>
      </tr>`,
  );
}

function bothTable(say: Say, naive: RunView, guarded: RunView): Markup {
  const group = (text: string): Markup =>
    html`<tr class="group">
      <th scope="rowgroup" colspan="4">${text}</th>
    </tr>`;
  return html`<div class="scroll">
    <table class="both">
      <caption>
        ${say("comparisonTable")}
      </caption>
      <thead>
        <tr>
          <th scope="col">${say("questionColumn")}</th>
          <th scope="col" class="answer">${say("naive")}</th>
          <th scope="col" class="answer">${say("guarded")}</th>
          <th scope="col">${say("rulesColumn")}</th>
        </tr>
      </thead>
      <tbody>
        ${group(say("serviceHeading"))}${factRows(say, serviceFacts(say, naive), serviceFacts(say, guarded))}
        ${group(say("customersHeading"))}${issuedRows(say, naive, guarded)}${factRows(say, customerFacts(say, naive), customerFacts(say, guarded))}
      </tbody>
    </table>
  </div>`;
}

/** Every rule with both verdicts; the evidence is in each run's own report. */
function rulesOfBoth(say: Say, lang: Lang, naive: RunView, guarded: RunView): Markup {
  const verdictCell = (view: RunView, id: string): Markup => {
    const rule = view.verdict.invariants.find((one) => one.id === id);
    return rule === undefined
      ? html`<td></td>
          <td></td>`
      : html`<td>${pill(say, rule.verdict)}</td>
          <td class="num ${rule.count > 0 ? "strong is-bad" : ""}">${whole(rule.count)}</td>`;
  };
  const rules = inCatalogueOrder(naive.verdict.invariants);
  return html`<section aria-labelledby="rules">
    <h2 id="rules">${say("rulesHeading")}</h2>
    <div class="scroll">
      <table class="rules">
        <caption>
          ${say("rulesTable")}
        </caption>
        <thead>
          <tr>
            <th scope="col"></th>
            <th scope="col">${say("ruleColumn")}</th>
            <th scope="col">${say("naive")}</th>
            <th scope="col" class="num">${say("countColumn")}</th>
            <th scope="col">${say("guarded")}</th>
            <th scope="col" class="num">${say("countColumn")}</th>
          </tr>
        </thead>
        <tbody>
          ${rules.map(
            (rule) =>
              html`<tr>
                <td class="id">${rule.id}</td>
                <td>${ruleCell(say, lang, rule)}</td>
                ${verdictCell(naive, rule.id)}${verdictCell(guarded, rule.id)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

type Prefix = "naive-" | "guarded-";

const nameOf = (say: Say, prefix: Prefix): string => say(prefix === "naive-" ? "naive" : "guarded");

/** Naive left, guarded right. */
type Both = (part: (view: RunView, prefix: Prefix) => Markup) => Markup;

function comparisonHeader(say: Say, naive: RunView, demo: Demo): Markup {
  const crowd = crowdOf(naive);
  return html`<header>
    <p class="brand">stampede</p>
    <h1>${naive.run.title}</h1>
    <p class="lead">${say("comparisonLead")}</p>
    ${meta([
      ...(crowd === null
        ? []
        : [
            [say("metaCustomers"), whole(crowd.customers)] as const,
            [say("metaPeak"), perSecond(say, crowd.peakPerS)] as const,
          ]),
      [say("metaCapacity"), perSecond(say, demo.capacity)],
      [say("metaSeed"), String(demo.seed)],
      [say("metaScenario"), naive.run.scenario],
    ])}
  </header>`;
}

function verdicts(
  say: Say,
  both: Both,
  reports: { readonly naive: string; readonly guarded: string },
): Markup {
  return both(
    (view, prefix) =>
      html`<div>
        ${verdictCard(say, view, { text: nameOf(say, prefix), level: 3 })}
        <p class="note">
          <a href="${prefix === "naive-" ? reports.naive : reports.guarded}"
            >${say("fullReport", { variant: view.run.target })}</a
          >
        </p>
      </div>`,
  );
}

function service(say: Say, both: Both): Markup {
  const chart = (which: ChartName): Markup =>
    html`<h3>${chartCaption(say, which)}</h3>
      ${both((view, prefix) => html`<div>${chartFigure(say, view, which, { prefix, sync: "both", caption: nameOf(say, prefix) })}</div>`)}`;
  return html`<section aria-labelledby="service">
    <h2 id="service">${say("serviceHeading")}</h2>
    <p class="lead">${say("serviceLead")} ${say("sameAxes")}</p>
    ${chart("goodput")}${chart("latency")}${chart("backlog")}
    ${both((view, prefix) => html`<div>${faultList(say, view, nameOf(say, prefix))}</div>`)}
  </section>`;
}

/** Whether the demo went as it should, and the margins that show it. */
function intended(say: Say, naive: RunView, demo: Demo): Markup {
  const told = demo.as_intended
    ? say("demoAsIntended", { gate: naive.verdict.exit_code })
    : say("demoNotAsIntended", { because: demo.because.join("; ") });
  const margins = demo.as_intended ? demo.because : [];
  return html`<section aria-labelledby="intended">
    <h2 id="intended">${say("intendedHeading")}</h2>
    <p class="${demo.as_intended ? "is-good" : "is-bad"} strong">${told}</p>
    ${
      margins.length === 0
        ? ""
        : html`<ul>
            ${margins.map((reason) => html`<li>${reason}</li>`)}
          </ul>`
    }
  </section>`;
}

/** The whole file. */
export function comparisonPage(
  naive: RunView,
  guarded: RunView,
  demo: Demo,
  options: ComparisonOptions = {},
): string {
  const lang = options.lang ?? "en";
  const say = speak(lang);
  const bounds = boundsOf([naive, guarded]);
  const reports = options.reports ?? {
    naive: `./${encodeURI(demo.naive)}/report.html`,
    guarded: `./${encodeURI(demo.guarded)}/report.html`,
  };
  const [pair] = naive.verdict.x0.pairs;
  const code = pair === undefined ? null : codeOfPair(pair);
  const both: Both = (part) =>
    html`<div class="versus">${part(naive, "naive-")}${part(guarded, "guarded-")}</div>`;
  const commands = [
    ...(options.replay === undefined ? [] : [options.replay]),
    naive.run.replay,
    guarded.run.replay,
  ];
  const body = html`<main class="page">
    ${comparisonHeader(say, naive, demo)}
    <section aria-labelledby="verdict">
      <h2 id="verdict">${say("sendIt")}</h2>
      ${verdicts(say, both, reports)}${bothTable(say, naive, guarded)}
    </section>
    ${service(say, both)}
    ${pairsSection(say, naive, code === null ? "" : html`<p>${say("codeDiffers", code)}</p>`)}
    ${rulesOfBoth(say, lang, naive, guarded)}
    ${trustSection(say, [
      { name: say("naive"), view: naive },
      { name: say("guarded"), view: guarded },
    ])}
    ${intended(say, naive, demo)} ${replaySection(say, naive, commands)}
  </main>`;
  const charts = [
    ...runCharts(say, naive, bounds, "naive-"),
    ...runCharts(say, guarded, bounds, "guarded-"),
  ];
  return pageDocument(say, {
    lang,
    title: say("comparisonTitle", { title: naive.run.title }),
    body,
    charts,
  });
}
