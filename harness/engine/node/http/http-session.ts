/** A VU's HTTP: requests with k6's params, redirects followed one checked hop at a time, a metric sample for each. */
import type { RunContext } from "../run/run-context.ts";
import { never, type Vu } from "../vu/vu.ts";
import { CookieJar, cookiePairs, setCookieLines } from "./cookies.ts";
import { sendOnce, type Exchange, type Outgoing } from "./exchange.ts";
import type { ExpectedStatuses } from "./expected-statuses.ts";
import { recordExchange } from "./http-samples.ts";
import {
  bodyOf,
  compressed,
  headerList,
  tagsOf,
  timeoutOf,
  type HttpParams,
} from "./request-plan.ts";
import { HttpResponse, NO_TIMINGS, timingsOf, type ResponseType } from "./response.ts";
import { HttpUrl, parseUrl, resolveLocation, type ParsedUrl } from "./url.ts";

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Not carried to another origin: they were meant for the first one. */
const BOUND_TO_ORIGIN: ReadonlySet<string> = new Set(["authorization", "host"]);
/** They describe a body that is no longer sent. */
const BOUND_TO_BODY: ReadonlySet<string> = new Set(["content-type", "content-encoding"]);

/** One request as the script meant it, whatever hops it takes. */
interface Plan {
  readonly url: ParsedUrl;
  readonly outgoing: Outgoing;
  readonly params: HttpParams | null;
  /** The `name` tag where the script or a URL template gave one. */
  readonly name: string | null;
  readonly tags: Readonly<Record<string, string>> | null;
  readonly expected: ExpectedStatuses | null;
  readonly redirects: number;
  readonly responseType: ResponseType;
}

export class HttpSession {
  readonly #vu: Vu;
  readonly #run: RunContext;

  constructor(vu: Vu) {
    this.#vu = vu;
    this.#run = vu.run;
  }

  /** The VU's own jar, made when first asked for. */
  jar(): CookieJar {
    this.#vu.jar ??= new CookieJar();
    return this.#vu.jar;
  }

  /**
   * Sends and follows redirects. A network error is no exception but a response with status 0, as in k6, unless the
   * option `throw` is set. Rejects with TypeError on params that make no sense.
   */
  request(
    method: string,
    target: unknown,
    body: unknown,
    params: HttpParams | null,
  ): Promise<HttpResponse> {
    if (this.#vu.halted) return never();
    if (this.#vu.stage === "init")
      return Promise.reject(
        new TypeError(
          "http requests in the init code are not supported; send them in setup() or in an iteration",
        ),
      );
    const text = target instanceof HttpUrl ? target.url : String(target);
    const url = parseUrl(text);
    if (url === null) return this.#invalidUrl(method, text);
    try {
      return this.#follow(this.#plan(method, url, target, body, params));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new TypeError(String(error)));
    }
  }

  #plan(
    method: string,
    url: ParsedUrl,
    target: unknown,
    body: unknown,
    params: HttpParams | null,
  ): Plan {
    const { options } = this.#run;
    const content = bodyOf(body);
    const tags = params === null ? null : tagsOf(params);
    const data =
      params?.compression !== undefined && params.compression !== null && content.data !== null
        ? compressed(content.data, params.compression)
        : content.data;
    const jar = params?.jar ?? this.#vu.jar;
    const own = params?.cookies ?? undefined;
    const cookies = jar === null && own === undefined ? [] : cookiePairs(jar, url.href, own);
    return {
      url,
      params,
      tags,
      outgoing: {
        method,
        origin: url.origin,
        path: url.path,
        headers: headerList({
          params,
          url,
          contentType: content.contentType,
          userAgent: options.userAgent,
          cookies,
        }),
        body: data,
        timeoutMs: timeoutOf(params),
        noReuse: options.noConnectionReuse,
      },
      name: tags?.["name"] ?? (target instanceof HttpUrl ? target.name : null),
      expected:
        params?.responseCallback === undefined ? this.#vu.expected : params.responseCallback,
      redirects: params?.redirects ?? options.maxRedirects,
      responseType: params?.responseType ?? (options.discardResponseBodies ? "none" : "text"),
    };
  }

  async #follow(plan: Plan): Promise<HttpResponse> {
    let { url, outgoing } = plan;
    for (let hops = 0; ; hops++) {
      const exchange = await sendOnce(this.#vu.lanes, outgoing, this.#run.listener);
      const timings = timingsOf(exchange);
      recordExchange(this.#vu, exchange, {
        url: url.href,
        name: plan.name,
        tags: plan.tags,
        expected: plan.expected,
        timings,
      });
      this.#storeCookies(plan, url, exchange);
      const next =
        REDIRECTS.has(exchange.status) && hops < plan.redirects ? redirectOf(exchange, url) : null;
      if (next === null)
        return this.#answer(
          exchange,
          new HttpResponse(
            exchange,
            {
              method: plan.outgoing.method,
              url: plan.url.href,
              headers: outgoing.headers,
              body: outgoing.body,
            },
            url.href,
            plan.responseType,
            timings,
          ),
        );
      outgoing = this.#redirected(plan, outgoing, next, exchange.status);
      url = next;
    }
  }

  #answer(exchange: Exchange, response: HttpResponse): HttpResponse {
    const { error } = exchange;
    if (error === null) return response;
    if (this.#run.options.throw)
      throw new Error(`${exchange.outgoing.method} ${response.url}: ${error.message}`);
    this.#run.log.limited(
      `request failed: ${error.message}`,
      () => `request failed: ${exchange.outgoing.method} ${response.url}: ${error.message}`,
    );
    return response;
  }

  #storeCookies(plan: Plan, url: ParsedUrl, exchange: Exchange): void {
    if (exchange.headers["set-cookie"] === undefined) return;
    (plan.params?.jar ?? this.jar()).store(url.href, setCookieLines(exchange.headers));
  }

  /** The next hop, by Go's rules: 301, 302 and 303 become a GET without body, 307 and 308 stay as they are. */
  #redirected(plan: Plan, outgoing: Outgoing, next: ParsedUrl, status: number): Outgoing {
    const keep = status === 307 || status === 308;
    const sameOrigin = next.origin === outgoing.origin;
    const headers: string[] = [];
    for (let i = 0; i < outgoing.headers.length; i += 2) {
      const name = outgoing.headers[i] ?? "";
      const lower = name.toLowerCase();
      if (
        lower === "cookie" ||
        (!sameOrigin && BOUND_TO_ORIGIN.has(lower)) ||
        (!keep && BOUND_TO_BODY.has(lower))
      )
        continue;
      headers.push(name, outgoing.headers[i + 1] ?? "");
    }
    const cookies = cookiePairs(
      plan.params?.jar ?? this.#vu.jar,
      next.href,
      sameOrigin ? (plan.params?.cookies ?? undefined) : undefined,
    );
    if (cookies.length > 0)
      headers.push("Cookie", cookies.map(([name, value]) => `${name}=${value}`).join("; "));
    const method = keep || outgoing.method === "HEAD" ? outgoing.method : "GET";
    return {
      ...outgoing,
      method,
      origin: next.origin,
      path: next.path,
      headers,
      body: keep ? outgoing.body : null,
    };
  }

  #invalidUrl(method: string, text: string): Promise<HttpResponse> {
    const message = `invalid URL: ${JSON.stringify(text)}`;
    if (this.#run.options.throw) return Promise.reject(new TypeError(message));
    this.#run.log.limited("invalid URL", () => `request failed: ${method} ${message}`);
    const answer = {
      status: 0,
      statusText: "",
      headers: {},
      error: { code: 1020, message },
      remoteIp: "",
      remotePort: 0,
      bytes: null,
    };
    return Promise.resolve(
      new HttpResponse(
        answer,
        { method, url: text, headers: [], body: null },
        text,
        "text",
        NO_TIMINGS,
      ),
    );
  }
}

function redirectOf(exchange: Exchange, from: ParsedUrl): ParsedUrl | null {
  const { location } = exchange.headers;
  return typeof location === "string" ? resolveLocation(location, from.href) : null;
}
