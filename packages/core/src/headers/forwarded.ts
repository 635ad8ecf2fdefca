// What listed proxies say of the client: X-Forwarded-* and Forwarded (RFC 7239). Nobody else is believed (R-H17).
import type { Address } from "../model/address.ts";
import type { HeaderList } from "../model/headers.ts";
import { parseAuthority } from "../target/authority.ts";
import type { PeerList } from "../target/peer-list.ts";
import { foldedNames, foldName } from "./folded-names.ts";
import { parseForwarded, parseNode } from "./forwarded-field.ts";

/** Whom to believe, and what. */
export interface ForwardedTrust {
  /** The proxies, from `peerList(["127.0.0.1", "10.0.0.0/8", "unix"])`. */
  readonly proxies: PeerList;
  /**
   * Names, in lower case, of the fields that each of these proxies sets itself on every request. Read are
   * `x-forwarded-for`, `-proto`, `-host`, `-port` and `forwarded`; others are only let pass. A field that a proxy
   * hands on unchanged is the client's word: nginx hands on `Forwarded` and `X-Forwarded-Host` unless told otherwise.
   * @default ["x-forwarded-for", "x-forwarded-proto"]
   */
  readonly fields?: readonly string[];
}

/** What was read; `null` where nothing was said. */
export interface Forwarded {
  /** The client: the first address from the right that is not a proxy's. The peer itself if nothing was said. Port 0: not known. */
  readonly client: Address | null;
  readonly scheme: "http" | "https" | null;
  /** Host and port as the client sent them, well-formed; for `parseAuthority`. */
  readonly authority: string | null;
  /** The fields without the forwarding fields that do not count. */
  readonly headers: HeaderList;
}

/**
 * Reads the forwarding fields of a request.
 *
 * From a peer that is not listed they are removed, in every spelling; so are, from a listed one, those not in
 * `trust.fields`. Lists are read from the right, where the nearest proxy wrote, as far as the proxies are listed.
 *
 * @throws GatewayError `GW_BAD_AUTHORITY` (400) if a listed proxy hands on a malformed host.
 */
export function readForwarded(headers: HeaderList, peer: Address | null, trust: ForwardedTrust): Forwarded {
  const fields = trust.proxies.includes(peer) ? (trust.fields ?? DEFAULT_FIELDS) : NO_FIELDS;
  const kept = withoutForwarding(headers, fields);
  if (fields.length === 0) return { client: peer, scheme: null, authority: null, headers: kept };
  const standard = fields.includes("forwarded") ? kept.get("forwarded") : null;
  const read = standard === null ? readXForwarded(kept, peer, trust) : readStandard(standard, peer, trust);
  if (read.authority !== null) parseAuthority(read.authority, read.scheme ?? "http");
  return { ...read, headers: kept };
}

type Read = Omit<Forwarded, "headers">;

const DEFAULT_FIELDS: readonly string[] = ["x-forwarded-for", "x-forwarded-proto"];
const NO_FIELDS: readonly string[] = [];

function withoutForwarding(headers: HeaderList, kept: readonly string[]): HeaderList {
  const flat = headers.toFlat();
  for (let at = 0; at < flat.length; at += 2) {
    if (isForwarding(flat[at] as string)) {
      return headers.filter((name) => !isForwarding(name) || kept.includes(name.toLowerCase()));
    }
  }
  return headers;
}

/** What proxies use besides `X-Forwarded-…` to say who asked, and how. */
const isOtherForwarding = foldedNames([
  "Forwarded",
  "X-Real-IP",
  "X-Client-IP",
  "True-Client-IP",
  "X-Url-Scheme",
  "Front-End-Https",
]);

const PREFIX = "x-forwarded-";

function isForwarding(name: string): boolean {
  if ((name.charCodeAt(0) | 0x20) === 0x78 && name.length > PREFIX.length && (name.charCodeAt(2) | 0x20) === 0x66) {
    return foldName(name).startsWith(PREFIX);
  }
  return isOtherForwarding(name);
}

function readXForwarded(headers: HeaderList, peer: Address | null, trust: ForwardedTrust): Read {
  const hops = listOf(headers, "x-forwarded-for");
  const { client, depth } = walk(hops, peer, trust.proxies);
  const one = (name: string): string | null => pick(listOf(headers, name), hops.length, depth);
  const host = one("x-forwarded-host");
  const port = one("x-forwarded-port");
  const named = host ?? (port === null ? null : headers.get("host"));
  const authority = named !== null && port !== null && !HAS_PORT.test(named) ? `${named}:${port}` : named;
  return { client, scheme: toScheme(one("x-forwarded-proto")), authority };
}

const HAS_PORT = /:[0-9]*$/;

function readStandard(value: string, peer: Address | null, trust: ForwardedTrust): Read {
  const elements = parseForwarded(value);
  const { client, depth } = walk(
    elements.map((element) => element.get("for") ?? "unknown"),
    peer,
    trust.proxies,
  );
  const element = elements.at(-Math.max(depth, 1));
  return { client, scheme: toScheme(element?.get("proto") ?? null), authority: element?.get("host") ?? null };
}

/** Goes from the right as long as the address at hand is a listed proxy's; `depth` is how many entries it believed. */
function walk(
  hops: readonly string[],
  peer: Address | null,
  proxies: PeerList,
): { client: Address | null; depth: number } {
  let client = peer;
  let depth = 0;
  while (depth < hops.length && proxies.includes(client)) {
    const address = parseNode(hops[hops.length - 1 - depth] as string);
    if (address === null) break; // "unknown", or nonsense: the proxy that says so is the last we know
    client = address;
    depth++;
  }
  return { client, depth };
}

/** The entry of the proxy that saw the client: at its place if each proxy added one, else the nearest proxy's. */
function pick(values: readonly string[], hops: number, depth: number): string | null {
  return values.at(values.length === hops && depth > 0 ? -depth : -1) ?? null;
}

function listOf(headers: HeaderList, name: string): string[] {
  const value = headers.get(name);
  if (value === null) return [];
  // RFC 9110 §5.6.1.2: empty entries count for nothing.
  return value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

function toScheme(value: string | null): "http" | "https" | null {
  const lower = value?.toLowerCase();
  if (lower === "https" || lower === "wss") return "https";
  return lower === "http" || lower === "ws" ? "http" : null;
}
