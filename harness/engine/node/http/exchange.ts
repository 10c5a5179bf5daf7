/**
 * One request and its answer on a lane: undici's dispatch handler, five clock readings, one timer. Everything that is
 * derived (headers, text, timings in ms) is left to whoever asks for it.
 */
import type { IncomingHttpHeaders } from "undici/types/header.d.ts";
import type { Dispatcher } from "undici";
import { monotonicNs } from "../../../determinism/clock.ts";
import {
  DIAL_TIMEOUT,
  REQUEST_TIMEOUT,
  refusalIn,
  sendErrorOf,
  isOwnLimit,
  type SendError,
} from "./error-codes.ts";
import type { ConnectTimes, Lane, LaneSet } from "./lane.ts";
import type { StampedeError } from "../../../errors.ts";

/** What goes over the wire. */
export interface Outgoing {
  readonly method: string;
  /** scheme://host:port */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** Name, value, name, value … */
  readonly headers: string[];
  readonly body: string | Buffer | null;
  readonly timeoutMs: number;
  readonly noReuse: boolean;
}

/** Whom an exchange tells what the run must know. */
export interface ExchangeListener {
  /** The address rule said no: the run ends. */
  refused(error: StampedeError): void;
  /** The generator's own machine ran out of sockets or ports. */
  ownLimit(): void;
  inFlight(change: 1 | -1): void;
}

export class Exchange implements Dispatcher.DispatchHandler {
  readonly outgoing: Outgoing;
  status = 0;
  statusText = "";
  headers: IncomingHttpHeaders = {};
  error: SendError | null = null;
  remoteIp = "";
  remotePort = 0;
  connect: ConnectTimes | null = null;
  readonly queuedNs: number;
  startNs = 0;
  sentNs = 0;
  firstByteNs = 0;
  endNs = 0;
  #chunks: Buffer[] | null = null;
  #chunk: Buffer | null = null;
  #settle: ((exchange: Exchange) => void) | null;
  #controller: Dispatcher.DispatchController | null = null;
  #timer: NodeJS.Timeout | null = null;
  readonly #lane: Lane;
  readonly #lanes: LaneSet;
  readonly #listener: ExchangeListener;

  constructor(
    lanes: LaneSet,
    outgoing: Outgoing,
    listener: ExchangeListener,
    settle: (exchange: Exchange) => void,
  ) {
    this.outgoing = outgoing;
    this.#settle = settle;
    this.#listener = listener;
    this.#lanes = lanes;
    this.#lane = lanes.take(outgoing.origin);
    this.#lane.exchange = this;
    this.queuedNs = monotonicNs();
  }

  go(): void {
    const { outgoing } = this;
    this.#listener.inFlight(1);
    if (outgoing.timeoutMs > 0) this.#timer = setTimeout(() => this.#timeOut(), outgoing.timeoutMs);
    // No origin: a Client has its own. The method's type is a closed list; k6 sends any token.
    const { method, path, headers, body } = outgoing;
    this.#lane.client.dispatch(
      outgoing.noReuse
        ? { method, path, headers, body, reset: true }
        : { method, path, headers, body },
      this,
    );
  }

  /** The body as it came; null when there was none. */
  get bytes(): Buffer | null {
    if (this.#chunks !== null) {
      this.#chunk = Buffer.concat(this.#chunks);
      this.#chunks = null;
    }
    return this.#chunk;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.startNs = monotonicNs();
    this.connect = this.#lane.takeConnectTimes();
    this.remoteIp = this.#lane.remoteIp;
    this.remotePort = this.#lane.remotePort;
  }

  onRequestSent(): void {
    this.sentNs = monotonicNs();
  }

  onResponseStarted(): void {
    this.firstByteNs = monotonicNs();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusText?: string,
  ): void {
    this.status = status;
    this.headers = headers;
    this.statusText = statusText ?? "";
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#chunks !== null) this.#chunks.push(chunk);
    else if (this.#chunk === null) this.#chunk = chunk;
    else this.#chunks = [this.#chunk, chunk];
  }

  onResponseEnd(): void {
    this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, cause: unknown): void {
    if (this.#settle === null) return;
    const refused = refusalIn(cause);
    if (refused !== null) {
      this.abandon();
      this.#listener.refused(refused);
      return;
    }
    if (isOwnLimit(cause)) this.#listener.ownLimit();
    this.#fail(sendErrorOf(cause));
  }

  /** Forgets the request: nobody will be told how it ends. The lane must be dropped by the caller. */
  abandon(): void {
    if (this.#settle === null) return;
    this.#settle = null;
    this.#release();
  }

  #timeOut(): void {
    this.#timer = null;
    const dialing = this.#controller === null && !this.#lane.connected;
    this.#fail(dialing ? DIAL_TIMEOUT : REQUEST_TIMEOUT);
  }

  /** A connection whose exchange failed is in no state to be used again. */
  #fail(error: SendError): void {
    this.error = error;
    this.status = 0;
    this.#chunk = null;
    this.#chunks = null;
    const settle = this.#settle;
    this.#settle = null;
    this.endNs = monotonicNs();
    this.#release();
    this.#lanes.drop(this.#lane);
    settle?.(this);
  }

  #finish(): void {
    const settle = this.#settle;
    if (settle === null) return;
    this.#settle = null;
    this.endNs = monotonicNs();
    this.#release();
    settle(this);
  }

  #release(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    this.#lane.exchange = null;
    this.#listener.inFlight(-1);
  }
}

/** Sends one request; settles when the answer is whole or an error is known, never rejects, stays open when abandoned. */
export function sendOnce(
  lanes: LaneSet,
  outgoing: Outgoing,
  listener: ExchangeListener,
): Promise<Exchange> {
  return new Promise((resolve) => {
    new Exchange(lanes, outgoing, listener, resolve).go();
  });
}
