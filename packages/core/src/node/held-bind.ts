// A listening address that this process holds for its workers, without ever accepting from it.
import * as net from "node:net";
import { getSystemErrorName } from "node:util";
import type { Address } from "../model/address.ts";
import type { Bind } from "./bind.ts";
import { bindError } from "./listen.ts";
import { placeSocket } from "./unix-socket.ts";

/**
 * An address bound by this process. Whoever is started with its descriptor listens on it (`fd://N`); while the
 * descriptor is held, connections wait in its queue, even at a moment when nobody accepts: none is lost.
 */
export interface HeldBind {
  readonly bind: Bind;
  /** Where it really is: the port that was chosen for port 0. */
  readonly address: Address;
  /** Our descriptor of it, to pass on. */
  readonly fd: number;
  /** Closes ours and removes a unix socket's file. */
  close(): void;
}

/**
 * Binds an address.
 *
 * @param mode permission bits of a unix socket's file
 * @throws GatewayError as `listen` does
 */
export async function holdBind(bind: Bind, { mode = 0o660 }: { mode?: number } = {}): Promise<HeldBind> {
  let release = (): void => {};
  let handle: BoundHandle | null = null;
  try {
    if (bind.kind === "unix") {
      release = await placeSocket(bind.path, mode, async (path) => {
        handle = bindOnly(path, -1, -1);
      });
    } else if (bind.kind === "fd") handle = bindOnly(null, 0, -1, bind.fd);
    else handle = bindPort(bind.host, bind.port);
  } catch (error) {
    (handle as BoundHandle | null)?.close();
    throw bindError(bind, error);
  }
  const bound = handle as unknown as BoundHandle;
  return {
    bind,
    address: bind.kind === "unix" ? { path: bind.path } : addressOf(bound),
    fd: bound.fd,
    close: () => {
      release();
      bound.close();
    },
  };
}

/** Holds several addresses; when one cannot be bound, those before it are closed and its error is thrown. */
export async function holdAllBinds(binds: readonly Bind[], options: { mode?: number } = {}): Promise<HeldBind[]> {
  const held: HeldBind[] = [];
  try {
    for (const bind of binds) held.push(await holdBind(bind, options));
  } catch (error) {
    for (const one of held) one.close();
    throw error;
  }
  return held;
}

/** A bound socket as Node's cluster module makes it for workers. */
export interface BoundHandle {
  readonly fd: number;
  close(): void;
  /** Of TCP sockets only. */
  getsockname?(out: { address?: string; port?: number }): number;
}

/**
 * Binds without listening: Node accepts from whatever it listens on.
 *
 * @param address path of a unix socket (with port and family -1), or an IP address
 * @throws the system's error
 */
export function bindOnly(address: string | null, port: number, family: 4 | 6 | -1, fd?: number): BoundHandle {
  type Make = (address: string | null, port: number, family: number, fd?: number) => BoundHandle | number;
  const { _createServerHandle: make } = net as unknown as { _createServerHandle?: Make };
  if (make === undefined) throw new Error("this version of Node cannot bind without listening");
  const handle = make(address, port, family, fd);
  if (typeof handle === "number") throw systemError(handle);
  if (handle.fd >= 0) return handle;
  handle.close();
  throw new Error("the socket has no descriptor");
}

/** `null`: every interface, IPv6 and IPv4 where there is IPv6. */
function bindPort(host: string | null, port: number): BoundHandle {
  if (host !== null) return bindFamily(host, port);
  try {
    return bindFamily("::", port);
  } catch (error) {
    if (!["EAFNOSUPPORT", "EINVAL", "EADDRNOTAVAIL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return bindFamily("0.0.0.0", port);
  }
}

function bindFamily(host: string, port: number): BoundHandle {
  const name = host === "localhost" ? "127.0.0.1" : host;
  const family = net.isIP(name);
  if (family === 0) throw Object.assign(new Error("no IP address"), { code: "ENOTFOUND" });
  const handle = bindOnly(name, port, family === 6 ? 6 : 4);
  if (portOf(handle) !== 0) return handle;
  handle.close();
  // libuv keeps this error until somebody listens; a socket without a port is one that could not be bound.
  throw Object.assign(new Error("the address is in use"), { code: "EADDRINUSE" });
}

function portOf(handle: BoundHandle): number {
  const found: { port?: number } = {};
  handle.getsockname?.(found);
  return found.port ?? 0;
}

function addressOf(handle: BoundHandle): Address {
  const found: { address?: string; port?: number } = {};
  handle.getsockname?.(found);
  if (found.port !== undefined) return { host: found.address ?? "", port: found.port };
  return { path: found.address ?? "" };
}

function systemError(errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(code), { code, errno });
}
