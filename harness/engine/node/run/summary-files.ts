/** What handleSummary() returns, as text: path, stdout or stderr → content. */
import { isRecord } from "../options/option-reader.ts";
import type { RunLog } from "./run-log.ts";

function textOf(content: unknown): string | null {
  if (typeof content === "string") return content;
  if (content instanceof ArrayBuffer) return Buffer.from(content).toString("utf8");
  if (ArrayBuffer.isView(content))
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("utf8");
  return null;
}

/** Anything that is no text or bytes is told and left out. */
export function summaryFilesOf(returned: unknown, log: RunLog): Readonly<Record<string, string>> {
  if (returned === undefined || returned === null) return {};
  if (!isRecord(returned)) {
    log.line("handleSummary() must return an object of path: text; it did not");
    return {};
  }
  const files: Record<string, string> = {};
  for (const [path, content] of Object.entries(returned)) {
    const text = textOf(content);
    if (text === null) log.line(`handleSummary() must return text for ${path}; it did not`);
    else files[path] = text;
  }
  return files;
}
