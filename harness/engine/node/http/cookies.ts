/** Cookies as k6 has them: a jar per VU, made when first needed, on tough-cookie; and the views scripts get of it. */
import { Cookie, CookieJar as ToughJar } from "tough-cookie";
import { textOf } from "../script-text.ts";
import type { IncomingHttpHeaders } from "undici/types/header.d.ts";

/** One cookie of response.cookies. */
export interface ResponseCookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  readonly path: string;
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly maxAge: number;
  /** ms since the epoch; 0 for a session cookie. */
  readonly expires: number;
}

/** `params.cookies`: a value, or a value that replaces the jar's. */
export type ParamCookie = string | { readonly value?: string; readonly replace?: boolean };

export interface CookieOptions {
  readonly domain?: string;
  readonly path?: string;
  readonly expires?: string;
  readonly max_age?: number;
  readonly secure?: boolean;
  readonly http_only?: boolean;
}

/** The Set-Cookie lines of an answer. */
export function setCookieLines(headers: IncomingHttpHeaders): readonly string[] {
  const lines = headers["set-cookie"];
  return lines === undefined ? [] : Array.isArray(lines) ? lines : [lines];
}

/** What k6's `http.cookieJar()` and `new http.CookieJar()` give; names as k6's. */
export class CookieJar {
  // Tests run on names and addresses that public suffix rules would refuse.
  readonly #jar = new ToughJar(undefined, {
    looseMode: true,
    rejectPublicSuffixes: false,
    allowSpecialUseDomain: true,
  });

  cookiesForURL(url: string): Record<string, string[]> {
    const cookies: Record<string, string[]> = {};
    for (const { key, value } of this.#jar.getCookiesSync(url)) (cookies[key] ??= []).push(value);
    return cookies;
  }

  set(url: string, name: string, value: string, options: CookieOptions | null = {}): void {
    const { domain, path, expires, max_age: maxAge, secure, http_only: httpOnly } = options ?? {};
    const cookie = new Cookie({
      key: textOf(name),
      value: textOf(value),
      ...(domain === undefined ? {} : { domain }),
      ...(path === undefined ? {} : { path }),
      ...(expires === undefined ? {} : { expires: new Date(expires) }),
      ...(maxAge === undefined ? {} : { maxAge }),
      secure: secure === true,
      httpOnly: httpOnly === true,
    });
    this.#jar.setCookieSync(cookie, url, { ignoreError: true });
  }

  clear(url: string): void {
    for (const cookie of this.#jar.getCookiesSync(url)) this.#remove(url, cookie);
  }

  delete(url: string, name: string): void {
    for (const cookie of this.#jar.getCookiesSync(url))
      if (cookie.key === name) this.#remove(url, cookie);
  }

  #remove(url: string, cookie: Cookie): void {
    const { key, domain, path } = cookie;
    this.#jar.setCookieSync(
      new Cookie({ key, value: "", domain, path, expires: new Date(0) }),
      url,
      { ignoreError: true },
    );
  }

  /** Takes over what an answer sets. */
  store(url: string, lines: readonly string[]): void {
    for (const line of lines) this.#jar.setCookieSync(line, url, { ignoreError: true });
  }

  /** [name, value] of every cookie for the URL. */
  pairs(url: string): readonly (readonly [string, string])[] {
    return this.#jar.getCookiesSync(url).map(({ key, value }) => [key, value]);
  }
}

/** k6's rule: the request's own cookies, then the jar's but for those that are replaced. */
export function cookiePairs(
  jar: CookieJar | null,
  url: string,
  own: Readonly<Record<string, ParamCookie>> | undefined,
): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  const replaced = new Set<string>();
  for (const [name, cookie] of Object.entries(own ?? {})) {
    if (typeof cookie === "object" && cookie !== null) {
      pairs.push([name, textOf(cookie.value ?? "")]);
      if (cookie.replace === true) replaced.add(name);
    } else pairs.push([name, textOf(cookie)]);
  }
  for (const pair of jar?.pairs(url) ?? []) if (!replaced.has(pair[0])) pairs.push(pair);
  return pairs;
}

/** response.cookies. */
export function responseCookies(lines: readonly string[]): Record<string, ResponseCookie[]> {
  const cookies: Record<string, ResponseCookie[]> = {};
  for (const line of lines) {
    const cookie = Cookie.parse(line, { loose: true });
    if (cookie === undefined) continue;
    (cookies[cookie.key] ??= []).push({
      name: cookie.key,
      value: cookie.value,
      domain: cookie.domain ?? "",
      path: cookie.path ?? "",
      httpOnly: cookie.httpOnly,
      secure: cookie.secure,
      maxAge: typeof cookie.maxAge === "number" ? cookie.maxAge : 0,
      expires: cookie.expires instanceof Date ? cookie.expires.getTime() : 0,
    });
  }
  return cookies;
}
