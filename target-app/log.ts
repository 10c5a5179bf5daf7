/** The services' logs: JSON lines on stdout, with what could name or rob a person removed before it is written. */
import { pino, type DestinationStream, type Logger } from "pino";

export type Log = Logger;

/** Personal data and secrets by field name, at the top and one level down. */
const PRIVATE = [
  "name",
  "email",
  "phone",
  "identity_hash",
  "password",
  "token",
  "authorization",
  "secret",
];

/** A logger that names its service and run. Requests are logged at warn and worse; start-up and jobs at info. */
export function createLog(
  service: string,
  runId: string,
  destination: DestinationStream = pino.destination(1),
): Log {
  return pino(
    {
      level: "info",
      base: { service, run: runId },
      redact: { paths: PRIVATE.flatMap((field) => [field, `*.${field}`]), censor: "[private]" },
    },
    destination,
  );
}
