// Bind addresses as people write them: host:port, unix:/path, fd://N.
import { resolve } from "node:path";
import { GatewayError } from "../model/errors.ts";

/** Where to listen. */
export type Bind =
  /** `host: null`: every interface. `port: 0`: any free port. */
  | { readonly kind: "tcp"; readonly host: string | null; readonly port: number }
  /** An absolute path. */
  | { readonly kind: "unix"; readonly path: string }
  /** A descriptor we inherited: a socket that is bound already, and may be listening. */
  | { readonly kind: "fd"; readonly fd: number };

const ALLOWED = '"127.0.0.1:8000", "[::1]:8000", ":8000" (every interface), "8000", "unix:/path" or "fd://3"';

/**
 * Reads a bind address.
 *
 * A port alone means 127.0.0.1; a colon and a port mean every interface.
 *
 * @throws GatewayError `GW_BIND` naming what was found and what is allowed.
 */
export function parseBind(text: string): Bind {
  const value = text.trim();
  if (value.startsWith("unix:")) return unixBind(value.slice(5), text);
  const descriptor = /^fd:(?:\/\/)?(\d{1,7})$/.exec(value);
  if (descriptor !== null) return { kind: "fd", fd: Number(descriptor[1]) };
  const found = /^(?:(?<host>\[[^[\]]+\]|[^:[\]/\s]*)(?<colon>:))?(?<port>\d{1,5})$/.exec(value)?.groups;
  const port = Number(found?.port);
  if (found === undefined || port > 65_535) throw badBind(text);
  if (found.colon === undefined) return { kind: "tcp", host: "127.0.0.1", port };
  const host = (found.host ?? "").replace(/^\[|\]$/g, "");
  return { kind: "tcp", host: host === "" || host === "*" ? null : host, port };
}

function unixBind(rest: string, text: string): Bind {
  const path = rest.startsWith("//") ? rest.slice(2) : rest; // both unix:/path and unix:///path are in use
  if (path === "" || path.includes("\0")) throw badBind(text);
  return { kind: "unix", path: resolve(path) };
}

function badBind(text: string): GatewayError {
  return new GatewayError("GW_BIND", 500, `not an address to bind to: ${JSON.stringify(text)}; expected ${ALLOWED}`);
}

/** A bind address as text that `parseBind` reads back. */
export function bindText(bind: Bind): string {
  if (bind.kind === "unix") return `unix:${bind.path}`;
  if (bind.kind === "fd") return `fd://${bind.fd}`;
  const host = bind.host ?? "";
  return `${host.includes(":") ? `[${host}]` : host}:${bind.port}`;
}
