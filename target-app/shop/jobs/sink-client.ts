/** The worker's line to the providers of SMS, e-mail and push. */
import { Pool as HttpPool } from "undici";

const CONNECTIONS_MAX = 16;
const TIMEOUT_MS = 5_000;

export interface Message {
  /** The sink takes a message once by this. */
  readonly id: string;
  readonly user_id: string;
  readonly ref_kind: string;
  readonly ref: string;
  /** When the thing it tells of was committed, µs. */
  readonly event_at_us?: number;
  readonly template: string;
  readonly reason: string;
  readonly channel: string;
}

export interface SinkClient {
  /** Throws when the sink did not take them all. */
  send(messages: readonly Message[]): Promise<void>;
  close(): Promise<void>;
}

export function openSink(url: string, token: string): SinkClient {
  const http = new HttpPool(url, {
    connections: CONNECTIONS_MAX,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  return {
    send: async (messages) => {
      const answer = await http.request({
        path: "/messages",
        method: "POST",
        headers,
        body: JSON.stringify({ messages }),
      });
      await answer.body.dump();
      if (answer.statusCode !== 200)
        throw new Error(
          `expected the sink to take ${messages.length} messages, but it answered ${answer.statusCode}`,
        );
    },
    close: () => http.destroy(),
  };
}
