/** The samples k6 takes of every request, and their tags, made only when a threshold asks for one. */
import type { TagSource } from "../metrics/metric.ts";
import type { Vu } from "../vu/vu.ts";
import { statusErrorCode } from "./error-codes.ts";
import type { Exchange } from "./exchange.ts";
import type { ExpectedStatuses } from "./expected-statuses.ts";
import type { Timings } from "./response.ts";

/** What the session knows of a hop beside the exchange. */
export interface HopFacts {
  readonly url: string;
  readonly name: string | null;
  readonly tags: Readonly<Record<string, string>> | null;
  /** Null when the script switched the judgement off. */
  readonly expected: ExpectedStatuses | null;
  readonly timings: Timings;
}

class RequestTags implements TagSource {
  readonly #vu: Vu;
  readonly #exchange: Exchange;
  readonly #facts: HopFacts;
  readonly #expected: boolean | null;

  constructor(vu: Vu, exchange: Exchange, facts: HopFacts, expected: boolean | null) {
    this.#vu = vu;
    this.#exchange = exchange;
    this.#facts = facts;
    this.#expected = expected;
  }

  tag(name: string): string | undefined {
    const exchange = this.#exchange;
    switch (name) {
      case "expected_response":
        return this.#expected === null ? undefined : String(this.#expected);
      case "phase":
        return this.#vu.run.clock.phaseAt(exchange.queuedNs);
      case "status":
        return String(exchange.status);
      case "method":
        return exchange.outgoing.method;
      case "url":
      case "name":
        return this.#facts.name ?? this.#facts.url;
      case "proto":
        return exchange.status === 0 ? "" : "HTTP/1.1";
      case "error":
        return exchange.error?.message;
      case "error_code":
        return exchange.error === null
          ? exchange.status >= 400
            ? String(statusErrorCode(exchange.status))
            : undefined
          : String(exchange.error.code);
      default:
        return this.#facts.tags?.[name] ?? this.#vu.tag(name);
    }
  }
}

/** One sample of each of k6's request metrics. */
export function recordExchange(vu: Vu, exchange: Exchange, facts: HopFacts): void {
  const { registry } = vu.run;
  const expected =
    facts.expected === null
      ? null
      : exchange.error === null && facts.expected.expects(exchange.status);
  const tags = new RequestTags(vu, exchange, facts, expected);
  const { timings } = facts;
  registry.httpReqs.add(1, tags);
  registry.httpReqDuration.add(timings.duration, tags);
  registry.httpReqBlocked.add(timings.blocked, tags);
  registry.httpReqConnecting.add(timings.connecting, tags);
  registry.httpReqTlsHandshaking.add(timings.tls_handshaking, tags);
  registry.httpReqSending.add(timings.sending, tags);
  registry.httpReqWaiting.add(timings.waiting, tags);
  registry.httpReqReceiving.add(timings.receiving, tags);
  if (expected !== null) registry.httpReqFailed.add(expected ? 0 : 1, tags);
}
