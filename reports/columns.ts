/** Text in columns of a terminal: Korean letters take two cells, so lengths are measured, not counted. */

/** Letters two cells wide: Hangul, Han, kana, full-width forms (the parts of Unicode's East Asian Width these reports use). */
const WIDE =
  /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff01-\uff60]/u;

/** Control characters, terminal escapes among them: a hostile name must not move the cursor. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** One line of plain text: control and direction-changing characters become "?". */
export function plainLine(text: string): string {
  return text.replaceAll(CONTROL, "?");
}

/** Cells a text takes. */
export function width(text: string): number {
  let cells = 0;
  for (const letter of text) cells += WIDE.test(letter) ? 2 : 1;
  return cells;
}

/** Cuts to at most `cells`, with "…" where something is gone. */
export function cut(text: string, cells: number): string {
  if (width(text) <= cells) return text;
  let kept = "";
  for (const letter of text) {
    if (width(kept) + width(letter) > cells - 1) break;
    kept += letter;
  }
  return `${kept}…`;
}

/** Figures and their units hold together with no-break spaces; on screen, once lines are broken, they are spaces. */
export function spaced(text: string): string {
  return text.replaceAll("\u00a0", " ");
}

/** Pads to exactly `cells`, cutting what is longer. */
export function fit(text: string, cells: number): string {
  const short = spaced(cut(text, cells));
  return short + " ".repeat(cells - width(short));
}

/**
 * Breaks at spaces so that no line is wider than `cells` (the first: `firstCells`); a word too long for a line stands
 * alone, uncut, so that paths can be copied.
 */
export function wrap(text: string, cells: number, firstCells: number = cells): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && width(line) + 1 + width(word) > (lines.length === 0 ? firstCells : cells)) {
      lines.push(spaced(line));
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, spaced(line)];
}
