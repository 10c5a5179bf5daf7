/** The one closed family of errors: what was expected, what came, what to do, and the exit code it means. */

/** The exit codes of design.md §5; k6's where k6 has one. */
export const EXIT = {
  pass: 0,
  threshold: 99,
  setupTimeout: 100,
  teardownTimeout: 101,
  invalidConfiguration: 104,
  interrupted: 105,
  scriptException: 107,
  testAbort: 108,
  internal: 109,
  testFail: 110,
  invariantViolated: 111,
  inconclusive: 112,
  regression: 113,
  unsafe: 114,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Several at once: the first of this list that applies is the exit code. */
export const EXIT_PRECEDENCE: readonly ExitCode[] = [
  114, 109, 105, 108, 107, 100, 101, 111, 110, 99, 113, 112, 104, 0,
];

export type ErrorCode =
  | "configuration" // bad flags, missing files, wrong types in a scenario: nothing was started
  | "script" // the user's script threw where k6 exits 107
  | "setup-timeout"
  | "teardown-timeout"
  | "environment" // PostgreSQL, a port, a disk, a child process: the world did not do its part
  | "address-refused" // a request to an address the safety rules do not allow
  | "interrupted"
  | "unsafe"
  | "internal";

const EXIT_OF: Record<ErrorCode, ExitCode> = {
  configuration: EXIT.invalidConfiguration,
  script: EXIT.scriptException,
  "setup-timeout": EXIT.setupTimeout,
  "teardown-timeout": EXIT.teardownTimeout,
  environment: EXIT.internal,
  "address-refused": EXIT.invalidConfiguration,
  interrupted: EXIT.interrupted,
  unsafe: EXIT.unsafe,
  internal: EXIT.internal,
};

/**
 * Every error stampede throws on purpose. `message` says what was expected and what came (with file:line where there
 * is one); `hint` says what to do about it.
 */
export class StampedeError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; exitCode?: ExitCode } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "StampedeError";
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? EXIT_OF[code];
  }
}

/** The sentence of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
