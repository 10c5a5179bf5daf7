/** The customers' part of a page: what happened to them, coupons against what was meant, the funnel, matched pairs. */
import type { MatchedPair } from "../harness/history/run-folder.ts";
import { html, type Markup } from "./html.ts";
import { figure, percent, secondsText, timeOfDay, UNKNOWN, whole } from "./numbers.ts";
import type { RunView } from "./run-view.ts";
import type { Say } from "./sentences.ts";
import {
  factText,
  fateText,
  isHarmed,
  refundWord,
  separatesText,
  type Fact,
  type Mark,
} from "./story.ts";

/** Pairs shown; all of them are in verdict.json. */
const PAIRS_MAX = 5;

const SIGNS: Record<Mark, string> = { bad: "✗", good: "✓", open: "?" };
const WORDS = { bad: "fail", good: "pass", open: "inconclusive" } as const;

/** ✗ ✓ ? with a word for those who hear the page. */
export function sign(say: Say, mark: Mark): Markup {
  return html`<span class="mark is-${mark}" role="img" aria-label="${say(WORDS[mark])}"
    >${SIGNS[mark]}</span
  >`;
}

/** Questions and their answers, one row each. */
export function factTable(say: Say, caption: string, facts: readonly Fact[]): Markup {
  const judged = facts.some((fact) => fact.rules.length > 0);
  return html`<div class="scroll">
    <table class="answers">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          <th scope="col">${say("questionColumn")}</th>
          <th scope="col">${say("valueColumn")}</th>
          ${judged ? html`<th scope="col">${say("rulesColumn")}</th>` : ""}
        </tr>
      </thead>
      <tbody>
        ${facts.map(
          (fact) =>
            html`<tr>
              <th scope="row">${sign(say, fact.mark)}${fact.label}</th>
              <td class="strong is-${fact.mark}">${fact.text}</td>
              ${judged ? html`<td class="codes">${fact.rules.join(" ")}</td>` : ""}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Issued against what was meant, and how long until somebody stopped it. */
export function campaignTable(say: Say, view: RunView): Markup {
  const { campaigns } = view.books;
  if (campaigns === null || campaigns.length === 0) return html``;
  const head = [
    say("campaignMeant"),
    say("campaignIssued"),
    say("campaignAbove"),
    say("campaignUsed"),
    say("campaignRecalled"),
    say("campaignStopped"),
  ];
  return html`<div class="scroll">
    <table>
      <caption>
        ${say("campaignsTable")}
      </caption>
      <thead>
        <tr>
          <th scope="col">${say("campaign")}</th>
          ${head.map((label) => html`<th scope="col" class="num">${label}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${campaigns.map(
          (one) =>
            html`<tr>
              <th scope="row">${one.id}</th>
              <td class="num">${one.cap === null ? say("noCap") : whole(one.cap)}</td>
              <td class="num strong">${whole(one.issued)}</td>
              <td class="num ${one.aboveCap > 0 ? "strong is-bad" : ""}">${whole(one.aboveCap)}</td>
              <td class="num">${whole(one.used)}</td>
              <td class="num">${whole(one.recalled)}</td>
              <td class="num">
                ${one.issued === 0 ? UNKNOWN : one.stoppedAfterS === null ? say("neverStopped") : secondsText(say, one.stoppedAfterS)}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** intents → attempts → acknowledged → in the books → kept. */
export function funnelTable(say: Say, view: RunView): Markup {
  const { funnel } = view.verdict;
  if (funnel === null) return html``;
  const widest = Math.max(1, funnel.intents, funnel.attempts);
  const share = (count: number): string =>
    say("funnelShare", { share: percent(funnel.intents === 0 ? null : count / funnel.intents) });
  const steps: readonly (readonly [string, number, string])[] = [
    [say("funnelIntents"), funnel.intents, ""],
    [
      say("funnelAttempts"),
      funnel.attempts,
      say("funnelPerWish", {
        count: figure(funnel.intents === 0 ? null : funnel.attempts / funnel.intents),
      }),
    ],
    [say("funnelAcknowledged"), funnel.acknowledged, share(funnel.acknowledged)],
    [say("funnelInBooks"), funnel.in_books, share(funnel.in_books)],
    [say("funnelKept"), funnel.kept, share(funnel.kept)],
  ];
  return html`<div class="scroll">
    <table class="funnel">
      <caption>
        ${say("funnelTable")}
      </caption>
      <tbody>
        ${steps.map(
          ([label, count, note], at) =>
            html`<tr>
              <th scope="row">${label}</th>
              <td class="num strong">${whole(count)}</td>
              <td class="draw">
                <svg
                  viewBox="0 0 1000 36"
                  preserveAspectRatio="none"
                  height="14"
                  aria-hidden="true"
                >
                  <rect class="ground" width="1000" height="36" rx="6"></rect>
                  <rect
                    class="bar ${at === steps.length - 1 ? "last" : ""}"
                    width="${Math.round((1000 * count) / widest)}"
                    height="36"
                    rx="6"
                  ></rect>
                </svg>
              </td>
              <td class="soft">${note}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function valueText(say: Say, value: unknown): string {
  if (value === true || value === "yes") return say("yes");
  if (value === false || value === "no") return say("no");
  if (value === "unknown") return say("unknownWord");
  return typeof value === "string"
    ? value
    : value === null || value === undefined
      ? UNKNOWN
      : JSON.stringify(value);
}

function sideCard(say: Say, side: MatchedPair["left"], separating: ReadonlySet<string>): Markup {
  const rows = (pairs: readonly (readonly [string, string | Markup])[]): Markup =>
    html`<dl class="facts">
      ${pairs.map(
        ([label, value]) =>
          html`<dt>${label}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>`;
  const harmed = isHarmed(side);
  const undeclared = Object.entries(side.undeclared).map(
    ([fact, value]) =>
      [
        factText(say, fact),
        separating.has(fact) ? html`<mark>${valueText(say, value)}</mark>` : valueText(say, value),
      ] as const,
  );
  return html`<div class="side ${harmed ? "bad" : "good"}">
    <h4>${say("pairCustomer", { id: side.user_id })}</h4>
    <p class="fate ${harmed ? "is-bad" : "is-good"}">${fateText(say, side)}</p>
    ${rows([
      [
        say("pairBought"),
        html`${side.items}, <strong>${say("won", { amount: whole(side.total) })}</strong>`,
      ],
      [say("pairTime"), timeOfDay(side.ordered_at_us)],
      [
        say("pairCoupon"),
        side.coupon === null
          ? say("noCoupon")
          : html`${say("couponUsed")} <code>${side.coupon}</code>`,
      ],
      [say("pairOrder"), html`<code>${side.order_id}</code>`],
      ...(harmed
        ? [
            [say("pairRefund"), refundWord(say, side)] as const,
            [say("pairTold"), say(side.told ? "yes" : "no")] as const,
          ]
        : []),
    ])}
    ${
      Object.keys(side.attributes).length === 0
        ? ""
        : html`<h5>${say("pairDeclared")}</h5>
            ${rows(Object.entries(side.attributes).map(([name, value]) => [name, valueText(say, value)]))}`
    }
    ${
      undeclared.length === 0
        ? ""
        : html`<h5>${say("pairUndeclared")}</h5>
            ${rows(undeclared)}`
    }
  </div>`;
}

/** Matched pairs as two cards side by side, with what separates them. */
export function pairsSection(say: Say, view: RunView, more: Markup | string = ""): Markup {
  const { x0 } = view.verdict;
  const numbers = {
    cancelled: whole(x0.cancelled),
    without: whole(x0.without_rule),
    pairs: whole(x0.matched_pairs),
  };
  const index =
    x0.index_low === null
      ? UNKNOWN
      : x0.index_high === null || x0.index_high === x0.index_low
        ? figure(x0.index_low)
        : `${figure(x0.index_low)} – ${figure(x0.index_high)}`;
  if (x0.cancelled === 0 && x0.pairs.length === 0) return html``;
  const clean = x0.label === "none" && x0.pairs.length === 0 && x0.without_rule === 0;
  return html`<section aria-labelledby="pairs">
    <h2 id="pairs">${say("pairsHeading")}</h2>
    <p class="lead">
      ${clean ? say("pairsNone", { cancelled: numbers.cancelled }) : say("pairsLead", numbers)}
    </p>
    <p class="note">${say("pairsIndex", { index, label: x0.label })}</p>
    <div class="pairs">
      ${x0.pairs.slice(0, PAIRS_MAX).map((pair, at) => {
        const separating = new Set(pair.separates.slice(0, 1).map((one) => one.fact));
        return html`<article class="pair">
          <h3>${say("pairNumber", { number: at + 1 })}</h3>
          <div class="sides">
            ${sideCard(say, pair.left, separating)}${sideCard(say, pair.right, separating)}
          </div>
          <p class="separates">${separatesText(say, pair)}</p>
        </article>`;
      })}
    </div>
    ${more}
  </section>`;
}
