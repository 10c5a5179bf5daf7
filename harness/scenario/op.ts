/**
 * Records an operation, on every engine: what the customer wanted, what was sent, and what is known of its effect.
 * This file is the pure part; an engine gives it the clock and the recorder.
 */
import { READ_KINDS, type Outcome } from "../history/operation.ts";

/** What a scenario says of one operation. */
export interface OpSpec {
  readonly kind: string;
  /** The logical wish, its idempotency key; a retry repeats it with a higher attempt. */
  readonly intent: string;
  readonly attempt?: number;
  readonly request?: Readonly<Record<string, unknown>>;
  /** Error words of the service that are a final, correct refusal: "sold_out", "coupon_not_available" … */
  readonly refusals?: readonly string[];
}

/** The part of k6's Response that the classification looks at. */
export interface OpAnswer {
  readonly status: number;
  readonly error: string;
  readonly error_code: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Classified {
  readonly outcome: Outcome;
  readonly final: boolean;
  readonly error: string;
  readonly response: Readonly<Record<string, unknown>>;
}

const jsonBody = (body: unknown): Record<string, unknown> => {
  if (typeof body !== "string" || !body.startsWith("{")) return {};
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
};

/** k6's error codes for "nothing was sent": DNS (11xx), dial time-out (1211), refused (1212), TLS before the request (13xx). */
const neverSent = (code: number): boolean =>
  (code >= 1100 && code < 1200) || code === 1211 || code === 1212 || (code >= 1300 && code < 1400);

function effect(spec: OpSpec, answer: OpAnswer): Outcome {
  const read = READ_KINDS.has(spec.kind);
  const { status } = answer;
  if (status >= 200 && status < 300) return "ok";
  if (read) return "fail";
  if (status === 0) return neverSent(answer.error_code) ? "fail" : "info";
  if ((status === 429 || status === 503) && answer.headers["Retry-After"] !== undefined)
    return "fail";
  if (status >= 500 || status === 408 || status === 425 || status === 499) return "info";
  if (status === 409 && answer.headers["Retry-After"] !== undefined) return "info"; // in flight: another attempt holds the key
  return "fail";
}

/** design.md §6: ok took effect, fail surely did not, info nobody knows; reads are never info. */
export function classify(spec: OpSpec, answer: OpAnswer): Classified {
  const response = jsonBody(answer.body);
  const outcome = effect(spec, answer);
  const word = typeof response["error"] === "string" ? response["error"] : "";
  const error =
    outcome === "ok"
      ? ""
      : word ||
        (answer.status === 0
          ? answer.error_code === 1050
            ? "timeout"
            : answer.error || "network"
          : `http ${answer.status}`);
  return {
    outcome,
    error,
    response,
    final: outcome === "ok" || (outcome === "fail" && spec.refusals?.includes(word) === true),
  };
}
