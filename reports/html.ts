/** Mark-up that escapes by itself: hono's tagged template, plus the one place where text enters a script element. */
import { html as tagged, raw } from "hono/html";

/** A piece of finished mark-up; everything put into `html` that is not one is escaped. */
export type Markup = ReturnType<typeof tagged>;

export const html: typeof tagged = tagged;

/** Trusted text of our own files (style sheet, chart script), never of a run. */
export function trusted(text: string): Markup {
  return raw(text);
}

/** Data for a script of type application/json: no `<` survives, so no `</script>` and no `<!--` can end the element. */
export function jsonData(id: string, data: unknown): Markup {
  const text = JSON.stringify(data)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
  // Put together by hand: a formatter takes what stands between script tags of a template for code.
  return raw(`<script type="application/json" id="${id}">${text}</script>`);
}

/** The text of mark-up; every value given to these pages is there already, so there is nothing to wait for. */
export function textOf(markup: Markup): string {
  if (markup instanceof Promise) throw new TypeError("a report's mark-up must hold no promise");
  return markup.toString();
}
