/** Splits the URL a script gives into origin and path, cheaply: the origin is parsed once, the path only when odd. */

export interface ParsedUrl {
  /** As the script sees it in response.url. */
  readonly href: string;
  /** scheme://host:port, without user and password. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** `user:password` of the URL, decoded, or null. */
  readonly userinfo: string | null;
}

/** What may stand in a request line as it is; anything else goes through the URL parser and comes out escaped. */
const PLAIN_PATH = /^\/[!$-;=?-Z_a-z~@[\]]*(?:%[0-9a-fA-F]{2}[!$-;=?-Z_a-z~@[\]]*)*$/;
const MAX_ORIGINS = 1000;
const origins = new Map<string, string>();

function plainOrigin(prefix: string): string | null {
  const known = origins.get(prefix);
  if (known !== undefined) return known;
  if (prefix.includes("@") || !/^https?:\/\//.test(prefix) || !URL.canParse(prefix)) return null;
  if (origins.size >= MAX_ORIGINS) origins.clear();
  const { origin } = new URL(prefix);
  origins.set(prefix, origin);
  return origin;
}

function parseWhole(text: string): ParsedUrl | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  const userinfo =
    url.username === ""
      ? null
      : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { href: text, origin: url.origin, path: `${url.pathname}${url.search}`, userinfo };
}

/** Null when it is no http or https URL. */
export function parseUrl(text: string): ParsedUrl | null {
  const slash = text.indexOf("/", 8);
  if (slash === -1) return parseWhole(text);
  const path = text.slice(slash);
  const origin = PLAIN_PATH.test(path) ? plainOrigin(text.slice(0, slash)) : null;
  return origin === null ? parseWhole(text) : { href: text, origin, path, userinfo: null };
}

/** The URL a Location header leads to, or null. */
export function resolveLocation(location: string, base: string): ParsedUrl | null {
  return URL.canParse(location, base) ? parseWhole(new URL(location, base).href) : null;
}

/** A URL with a name of its own: what http.url`…` gives; requests to it are grouped under the template's text. */
export class HttpUrl {
  readonly name: string;
  readonly url: string;

  constructor(name: string, url: string) {
    this.name = name;
    this.url = url;
  }

  toString(): string {
    return this.url;
  }
}

/** The tag function http.url: values are filled into the URL, `${}` stands for them in the name. */
export function urlTemplate(parts: readonly string[], ...values: readonly unknown[]): HttpUrl {
  const fill = (value: (index: number) => string): string =>
    parts.map((part, index) => (index < parts.length - 1 ? part + value(index) : part)).join("");
  return new HttpUrl(
    fill(() => "${}"),
    fill((index) => String(values[index])),
  );
}
