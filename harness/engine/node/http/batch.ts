/** http.batch(): requests side by side, at most `batch` at once and `batchPerHost` of them to one host. */
import type { HttpSession } from "./http-session.ts";
import type { HttpParams } from "./request-plan.ts";
import type { HttpResponse } from "./response.ts";
import { HttpUrl, parseUrl } from "./url.ts";

interface BatchItem {
  readonly method: string;
  readonly url: unknown;
  readonly body: unknown;
  readonly params: HttpParams | null;
}

const isParams = (value: unknown): value is HttpParams =>
  typeof value === "object" && value !== null;

function itemOf(entry: unknown, where: string): BatchItem {
  if (typeof entry === "string" || entry instanceof HttpUrl)
    return { method: "GET", url: entry, body: null, params: null };
  if (Array.isArray(entry)) {
    const [method, url, body, params]: unknown[] = entry;
    if (typeof method !== "string" || url === undefined)
      throw new TypeError(`batch ${where}: expected [method, url, body, params]`);
    return { method: method.toUpperCase(), url, body, params: isParams(params) ? params : null };
  }
  if (typeof entry === "object" && entry !== null && "url" in entry) {
    const { method = "GET", url, body, params } = entry as Readonly<Record<string, unknown>>;
    return {
      method: String(method).toUpperCase(),
      url,
      body,
      params: isParams(params) ? params : null,
    };
  }
  throw new TypeError(`batch ${where}: expected a URL, an array or an object with a url`);
}

const hostOf = (url: unknown): string =>
  parseUrl(url instanceof HttpUrl ? url.url : String(url))?.origin ?? "";

/** Starts items in order as the limits let it; a host that is full is passed over. */
async function inParallel(
  session: HttpSession,
  items: readonly BatchItem[],
  limits: { readonly atOnce: number; readonly perHost: number },
): Promise<HttpResponse[]> {
  const responses: HttpResponse[] = [];
  const waiting = items.map((item, index) => ({ item, index, host: hostOf(item.url) }));
  const perHost = new Map<string, number>();
  let running = 0;
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse[]>();
  const startNext = (): void => {
    if (waiting.length === 0 && running === 0) resolve(responses);
    for (let i = 0; i < waiting.length && running < limits.atOnce;) {
      const next = waiting[i];
      if (next === undefined) return;
      const busy = perHost.get(next.host) ?? 0;
      if (limits.perHost > 0 && busy >= limits.perHost) {
        i += 1;
        continue;
      }
      waiting.splice(i, 1);
      running += 1;
      perHost.set(next.host, busy + 1);
      const { method, url, body, params } = next.item;
      session.request(method, url, body, params).then((response) => {
        responses[next.index] = response;
        running -= 1;
        perHost.set(next.host, (perHost.get(next.host) ?? 1) - 1);
        startNext();
      }, reject);
    }
  };
  startNext();
  return promise;
}

/** Answers in the shape of the requests: an array for an array, an object for an object. */
export async function sendBatch(
  session: HttpSession,
  requests: unknown,
  limits: { readonly atOnce: number; readonly perHost: number },
): Promise<HttpResponse[] | Record<string, HttpResponse>> {
  if (Array.isArray(requests))
    return inParallel(
      session,
      requests.map((entry: unknown, index) => itemOf(entry, `request ${index}`)),
      limits,
    );
  if (typeof requests !== "object" || requests === null)
    throw new TypeError("batch expects an array or an object of requests");
  const names = Object.keys(requests);
  const entries = Object.entries(requests);
  const responses = await inParallel(
    session,
    entries.map(([name, entry]: [string, unknown]) =>
      itemOf(entry, `request ${JSON.stringify(name)}`),
    ),
    limits,
  );
  return Object.fromEntries(responses.map((response, index) => [names[index] ?? "", response]));
}
