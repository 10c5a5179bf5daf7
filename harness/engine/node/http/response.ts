/** k6's Response. What costs time (text, headers in canonical case, JSON, timings) is made when a script asks for it. */
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import type { IncomingHttpHeaders } from "undici/types/header.d.ts";
import { StampedeError } from "../../../errors.ts";
import { responseCookies, setCookieLines, type ResponseCookie } from "./cookies.ts";
import { statusErrorCode, type SendError } from "./error-codes.ts";
import type { Exchange } from "./exchange.ts";
import { selectJson } from "./gjson.ts";

export type ResponseType = "text" | "binary" | "none";

export interface Timings {
  readonly duration: number;
  readonly blocked: number;
  readonly looking_up: number;
  readonly connecting: number;
  readonly tls_handshaking: number;
  readonly sending: number;
  readonly waiting: number;
  readonly receiving: number;
}

/** What an HttpResponse reads: an exchange, or a refusal that was never sent. */
export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  readonly error: SendError | null;
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly bytes: Buffer | null;
}

export const NO_TIMINGS: Timings = {
  duration: 0,
  blocked: 0,
  looking_up: 0,
  connecting: 0,
  tls_handshaking: 0,
  sending: 0,
  waiting: 0,
  receiving: 0,
};

/** What was sent, as response.request shows it. */
export interface SentRequest {
  readonly method: string;
  readonly url: string;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  readonly body: string | Buffer | null;
}

const MS = 1e6;
const gap = (fromNs: number, toNs: number): number =>
  fromNs === 0 || toNs <= fromNs ? 0 : (toNs - fromNs) / MS;

/** k6's timings in ms: duration = sending + waiting + receiving; connecting and TLS stand apart, inside blocked. */
export function timingsOf(exchange: Exchange): Timings {
  const { connect, queuedNs, startNs, endNs } = exchange;
  const sentNs = Math.max(exchange.sentNs, startNs);
  const firstNs = exchange.firstByteNs === 0 ? endNs : exchange.firstByteNs;
  const sending = gap(startNs, sentNs);
  const waiting = startNs === 0 ? 0 : gap(sentNs, firstNs);
  const receiving = gap(firstNs, endNs);
  return {
    duration: sending + waiting + receiving,
    blocked: startNs === 0 ? 0 : gap(queuedNs, startNs),
    looking_up: (connect?.lookupNs ?? 0) / MS,
    connecting: (connect?.connectNs ?? 0) / MS,
    tls_handshaking: (connect?.tlsNs ?? 0) / MS,
    sending,
    waiting,
    receiving,
  };
}

/** `content-type` → `Content-Type`, as Go's net/http writes names. */
export function canonicalName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(
      /(^|-)([a-z])/g,
      (_all, dash: string, letter: string) => dash + letter.toUpperCase(),
    );
}
const canonicalNames = new Map<string, string>();
const canonical = (name: string): string => {
  let known = canonicalNames.get(name);
  if (known === undefined) {
    known = canonicalName(name);
    if (canonicalNames.size < 1000) canonicalNames.set(name, known);
  }
  return known;
};

function inflated(bytes: Buffer, encodings: string): Buffer {
  return encodings
    .split(",")
    .map((encoding) => encoding.trim().toLowerCase())
    .reduceRight((data, encoding) => {
      if (encoding === "gzip" || encoding === "x-gzip") return gunzipSync(data);
      if (encoding === "deflate") return inflateSync(data);
      if (encoding === "br") return brotliDecompressSync(data);
      if (encoding === "zstd") return zstdDecompressSync(data);
      return data;
    }, bytes);
}

const notBuilt = (what: string): StampedeError =>
  new StampedeError(
    "script",
    `response.${what}() needs k6/html, which the embedded engine does not have yet`,
    { hint: "run the script with k6 itself" },
  );

export class HttpResponse {
  readonly status: number;
  readonly status_text: string;
  readonly url: string;
  readonly error: string;
  readonly error_code: number;
  readonly proto: string;
  readonly remote_ip: string;
  readonly remote_port: number;
  readonly tls_version = "";
  readonly tls_cipher_suite = "";
  readonly ocsp = {
    produced_at: 0,
    this_update: 0,
    next_update: 0,
    revocation_reason: "",
    revoked_at: 0,
    status: "unknown",
  };
  readonly #exchange: Answer;
  readonly #sent: SentRequest;
  readonly #type: ResponseType;
  readonly #timings: Timings;
  #body: string | ArrayBuffer | null | undefined = undefined;
  #json: unknown = undefined;
  #headers: Record<string, string> | null = null;

  constructor(
    exchange: Answer,
    sent: SentRequest,
    url: string,
    type: ResponseType,
    timings: Timings,
  ) {
    this.#exchange = exchange;
    this.#sent = sent;
    this.#type = type;
    this.#timings = timings;
    this.status = exchange.status;
    this.status_text = exchange.status === 0 ? "" : `${exchange.status} ${exchange.statusText}`;
    this.url = url;
    this.error = exchange.error?.message ?? "";
    this.error_code = exchange.error?.code ?? statusErrorCode(exchange.status);
    this.proto = exchange.status === 0 ? "" : "HTTP/1.1";
    this.remote_ip = exchange.remoteIp;
    this.remote_port = exchange.remotePort;
  }

  get timings(): Timings {
    return this.#timings;
  }

  get body(): string | ArrayBuffer | null {
    if (this.#body === undefined) this.#body = this.#readBody();
    return this.#body;
  }

  #readBody(): string | ArrayBuffer | null {
    if (this.#type === "none" || this.status === 0) return null;
    const raw = this.#exchange.bytes ?? Buffer.alloc(0);
    const encoding = this.#exchange.headers["content-encoding"];
    const bytes = raw.length > 0 && typeof encoding === "string" ? inflated(raw, encoding) : raw;
    if (this.#type === "text") return bytes.toString("utf8");
    return Uint8Array.from(bytes).buffer;
  }

  get headers(): Record<string, string> {
    if (this.#headers === null) {
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(this.#exchange.headers))
        if (value !== undefined)
          headers[canonical(name)] = Array.isArray(value) ? value.join(", ") : value;
      this.#headers = headers;
    }
    return this.#headers;
  }

  get cookies(): Record<string, ResponseCookie[]> {
    return responseCookies(setCookieLines(this.#exchange.headers));
  }

  get request(): {
    method: string;
    url: string;
    headers: Record<string, string[]>;
    body: string;
    cookies: Record<string, { name: string; value: string; replace: boolean }[]>;
  } {
    const headers: Record<string, string[]> = {};
    const cookies: Record<string, { name: string; value: string; replace: boolean }[]> = {};
    for (let i = 0; i < this.#sent.headers.length; i += 2) {
      const name = canonical(this.#sent.headers[i] ?? "");
      const value = this.#sent.headers[i + 1] ?? "";
      (headers[name] ??= []).push(value);
      if (name !== "Cookie") continue;
      for (const pair of value.split("; ")) {
        const [key = "", ...rest] = pair.split("=");
        (cookies[key] ??= []).push({ name: key, value: rest.join("="), replace: false });
      }
    }
    return {
      method: this.#sent.method,
      url: this.#sent.url,
      headers,
      body: this.#sent.body?.toString() ?? "",
      cookies,
    };
  }

  /** The body as JSON, or what a gjson selector finds in it (undefined when nothing). Throws when it is no JSON. */
  json(selector?: string): unknown {
    if (this.#json === undefined) {
      const { body } = this;
      if (body === null)
        throw new TypeError(
          "the body is null so we can't transform it to JSON - this likely was because of a request error getting the response",
        );
      this.#json = JSON.parse(typeof body === "string" ? body : Buffer.from(body).toString("utf8"));
    }
    return selector === undefined ? this.#json : selectJson(this.#json, selector);
  }

  html(): never {
    throw notBuilt("html");
  }

  submitForm(): never {
    throw notBuilt("submitForm");
  }

  clickLink(): never {
    throw notBuilt("clickLink");
  }

  /** What console.log and JSON.stringify show: k6's plain fields. */
  toJSON(): Record<string, unknown> {
    const {
      status,
      status_text,
      url,
      error,
      error_code,
      proto,
      remote_ip,
      remote_port,
      timings,
      headers,
      cookies,
      body,
      request,
    } = this;
    return {
      remote_ip,
      remote_port,
      url,
      status,
      status_text,
      proto,
      headers,
      cookies,
      body,
      timings,
      error,
      error_code,
      request,
    };
  }
}
