/**
 * The frame of every page: one file, no network. The policy allows exactly the style sheet and the script that are in
 * it (by their SHA-256) and nothing else, so that a hostile name in the books can neither run nor load anything.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { html, jsonData, textOf, trusted, type Markup } from "./html.ts";
import type { Lang, Say } from "./sentences.ts";

export interface PageDocument {
  readonly lang: Lang;
  readonly title: string;
  readonly body: Markup;
  /** What page-charts.js draws. */
  readonly charts: unknown;
}

const require = createRequire(import.meta.url);
const ownFile = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");
const uplotFile = (name: string): string =>
  readFileSync(require.resolve(`uplot/dist/${name}`), "utf8");

const sha256 = (text: string): string =>
  `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/**
 * The whole element as trusted text: its hash is in the policy, so not one blank may stand between tag and text. A
 * closing tag inside our own sources would end the element early; there is none, and this keeps it so.
 */
function element(tag: "style" | "script", text: string): Markup {
  if (text.toLowerCase().includes(`</${tag}`))
    throw new TypeError(`an inlined ${tag} must not hold its own closing tag`);
  return trusted(`<${tag}>${text}</${tag}>`);
}

/** The whole HTML file. */
export function pageDocument(say: Say, page: PageDocument): string {
  const style = `${uplotFile("uPlot.min.css")}\n${ownFile("page.css")}`;
  const script = `${uplotFile("uPlot.iife.min.js")}\n${ownFile("page-charts.js")}`;
  const policy = `default-src 'none'; style-src ${sha256(style)}; script-src ${sha256(script)}; base-uri 'none'; form-action 'none'`;
  const markup = html`<!doctype html>
    <html lang="${page.lang}">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${trusted(policy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${page.title}</title>
        ${element("style", style)}
      </head>
      <body>
        <a class="skip" href="#verdict">${say("skipToContent")}</a>
        ${page.body}
        <noscript><p class="note">${say("needsScript")}</p></noscript>
        ${jsonData("charts", page.charts)} ${element("script", script)}
      </body>
    </html> `;
  return textOf(markup);
}
