// Where a mount or a condition applies: a path prefix by whole segments, a host, or both.
import { toBytes } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";
import type { RequestHead } from "../model/request.ts";

/** A parsed place. */
export interface Place {
  /** The text it was made from. */
  readonly text: string;
  /** Host in lower case, without the `*.`; `null`: any host. */
  readonly host: string | null;
  /** Whether it means every name below `host`, but not `host` itself. */
  readonly isWildcard: boolean;
  /** `""` or `"/app"`: a byte string without trailing slash. */
  readonly path: string;
}

/**
 * Reads a place: `/app`, `admin.example.com`, `*.example.com`, `admin.example.com/app`, or `/` for everywhere.
 *
 * It is text: `/안녕`, not its percent-encoding. Hosts count without a port; IPv6 stands in brackets.
 *
 * @throws GatewayError `GW_PLACE` for anything else.
 */
export function parsePlace(text: string): Place {
  const slash = text.indexOf("/");
  const hostText = slash === -1 ? text : text.slice(0, slash);
  const path = slash === -1 ? "" : text.slice(slash).replace(/\/$/, "");
  if (text === "") throw badPlace(text, "it is empty");
  if (/[\u0000-\u001f\u007f?#]/.test(path)) throw badPlace(text, "a path has no control character, ? or #");
  if (/\/(?=\/|\.\.?(?:\/|$))/.test(path)) throw badPlace(text, "a path has no empty, . or .. segment");
  if (hostText === "") return { text, host: null, isWildcard: false, path: toBytes(path) };
  const isWildcard = hostText.startsWith("*.");
  const host = (isWildcard ? hostText.slice(2) : hostText).toLowerCase().replace(/^\[([0-9a-f:.]+)\]$/, "$1");
  if (!HOST.test(host)) throw badPlace(text, "a host is a name like admin.example.com, without scheme and port");
  return { text, host, isWildcard, path: toBytes(path) };
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*|[0-9a-f:.]*:[0-9a-f:.]*)$/;

/** Whether a request's host (`hostOf`) is in the place. */
export function isInHost(place: Place, host: string): boolean {
  if (place.host === null) return true;
  if (!place.isWildcard) return host === place.host;
  const below = host.length - place.host.length - 1;
  return below > 0 && host.charCodeAt(below) === DOT && host.endsWith(place.host);
}

const DOT = 0x2e;

/** The host a request is for: lower case, no port; `""` when the carrier knows none. */
export function hostOf({ server }: Pick<RequestHead, "server">): string {
  return "host" in server ? server.host.toLowerCase() : "";
}

/** Orders places by how much they say: exact hosts, then wildcards, then none; within them the longest path first. */
export function comparePlaces(a: Place, b: Place): number {
  return rank(a) - rank(b) || (b.host?.length ?? 0) - (a.host?.length ?? 0) || b.path.length - a.path.length;
}

function rank({ host, isWildcard }: Place): number {
  if (host === null) return 2;
  return isWildcard ? 1 : 0;
}

function badPlace(text: string, why: string): GatewayError {
  return new GatewayError(
    "GW_PLACE",
    500,
    `expected a place such as /app or admin.example.com/app, found ${JSON.stringify(text)}: ${why}`,
  );
}
