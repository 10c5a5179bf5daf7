/** The module k6/http of one VU. */
import { sendBatch } from "../http/batch.ts";
import { CookieJar } from "../http/cookies.ts";
import { ExpectedStatuses, expectedStatuses } from "../http/expected-statuses.ts";
import { HttpSession } from "../http/http-session.ts";
import { file, FileData } from "../http/multipart.ts";
import type { HttpParams } from "../http/request-plan.ts";
import type { HttpResponse } from "../http/response.ts";
import { urlTemplate } from "../http/url.ts";
import { never, type Vu } from "../vu/vu.ts";

type Params = HttpParams | null | undefined;
type Answer = Promise<HttpResponse>;

const CONSTANTS = {
  TLS_1_0: "tls1.0",
  TLS_1_1: "tls1.1",
  TLS_1_2: "tls1.2",
  TLS_1_3: "tls1.3",
  SSL_3_0: "ssl3.0",
  AUTH_BASIC: "basic",
  AUTH_DIGEST: "digest",
  AUTH_NTLM: "ntlm",
  OCSP_STATUS_GOOD: "good",
  OCSP_STATUS_REVOKED: "revoked",
  OCSP_STATUS_SERVER_FAILED: "server_failed",
  OCSP_STATUS_UNKNOWN: "unknown",
} as const;

/** Every blocking function returns a promise; the rewritten script awaits it. */
export function httpModule(vu: Vu): Readonly<Record<string, unknown>> {
  const session = new HttpSession(vu);
  const withBody =
    (method: string) =>
    (url: unknown, body?: unknown, params?: Params): Answer =>
      session.request(method, url, body, params ?? null);
  const withoutBody =
    (method: string) =>
    (url: unknown, params?: Params): Answer =>
      session.request(method, url, null, params ?? null);
  const request = (method: string, url: unknown, body?: unknown, params?: Params): Answer =>
    session.request(method.toUpperCase(), url, body, params ?? null);
  const http = {
    ...CONSTANTS,
    get: withoutBody("GET"),
    head: withoutBody("HEAD"),
    post: withBody("POST"),
    put: withBody("PUT"),
    patch: withBody("PATCH"),
    del: withBody("DELETE"),
    options: withBody("OPTIONS"),
    request,
    asyncRequest: request,
    batch(requests: unknown): Promise<unknown> {
      if (vu.halted) return never();
      return sendBatch(session, requests, {
        atOnce: vu.run.options.batch,
        perHost: vu.run.options.batchPerHost,
      });
    },
    file,
    FileData,
    url: urlTemplate,
    CookieJar,
    cookieJar: (): CookieJar => session.jar(),
    expectedStatuses,
    /** Null switches http_req_failed and expected_response off. */
    setResponseCallback(callback: ExpectedStatuses | null): void {
      if (callback !== null && !(callback instanceof ExpectedStatuses))
        throw new TypeError(
          "setResponseCallback expects what http.expectedStatuses() gives, or null",
        );
      vu.expected = callback;
    },
  };
  return { ...http, default: http };
}
