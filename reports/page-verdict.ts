/** The top of a page: whose run it was, and the one line that matters. */
import { html, type Markup } from "./html.ts";
import { figure, NBSP, perSecond, percent } from "./numbers.ts";
import { headroomOf, type RunView } from "./run-view.ts";
import type { Say } from "./sentences.ts";
import { exitText, goWord, markOfGo } from "./story.ts";

const PLACES = {
  embedded: "placeEmbedded",
  containers: "placeContainers",
  external: "placeExternal",
} as const;

/** Label and value pairs in one line. */
export function meta(pairs: readonly (readonly [string, Markup | string])[]): Markup {
  return html`<dl class="meta">
    ${pairs.map(
      ([label, value]) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** Brand, title and the facts that name this run. */
export function runHeader(say: Say, view: RunView): Markup {
  const { run } = view;
  return html`<header>
    <p class="brand">stampede</p>
    <h1>${run.title}</h1>
    ${meta([
      [say("metaTarget"), html`<strong>${run.target}</strong>`],
      [say("metaScenario"), run.scenario],
      [say("metaSeed"), String(run.seed)],
      ...(run.capacity === null
        ? []
        : [[say("metaCapacity"), perSecond(say, run.capacity)] as const]),
      [say("metaPlace"), say(PLACES[run.place])],
      [say("metaEngine"), run.engine],
      [
        say("metaStarted"),
        html`<time datetime="${run.started_at}"
          >${run.started_at.replace("T", " ").replace(/\.\d+Z$/, " UTC")}</time
        >`,
      ],
      [say("metaRun"), html`<code>${run.id}</code>`],
    ])}
  </header>`;
}

/** GO or NO-GO with what was served well, what is expected, and how much room that leaves. */
export function verdictCard(
  say: Say,
  view: RunView,
  heading: { readonly text: string; readonly id?: string; readonly level: 2 | 3 },
): Markup {
  const { verdict, run } = view;
  const mark = markOfGo(verdict.go);
  const served = verdict.collapse.served_well_per_s;
  const headroom = headroomOf(view);
  const stat = (label: string, value: string, bad = false): Markup =>
    html`<div>
      <dt>${label}</dt>
      <dd class="${bad ? "is-bad" : ""}">${value}</dd>
    </div>`;
  const lead = verdict.go === null ? say("undecidedLead") : say(verdict.go ? "goLead" : "noGoLead");
  const title =
    heading.level === 2
      ? html`<h2 id="${heading.id ?? ""}">${heading.text}</h2>`
      : html`<h3>${heading.text}</h3>`;
  return html`<section class="verdict ${mark}">
    <div class="top">
      <div>
        ${title}
        <p class="word">${goWord(say, verdict.go)}</p>
      </div>
      <dl class="stats">
        ${stat(say("statServedWell"), served === null ? say("notMeasured") : perSecond(say, served))}
        ${run.expect_peak_per_s === null ? "" : stat(say("statForecast"), perSecond(say, run.expect_peak_per_s))}
        ${headroom === null ? "" : stat(say("statHeadroom"), percent(headroom), headroom < 0)}
      </dl>
    </div>
    <p class="soft">
      ${lead} ${say("exitCode", { code: verdict.exit_code })}: ${exitText(say, verdict.exit_code)}.
    </p>
    ${
      verdict.go_because.length === 0
        ? ""
        : html`<ul>
            ${verdict.go_because.map((reason) => html`<li>${reason}</li>`)}
          </ul>`
    }
  </section>`;
}

/** "can you trust this": the generator judges itself. */
export function trustSection(
  say: Say,
  views: readonly { readonly name: string; readonly view: RunView }[],
): Markup {
  const rows: readonly (readonly [string, (view: RunView) => string])[] = [
    [say("lateness"), ({ verdict }) => `${figure(verdict.generator.lateness_ms_p99)}${NBSP}ms`],
    [
      say("dropped"),
      ({ verdict }) =>
        `${figure(verdict.generator.dropped)} (${percent(verdict.generator.dropped_share)})`,
    ],
    [
      say("loopDelay"),
      ({ verdict }) => `${figure(verdict.generator.event_loop_delay_ms_p99)}${NBSP}ms`,
    ],
    [say("cpuShare"), ({ verdict }) => percent(verdict.generator.cpu_share)],
    [say("socketErrors"), ({ verdict }) => figure(verdict.generator.socket_errors)],
    [
      say("outcomesRow"),
      ({ verdict: { outcomes } }) =>
        `${figure(outcomes.ok)} / ${figure(outcomes.fail)} / ${figure(outcomes.info)}`,
    ],
    [
      say("resolvedRow"),
      ({ verdict: { outcomes } }) =>
        say("countOf", { count: figure(outcomes.info_resolved), total: figure(outcomes.info) }),
    ],
  ];
  const judged = views.map(({ name, view }) => {
    const { saturated, because } = view.verdict.generator;
    return html`<p>
      <span class="pill ${saturated ? "bad" : "good"}"
        >${name === "" ? say(saturated ? "no" : "yes") : name}</span
      >
      ${say(saturated ? "trustNo" : "trustYes")}${because.length === 0 ? "" : html` ${because.join("; ")}`}
    </p>`;
  });
  return html`<section aria-labelledby="trust">
    <h2 id="trust">${say("trustHeading")}</h2>
    ${judged}
    <div class="scroll">
      <table>
        <caption>
          ${say("trustTable")}
        </caption>
        <thead>
          <tr>
            <th scope="col">${say("figureColumn")}</th>
            ${views.map(({ name }) => html`<th scope="col">${name === "" ? say("valueColumn") : name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([label, value]) =>
              html`<tr>
                <th scope="row">${label}</th>
                ${views.map(({ view }) => html`<td>${value(view)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** The command that runs it again, and where it ran. */
export function replaySection(say: Say, view: RunView, commands: readonly string[]): Markup {
  const shown = (value: unknown): string =>
    typeof value === "string" ? value : JSON.stringify(value);
  const facts = [...Object.entries(view.run.machine), ...Object.entries(view.run.versions)];
  return html`<section aria-labelledby="replay">
    <h2 id="replay">${say("replayHeading")}</h2>
    <p class="lead">${say("replayLead")}</p>
    <pre tabindex="0"><code>${commands.join("\n")}</code></pre>
    ${
      facts.length === 0
        ? ""
        : html`<details>
            <summary>${say("machineTable")}</summary>
            <div class="scroll">
              <table>
                <caption>
                  ${say("machineTable")}
                </caption>
                <tbody>
                  ${facts.map(
                    ([name, value]) =>
                      html`<tr>
                        <th scope="row">${name}</th>
                        <td>${shown(value)}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>
          </details>`
    }
  </section>`;
}
