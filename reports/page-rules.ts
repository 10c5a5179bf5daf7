/** Every rule with its verdict, counts and evidence; SLOs and thresholds. */
import type { InvariantVerdict, LimitVerdict } from "../harness/history/run-folder.ts";
import { html, type Markup } from "./html.ts";
import { figure, whole } from "./numbers.ts";
import type { RunView } from "./run-view.ts";
import { ruleTitle, type Lang, type Say } from "./sentences.ts";
import { markOfVerdict, ruleCounts, verdictText } from "./story.ts";

/** Rows of one witness table shown; the rest stays in verdict.json. */
const WITNESS_ROWS_MAX = 12;

const GROUPS = {
  C: "groupC",
  O: "groupO",
  X: "groupX",
  P: "groupP",
  T: "groupT",
  V: "groupV",
  B: "groupB",
  U: "groupU",
} as const;

const isGroup = (letter: string): letter is keyof typeof GROUPS => Object.hasOwn(GROUPS, letter);

/** The family a rule belongs to; a user's own rules stand last. */
export function groupOf(say: Say, id: string): string {
  const letter = /^[A-Z](?=\d+$)/.exec(id)?.[0] ?? "";
  return say(isGroup(letter) ? GROUPS[letter] : "groupOwn");
}

/** A word in the verdict's colour. */
export function pill(say: Say, verdict: InvariantVerdict["verdict"]): Markup {
  return html`<span class="pill ${verdict === "not-applicable" ? "absent" : markOfVerdict(verdict)}"
    >${verdictText(say, verdict)}</span
  >`;
}

type Rows = readonly Readonly<Record<string, unknown>>[];

const cellText = (value: unknown): string =>
  value === null || value === undefined
    ? ""
    : typeof value === "string"
      ? value
      : JSON.stringify(value);

/** Rows of the books as a small table, columns in the order they come. */
function rowsTable(say: Say, caption: string, rows: Rows): Markup {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = rows.slice(0, WITNESS_ROWS_MAX);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${shown.map(
          (row) =>
            html`<tr>
              ${columns.map((name) => html`<td>${cellText(row[name])}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
    ${rows.length > shown.length ? html`<p class="note">${say("moreRows", { count: rows.length - shown.length })}</p>` : ""}
  </div>`;
}

/** The evidence of one rule, folded away; empty where there is none. */
export function evidenceOf(say: Say, rule: InvariantVerdict): Markup | null {
  const marked = [
    [say("evidenceFirst"), rule.first],
    [say("evidenceWorst"), rule.worst],
    [say("evidenceLast"), rule.last],
  ] as const;
  const rows = marked.flatMap(([which, row]) =>
    row === null ? [] : [{ [say("evidence")]: which, ...row }],
  );
  const witness = Object.entries(rule.witness ?? {}).filter(([, found]) => found.length > 0);
  if (rows.length === 0 && witness.length === 0) return null;
  return html`<details>
    <summary>${say("evidence")}: ${rule.id}</summary>
    ${rows.length === 0 ? "" : rowsTable(say, `${rule.id} ${rule.name}`, rows)}
    ${witness.map(([table, found]) => rowsTable(say, say("evidenceWitness", { table }), found))}
  </details>`;
}

/** Title in the reader's language; the verdict's own sentence beneath it where that says more. */
export function ruleCell(say: Say, lang: Lang, rule: InvariantVerdict): Markup {
  const title = ruleTitle(say, rule);
  return html`<span class="title">${title}</span
    >${rule.holds === title || lang !== "en" ? "" : html`<p class="holds">${rule.holds}</p>`}`;
}

const ORDER: readonly string[] = ["C", "O", "X", "P", "T", "V", "B", "U"];
const rank = (id: string): number => {
  const at = ORDER.indexOf(id.charAt(0));
  return (at < 0 ? ORDER.length : at) * 1000 + Number(/\d+$/.exec(id)?.[0] ?? 0);
};

/** As the catalogue has them: coupons, orders, cancels, payments …, by number. */
export function inCatalogueOrder(rules: readonly InvariantVerdict[]): InvariantVerdict[] {
  return rules.toSorted((a, b) => rank(a.id) - rank(b.id));
}

/** The table of all rules. */
export function rulesSection(say: Say, lang: Lang, view: RunView): Markup {
  const { failed, passed, undecided, absent } = ruleCounts(view.verdict);
  const rules = inCatalogueOrder(view.verdict.invariants);
  let group = "";
  const body = rules.map((rule) => {
    const own = groupOf(say, rule.id);
    const heading =
      own === group
        ? ""
        : html`<tr class="group">
            <th scope="rowgroup" colspan="5">${own}</th>
          </tr>`;
    group = own;
    const evidence = evidenceOf(say, rule);
    return html`${heading}
      <tr class="judged">
        <td class="id">${rule.id}</td>
        <td>
          ${ruleCell(say, lang, rule)}${rule.because === null ? "" : html`<p class="holds">${rule.because}</p>`}
        </td>
        <td>${pill(say, rule.verdict)}</td>
        <td class="num ${rule.count > 0 ? "strong is-bad" : ""}">
          ${whole(rule.count)}${rule.possible > 0 ? html`<br /><span class="codes">${say("possibleNote", { count: whole(rule.possible) })}</span>` : ""}
        </td>
        <td class="num">
          ${whole(rule.considered)}${rule.unknown > 0 ? html`<br /><span class="codes">${say("unknownNote", { count: whole(rule.unknown) })}</span>` : ""}
        </td>
      </tr>
      ${
        evidence === null
          ? ""
          : html`<tr class="evidence">
              <td></td>
              <td colspan="4">${evidence}</td>
            </tr>`
      }`;
  });
  return html`<section aria-labelledby="rules">
    <h2 id="rules">${say("rulesHeading")}</h2>
    <p class="lead">${say("rulesLead", { failed, passed, undecided, absent })}</p>
    <div class="scroll">
      <table class="rules">
        <caption>
          ${say("rulesTable")}
        </caption>
        <thead>
          <tr>
            <th scope="col"></th>
            <th scope="col">${say("ruleColumn")}</th>
            <th scope="col">${say("verdictColumn")}</th>
            <th scope="col" class="num">${say("countColumn")}</th>
            <th scope="col" class="num">${say("consideredColumn")}</th>
          </tr>
        </thead>
        <tbody>
          ${body}
        </tbody>
      </table>
    </div>
  </section>`;
}

function limitsTable(say: Say, caption: string, limits: readonly LimitVerdict[]): Markup {
  if (limits.length === 0)
    return html`<p><strong>${caption}</strong>: <span class="soft">${say("noLimits")}</span></p>`;
  return html`<div class="scroll">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          <th scope="col">${say("limitName")}</th>
          <th scope="col">${say("limitExpression")}</th>
          <th scope="col" class="num">${say("limitObserved")}</th>
          <th scope="col">${say("verdictColumn")}</th>
        </tr>
      </thead>
      <tbody>
        ${limits.map(
          (limit) =>
            html`<tr>
              <th scope="row">
                ${limit.name}${limit.because === null ? "" : html`<p class="note">${limit.because}</p>`}
              </th>
              <td><code>${limit.expression}</code></td>
              <td class="num">
                ${limit.observed === null ? say("notMeasured") : figure(limit.observed)}
              </td>
              <td>${pill(say, limit.verdict)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

export function limitsSection(say: Say, view: RunView): Markup {
  return html`<section aria-labelledby="limits">
    <h2 id="limits">${say("limitsHeading")}</h2>
    ${limitsTable(say, say("slosTable"), view.verdict.slos)}${limitsTable(say, say("thresholdsTable"), view.verdict.thresholds)}
  </section>`;
}
