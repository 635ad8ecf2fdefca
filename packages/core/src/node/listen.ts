// Listening on what a bind address names, all or nothing.
import type { Server } from "node:net";
import type { Address } from "../model/address.ts";
import { GatewayError } from "../model/errors.ts";
import { type Bind, bindText } from "./bind.ts";

/** Settings of `listen`. */
export interface ListenOptions {
  /** Permission bits of a unix socket's file. @default 0o660 */
  mode?: number;
  /** Connections that may wait to be accepted. @default 511 */
  backlog?: number;
}

/** A server that listens. */
export interface Listening {
  /** What was asked for. */
  readonly bind: Bind;
  /** Where it really is: the port that was chosen for port 0. */
  readonly address: Address;
  /**
   * Stops accepting and removes the unix socket's file if it is still ours.
   * Settles at once; open connections are the server's business.
   */
  close(): Promise<void>;
}

/**
 * Makes a server (net, tls, http, http2: anything that is a `net.Server`) listen.
 *
 * @throws GatewayError `GW_BIND_IN_USE`, `GW_BIND_ACCESS`, `GW_BIND_ADDRESS`, `GW_BIND_PATH` or `GW_BIND_FAILED`, naming the address.
 */
export async function listen(server: Server, bind: Bind, { backlog = 511 }: ListenOptions = {}): Promise<Listening> {
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen({ ...target(bind), backlog }, () => {
      server.off("error", fail);
      done();
    });
  }).catch((error: NodeJS.ErrnoException) => {
    throw new GatewayError("GW_BIND_FAILED", 500, `cannot listen on ${bindText(bind)}: ${error.message}`, {
      cause: error,
    });
  });
  return {
    bind,
    address: addressOf(server),
    async close() {
      server.close();
    },
  };
}

/**
 * Makes several servers listen; when one fails, those before it are closed and its error is thrown.
 *
 * @param open makes the server for one bind address
 */
export async function listenAll(
  binds: readonly Bind[],
  open: (bind: Bind) => Server,
  options: ListenOptions = {},
): Promise<Listening[]> {
  const listening: Listening[] = [];
  try {
    for (const bind of binds) listening.push(await listen(open(bind), bind, options));
  } catch (error) {
    await Promise.all(listening.map((one) => one.close()));
    throw error;
  }
  return listening;
}

function target(bind: Bind): { host?: string; port?: number; path?: string; fd?: number } {
  if (bind.kind === "unix") return { path: bind.path };
  if (bind.kind === "fd") return { fd: bind.fd };
  return bind.host === null ? { port: bind.port } : { host: bind.host, port: bind.port };
}

function addressOf(server: Server): Address {
  const address = server.address();
  if (address === null || typeof address === "string") return { path: address ?? "" };
  return { host: address.address, port: address.port };
}
