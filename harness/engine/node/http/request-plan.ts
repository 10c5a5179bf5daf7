/** Turns what a script gives to http.request(method, url, body, params) into what goes over the wire, by k6's rules. */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { parseDurationMs } from "../options/duration.ts";
import { textOf, textsOf } from "../script-text.ts";
import type { CookieJar, ParamCookie } from "./cookies.ts";
import type { ExpectedStatuses } from "./expected-statuses.ts";
import { FileData, multipart } from "./multipart.ts";
import type { ResponseType } from "./response.ts";
import type { ParsedUrl } from "./url.ts";

/** k6's params. */
export interface HttpParams {
  readonly headers?: Readonly<Record<string, unknown>> | null;
  readonly cookies?: Readonly<Record<string, ParamCookie>> | null;
  readonly tags?: Readonly<Record<string, unknown>> | null;
  readonly timeout?: string | number | null;
  readonly redirects?: number | null;
  readonly responseType?: ResponseType | null;
  readonly jar?: CookieJar | null;
  readonly auth?: string | null;
  readonly compression?: string | null;
  readonly responseCallback?: ExpectedStatuses | null;
}

/** What k6 waits for an answer when a script names no time. */
const DEFAULT_TIMEOUT_MS = 60_000;
/** Connection management is ours: undici refuses these, and k6 ignores them too. */
const NOT_SENT: ReadonlySet<string> = new Set([
  "content-length",
  "transfer-encoding",
  "keep-alive",
  "upgrade",
  "expect",
]);

export interface Body {
  readonly data: string | Buffer | null;
  /** Used when the script names none. */
  readonly contentType: string | null;
}

const NO_BODY: Body = { data: null, contentType: null };

function formEncoded(fields: Readonly<Record<string, unknown>>): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const item of Array.isArray(value) ? value : [value]) pairs.append(name, textOf(item));
  }
  return pairs.toString();
}

/** k6's bodies: text, bytes, or an object as a form (multipart when it holds a file). */
export function bodyOf(body: unknown): Body {
  if (body === null || body === undefined) return NO_BODY;
  if (typeof body === "string") return { data: body, contentType: null };
  if (body instanceof ArrayBuffer) return { data: Buffer.from(body), contentType: null };
  if (ArrayBuffer.isView(body))
    return { data: Buffer.from(body.buffer, body.byteOffset, body.byteLength), contentType: null };
  if (typeof body !== "object") return { data: textOf(body), contentType: null };
  const fields = body as Readonly<Record<string, unknown>>;
  if (Object.values(fields).some((value) => value instanceof FileData)) return multipart(fields);
  return { data: formEncoded(fields), contentType: "application/x-www-form-urlencoded" };
}

const COMPRESS: Readonly<Record<string, (data: Buffer) => Buffer>> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

/** `params.compression`: one algorithm or several, applied in order. */
export function compressed(data: string | Buffer, compression: string): Buffer {
  return compression.split(",").reduce<Buffer>((bytes, name) => {
    const compress = COMPRESS[name.trim()];
    if (compress === undefined)
      throw new TypeError(
        `unknown compression algorithm ${JSON.stringify(name.trim())}; k6 knows ${Object.keys(COMPRESS).join(", ")}`,
      );
    return compress(bytes);
  }, Buffer.from(data));
}

export interface HeaderParts {
  readonly params: HttpParams | null;
  readonly url: ParsedUrl;
  readonly contentType: string | null;
  readonly userAgent: string;
  readonly cookies: readonly (readonly [string, string])[];
}

/** Name, value, name, value …: the script's own headers, then what it left out. */
export function headerList({
  params,
  url,
  contentType,
  userAgent,
  cookies,
}: HeaderParts): string[] {
  const list: string[] = [];
  let agentGiven = userAgent === "";
  let typeGiven = contentType === null;
  let ownCookies = "";
  const given = params?.headers;
  if (given !== undefined && given !== null) {
    for (const name of Object.keys(given)) {
      const value = given[name];
      const lower = name.toLowerCase();
      if (value === undefined || value === null || NOT_SENT.has(lower)) continue;
      if (lower === "user-agent") agentGiven = true;
      if (lower === "content-type") typeGiven = true;
      if (lower === "cookie") ownCookies = textOf(value);
      else list.push(name, textOf(value));
    }
  }
  if (!agentGiven) list.push("User-Agent", userAgent);
  if (!typeGiven && contentType !== null) list.push("Content-Type", contentType);
  if (cookies.length > 0 || ownCookies !== "")
    list.push(
      "Cookie",
      [
        ...(ownCookies === "" ? [] : [ownCookies]),
        ...cookies.map(([name, value]) => `${name}=${value}`),
      ].join("; "),
    );
  const auth = authorization(params, url);
  if (auth !== null) list.push("Authorization", auth);
  if (params?.compression !== undefined && params.compression !== null)
    list.push("Content-Encoding", params.compression);
  return list;
}

function authorization(params: HttpParams | null, url: ParsedUrl): string | null {
  const auth = params?.auth;
  if (auth !== undefined && auth !== null && auth !== "basic")
    throw new TypeError(
      `auth ${JSON.stringify(auth)} is not built in the embedded engine; basic is. Run the script with k6 itself`,
    );
  return url.userinfo === null ? null : `Basic ${Buffer.from(url.userinfo).toString("base64")}`;
}

/** Milliseconds until a request is given up. Throws on what is no duration. */
export function timeoutOf(params: HttpParams | null): number {
  const timeout = params?.timeout;
  if (timeout === undefined || timeout === null) return DEFAULT_TIMEOUT_MS;
  const ms = typeof timeout === "number" ? timeout : parseDurationMs(timeout);
  if (ms === null || !Number.isFinite(ms))
    throw new TypeError(
      `invalid timeout ${JSON.stringify(timeout)}: expected ms or a duration like "10s"`,
    );
  return ms <= 0 ? DEFAULT_TIMEOUT_MS : ms;
}

/** Tags as text. */
export function tagsOf(params: HttpParams | null): Readonly<Record<string, string>> | null {
  return textsOf(params?.tags);
}
