/** Opens a Hono application on a loopback port, with a listen backlog that a flash crowd does not fill. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";

type Fetch = (request: Request) => Response | Promise<Response>;

/** The kernel's own limit (net.core.somaxconn) is 4096 on current systems; Node's default of 511 refuses a crowd. */
const BACKLOG = 4_096;

/** A listening service; `close` refuses new connections and drops the idle ones. */
export interface Listening {
  readonly port: number;
  readonly server: Server;
  close(): void;
}

/** Listens on 127.0.0.1. `port` 0 takes a free one. Rejects when the port is taken. */
export async function listen(fetch: Fetch, port: number): Promise<Listening> {
  const answer = getRequestListener(fetch);
  const server = createServer(
    { keepAliveTimeout: 60_000 },
    (request, response) => void answer(request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port, backlog: BACKLOG }, resolve);
  });
  const address = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeIdleConnections();
  };
  return { port: address.port, server, close };
}
