/**
 * One connection slot of one VU to one origin: an undici Client without pipelining, and the exchange on it, if any.
 * A VU asks for an idle lane, so requests never queue behind each other; a second lane is made when a batch needs it.
 */
import type { Socket } from "node:net";
import { buildConnector, Client } from "undici";
import { monotonicNs } from "../../../determinism/clock.ts";
import type { AddressRule } from "./address-rule.ts";
import type { Exchange } from "./exchange.ts";

/** k6's dialer waits this long for a connection. */
const DIAL_TIMEOUT_MS = 30_000;
/** A response body beyond this ends in an error instead of filling the memory. */
const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;

/** How the connection of a lane came about, in ns; reported with the first exchange on it only. */
export interface ConnectTimes {
  readonly lookupNs: number;
  readonly connectNs: number;
  readonly tlsNs: number;
}

const NO_CONNECT: ConnectTimes = { lookupNs: 0, connectNs: 0, tlsNs: 0 };

/** What all lanes of a run share. */
export interface LaneSettings {
  readonly rule: AddressRule;
  readonly connect: buildConnector.connector;
  /** Bytes of connections that are gone already. */
  readonly onBytes: (sent: number, received: number) => void;
}

/** The connector of a run: undici's own, with the address rule as its resolver. */
export function laneSettings(
  rule: AddressRule,
  insecureSkipTLSVerify: boolean,
  onBytes: LaneSettings["onBytes"],
): LaneSettings {
  const connect = buildConnector({
    allowH2: false,
    timeout: DIAL_TIMEOUT_MS,
    lookup: rule.lookup,
    rejectUnauthorized: !insecureSkipTLSVerify,
  });
  return { rule, connect, onBytes };
}

export class Lane {
  readonly origin: string;
  readonly client: Client;
  exchange: Exchange | null = null;
  dead = false;
  remoteIp = "";
  remotePort = 0;
  readonly #settings: LaneSettings;
  #socket: Socket | null = null;
  #connectTimes: ConnectTimes = NO_CONNECT;
  #sent = 0;
  #received = 0;

  constructor(origin: string, settings: LaneSettings) {
    this.origin = origin;
    this.#settings = settings;
    // Timers of our own end a request as a whole; the client's would count header and body time apart.
    this.client = new Client(origin, {
      connect: (options, callback) => this.#connect(options, callback),
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_RESPONSE_BYTES,
      pipelining: 1,
    });
  }

  get connected(): boolean {
    return this.#socket !== null && !this.#socket.connecting;
  }

  /** The times of the connect this exchange waited for; zeros when the connection stood already. */
  takeConnectTimes(): ConnectTimes {
    const times = this.#connectTimes;
    this.#connectTimes = NO_CONNECT;
    return times;
  }

  #connect(options: buildConnector.Options, callback: buildConnector.Callback): void {
    try {
      this.#settings.rule.checkLiteral(options.hostname);
    } catch (refused) {
      callback(refused as Error, null);
      return;
    }
    const beganNs = monotonicNs();
    let resolvedNs = beganNs;
    let connectedNs = 0;
    // buildConnector returns the socket at once, which its declaration does not tell; it is needed to give up on it.
    const socket = this.#settings.connect(options, (error, ready) => {
      if (error !== null || ready === null) {
        this.#socket = null;
        callback(error ?? new Error("no socket"), null);
        return;
      }
      const nowNs = monotonicNs();
      // Without TLS this runs before the listener below hears of the connection.
      if (connectedNs === 0) connectedNs = nowNs;
      this.#connectTimes = {
        lookupNs: resolvedNs - beganNs,
        connectNs: connectedNs - resolvedNs,
        tlsNs: options.protocol === "https:" ? nowNs - connectedNs : 0,
      };
      this.remoteIp = ready.remoteAddress ?? "";
      this.remotePort = ready.remotePort ?? 0;
      callback(null, ready);
    }) as unknown as Socket;
    this.#socket = socket;
    this.#sent = 0;
    this.#received = 0;
    socket.once("lookup", () => (resolvedNs = monotonicNs()));
    socket.once("connect", () => (connectedNs = monotonicNs()));
    socket.once("close", () => this.#closed(socket));
  }

  #closed(socket: Socket): void {
    this.#countBytes(socket);
    if (this.#socket === socket) this.#socket = null;
  }

  #countBytes(socket: Socket): void {
    const sent = socket.bytesWritten;
    const received = socket.bytesRead;
    if (sent > this.#sent || received > this.#received)
      this.#settings.onBytes(sent - this.#sent, received - this.#received);
    this.#sent = sent;
    this.#received = received;
  }

  /** Reports the bytes since the last call. */
  countBytes(): void {
    if (this.#socket !== null) this.#countBytes(this.#socket);
  }

  /** Gives the connection up at once, also one that is still being made; resolves when it is closed. */
  async close(): Promise<void> {
    if (this.dead) return;
    this.dead = true;
    const socket = this.#socket;
    const closed = this.client.destroy(null);
    if (socket !== null) {
      socket.on("error", () => undefined);
      socket.destroy();
    }
    await closed;
  }
}

/** The lanes of one VU. */
export class LaneSet {
  readonly #settings: () => LaneSettings;
  #lanes: Lane[] = [];

  /** @param settings asked for at each new lane: options are read after the first VU is made */
  constructor(settings: () => LaneSettings) {
    this.#settings = settings;
  }

  /** An idle lane to the origin; made when there is none. */
  take(origin: string): Lane {
    for (const lane of this.#lanes)
      if (lane.exchange === null && !lane.dead && lane.origin === origin) return lane;
    const lane = new Lane(origin, this.#settings());
    this.#lanes.push(lane);
    return lane;
  }

  drop(lane: Lane): void {
    void lane.close();
    this.#lanes = this.#lanes.filter((other) => other !== lane);
  }

  countBytes(): void {
    for (const lane of this.#lanes) lane.countBytes();
  }

  /** Ends every exchange without telling anybody; its script has been given up. */
  abandon(): void {
    for (const lane of this.#lanes) {
      if (lane.exchange === null) continue;
      lane.exchange.abandon();
      this.drop(lane);
    }
  }

  async close(): Promise<void> {
    const lanes = this.#lanes;
    this.#lanes = [];
    for (const lane of lanes) lane.exchange?.abandon();
    await Promise.all(lanes.map(async (lane) => lane.close()));
  }
}
