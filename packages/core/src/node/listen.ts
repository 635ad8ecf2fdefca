// Listening on what a bind address names, all or nothing.
import type { Server } from "node:net";
import type { Address } from "../model/address.ts";
import { GatewayError, isGatewayError } from "../model/errors.ts";
import { type Bind, bindText } from "./bind.ts";
import { placeSocket } from "./unix-socket.ts";

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
   * Stops accepting and removes a unix socket's file if it is still ours.
   * Settles when the server accepts no more; open connections are the server's business.
   */
  close(): Promise<void>;
}

/**
 * Makes a server (net, tls, http, http2: anything that is a `net.Server`) listen.
 *
 * @throws GatewayError naming the address: `GW_BIND_IN_USE`, `GW_BIND_ACCESS`, `GW_BIND_ADDRESS` (not an address of
 *   this machine), `GW_BIND_PATH` (no place for a socket), `GW_BIND_FD`, `GW_BIND_FAILED`. The server can be used again.
 */
export async function listen(
  server: Server,
  bind: Bind,
  { mode = 0o660, backlog = 511 }: ListenOptions = {},
): Promise<Listening> {
  let release = (): void => {};
  try {
    if (bind.kind === "unix") {
      release = await placeSocket(bind.path, mode, (path) => listenOn(server, { path, backlog }));
    } else if (bind.kind === "fd") {
      await listenOn(server, { fd: bind.fd, backlog });
    } else {
      await listenOn(server, { port: bind.port, backlog, ...(bind.host !== null && { host: bind.host }) });
    }
  } catch (error) {
    if (server.listening) server.close();
    throw bindError(bind, error);
  }
  return {
    bind,
    address: bind.kind === "unix" ? { path: bind.path } : addressOf(server),
    close: async () => {
      release();
      if (server.listening) server.close();
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

function listenOn(server: Server, where: Parameters<Server["listen"]>[0] & object): Promise<void> {
  return new Promise((done, fail) => {
    const settle = (error?: Error): void => {
      server.off("error", settle);
      server.off("listening", settle);
      if (error === undefined) done();
      else fail(error);
    };
    server.once("error", settle);
    server.once("listening", settle);
    server.listen(where);
  });
}

function addressOf(server: Server): Address {
  const address = server.address();
  if (address === null || typeof address === "string") return { path: address ?? "" };
  return { host: address.address, port: address.port };
}

const REASONS: Readonly<Record<string, readonly [code: string, why: string]>> = {
  EADDRINUSE: ["GW_BIND_IN_USE", "the address is in use"],
  EACCES: ["GW_BIND_ACCESS", "permission denied"],
  EPERM: ["GW_BIND_ACCESS", "not permitted"],
  EROFS: ["GW_BIND_ACCESS", "the file system is read-only"],
  EADDRNOTAVAIL: ["GW_BIND_ADDRESS", "no network interface of this machine has this address"],
  EAFNOSUPPORT: ["GW_BIND_ADDRESS", "this machine does not have this kind of address"],
  ENOTFOUND: ["GW_BIND_ADDRESS", "the host name is not known"],
  EAI_AGAIN: ["GW_BIND_ADDRESS", "the host name could not be looked up"],
  ENOENT: ["GW_BIND_PATH", "there is no such directory"],
  ENOTDIR: ["GW_BIND_PATH", "its parent is not a directory"],
};

const NOT_A_LISTENER = ["GW_BIND_FD", "the descriptor is no bound socket"] as const;

/** The error of a bind as one clear line, with the address. */
export function bindError(bind: Bind, error: unknown): GatewayError {
  if (isGatewayError(error)) return error;
  const cause = error as NodeJS.ErrnoException;
  const known = bind.kind === "fd" ? NOT_A_LISTENER : REASONS[cause.code ?? ""];
  const [code, why] = known ?? ["GW_BIND_FAILED", cause.message];
  return new GatewayError(code, 500, `cannot listen on ${bindText(bind)}: ${why}`, { cause });
}
