/** k6's error codes and messages for what can go wrong between us and a server. */
import { StampedeError } from "../../../errors.ts";

export interface SendError {
  readonly code: number;
  readonly message: string;
}

export const REQUEST_TIMEOUT: SendError = { code: 1050, message: "request timeout" };
/** The time was over before a connection stood: nothing was sent. */
export const DIAL_TIMEOUT: SendError = { code: 1211, message: "dial: i/o timeout" };

const BY_CODE: Readonly<Record<string, SendError>> = {
  ENOTFOUND: { code: 1101, message: "lookup: no such host" },
  EAI_AGAIN: { code: 1100, message: "lookup: temporary failure in name resolution" },
  ECONNREFUSED: { code: 1212, message: "dial: connection refused" },
  ETIMEDOUT: DIAL_TIMEOUT,
  UND_ERR_CONNECT_TIMEOUT: DIAL_TIMEOUT,
  EHOSTUNREACH: { code: 1213, message: "dial: no route to host" },
  ENETUNREACH: { code: 1213, message: "dial: network is unreachable" },
  EADDRNOTAVAIL: { code: 1213, message: "dial: cannot assign requested address" },
  EMFILE: { code: 1213, message: "dial: too many open files" },
  ENFILE: { code: 1213, message: "dial: too many open files in system" },
  EPIPE: { code: 1201, message: "write: broken pipe" },
  ECONNRESET: { code: 1220, message: "read: connection reset by peer" },
  UND_ERR_SOCKET: { code: 1000, message: "EOF" },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { code: 1000, message: "unexpected EOF" },
  UND_ERR_RES_EXCEEDED_MAX_SIZE: {
    code: 1000,
    message: "the response is larger than the engine's limit",
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    code: 1310,
    message: "x509: certificate signed by unknown authority",
  },
  SELF_SIGNED_CERT_IN_CHAIN: {
    code: 1310,
    message: "x509: certificate signed by unknown authority",
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    code: 1310,
    message: "x509: certificate signed by unknown authority",
  },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    code: 1310,
    message: "x509: certificate signed by unknown authority",
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    code: 1311,
    message: "x509: certificate is not valid for the host",
  },
};

/** Errors of the generator's own machine: they say that the load, not the service, has reached a limit. */
const OWN_LIMITS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "EADDRNOTAVAIL", "ENOBUFS"]);

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : "";

const innerOf = (error: unknown): unknown => {
  if (error instanceof AggregateError)
    return error.errors.find((inner) => codeOf(inner) !== "") ?? error;
  return error instanceof Error && error.cause !== undefined && !(codeOf(error) in BY_CODE)
    ? error.cause
    : error;
};

/** k6's code and message of anything a connection or a parser threw. */
export function sendErrorOf(error: unknown): SendError {
  const inner = innerOf(error);
  const code = codeOf(inner);
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  const message = inner instanceof Error ? inner.message : String(inner);
  if (
    code.startsWith("ERR_SSL") ||
    code.startsWith("ERR_TLS") ||
    code === "EPROTO" ||
    code.startsWith("CERT_")
  )
    return { code: 1300, message };
  return { code: 1000, message };
}

/** Whether the generator's own machine had no socket, port or buffer left. */
export function isOwnLimit(error: unknown): boolean {
  return OWN_LIMITS.has(codeOf(innerOf(error)));
}

/** The refusal inside an error, if the address rule made it. */
export function refusalIn(error: unknown): StampedeError | null {
  const seen = [error, innerOf(error), error instanceof Error ? error.cause : undefined];
  return (
    seen.find(
      (item): item is StampedeError =>
        item instanceof StampedeError && item.code === "address-refused",
    ) ?? null
  );
}

/** k6's error_code of an answer: 1404 for 404, 1503 for 503, 0 below 400. */
export function statusErrorCode(status: number): number {
  return status >= 400 ? 1000 + status : 0;
}
