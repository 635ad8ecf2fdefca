// Where an upstream is, as people write it: http://host:port/prefix, https://host, unix:/path.
import { type Address, parseAuthority, parseUpstreamAddress } from "@gw/core";
import { ProxyError } from "./proxy-error.ts";

/** An upstream and the place of the app on it. */
export interface ProxyTarget {
  /** The text it was made from. */
  readonly text: string;
  readonly isTls: boolean;
  readonly address: Address;
  /** Host and port as the Host field has them; `"localhost"` for a unix socket. */
  readonly authority: string;
  /** Raw path in front of every path that is asked for: `""` or `"/base"`. */
  readonly prefix: string;
}

const UNIX = /^(?:http:\/\/)?unix:(\/[^:?#\0]+)(?::(\/[^?#]*)?)?$/;

/**
 * Reads `"http://127.0.0.1:3000"`, `"https://app.internal/base"`, `"unix:/run/app.sock"`, `"unix:/run/app.sock:/base"`.
 *
 * @throws ProxyError `GW_PROXY_OPTION` naming what was found and what is allowed
 */
export function parseProxyTarget(text: string): ProxyTarget {
  const unix = UNIX.exec(text);
  if (unix !== null) {
    const address = parseUpstreamAddress(`unix:${unix[1]}`);
    return { text, isTls: false, address, authority: "localhost", prefix: prefixOf(unix[2] ?? "") };
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  const isTls = url?.protocol === "https:";
  const isPlain = url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!isPlain || (!isTls && url.protocol !== "http:") || !/^https?:\/\//i.test(text)) throw badTarget(text);
  try {
    const address = parseAuthority(url.host, isTls ? "https" : "http");
    return { text, isTls, address, authority: url.host, prefix: prefixOf(url.pathname) };
  } catch (cause) {
    throw badTarget(text, cause);
  }
}

function prefixOf(path: string): string {
  return path.replace(/\/+$/, "");
}

function badTarget(text: string, cause?: unknown): ProxyError {
  const allowed = '"http://host:port", "https://host/prefix" or "unix:/path"';
  // Passwords are written into URLs: nothing before an @ is repeated.
  const shown = text.replace(/\/\/[^/]*@/, "//***@");
  return new ProxyError("GW_PROXY_OPTION", `not an upstream: ${JSON.stringify(shown)}; expected ${allowed}`, { cause });
}
