/** From places in the running code back to the user's own files, through both source maps. */
import { SourceMap, type SourceMapPayload } from "node:module";
import { resolve } from "node:path";
import type { MagicString } from "magic-string";
import { shownPath, type Bundle } from "./bundle.ts";

/** A place in the user's file, both from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Maps places of the bundle, and of the rewritten bundle, to the user's files. */
export class SourcePositions {
  readonly #bundle: Bundle;
  readonly #starts: readonly number[];
  readonly #map: SourceMap;
  readonly #text: MagicString | null;
  #edited: SourceMap | null = null;

  /** @param text the edited bundle; its map is made when the first error asks for it */
  constructor(bundle: Bundle, text: MagicString | null) {
    this.#bundle = bundle;
    this.#text = text;
    this.#starts = lineStarts(bundle.code);
    this.#map = new SourceMap(JSON.parse(bundle.map) as SourceMapPayload);
  }

  /** A place of the bundle, both from 0. */
  ofBundle(line: number, column: number): Position | null {
    const entry = this.#map.findEntry(line, column);
    if (!("originalSource" in entry) || entry.originalSource === undefined) return null;
    return {
      file: shownPath(resolve(this.#bundle.directory, entry.originalSource)),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
    };
  }

  ofOffset(offset: number): Position | null {
    let line = 0;
    for (let high = this.#starts.length - 1; line < high;) {
      const middle = Math.ceil((line + high) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) line = middle;
      else high = middle - 1;
    }
    return this.ofBundle(line, offset - (this.#starts[line] ?? 0));
  }

  /** file:line of a place of the bundle; the bundle's own name when esbuild made the code itself. */
  place(offset: number): string {
    const position = this.ofOffset(offset);
    return position === null ? "generated code" : `${position.file}:${position.line}`;
  }

  /** A place of the rewritten bundle, both from 0. */
  ofEdited(line: number, column: number): Position | null {
    if (this.#text === null) return this.ofBundle(line, column);
    this.#edited ??= new SourceMap(
      JSON.parse(
        this.#text.generateMap({ hires: true, source: "bundle.js" }).toString(),
      ) as SourceMapPayload,
    );
    const entry = this.#edited.findEntry(line, column);
    if (!("originalLine" in entry) || entry.originalLine === undefined) return null;
    return this.ofBundle(entry.originalLine, entry.originalColumn);
  }
}
