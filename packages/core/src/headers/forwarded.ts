// What listed proxies say of the client: X-Forwarded-* and Forwarded (RFC 7239). From nobody else (R-H17).
import type { Address } from "../model/address.ts";
import type { HeaderList } from "../model/headers.ts";
import type { PeerList } from "../target/peer-list.ts";

/** A field that proxies can be trusted with. */
export type ForwardedField =
  | "x-forwarded-for"
  | "x-forwarded-proto"
  | "x-forwarded-host"
  | "x-forwarded-port"
  | "forwarded";

/** Whom to believe, and what. */
export interface ForwardedTrust {
  /** The proxies, from `peerList(["127.0.0.1", "10.0.0.0/8", "unix"])`. */
  readonly proxies: PeerList;
  /**
   * Fields that each of these proxies sets itself on every request. A field that a proxy only passes on is the
   * client's word: nginx passes `Forwarded` and `X-Forwarded-Host` on unless told otherwise.
   * @default ["x-forwarded-for", "x-forwarded-proto"]
   */
  readonly fields?: readonly ForwardedField[];
}

/** What was read; `null` where nothing was said. */
export interface Forwarded {
  /** The client; the peer itself if it is not listed or said nothing. Port 0: not known. */
  readonly client: Address | null;
  readonly scheme: "http" | "https" | null;
  /** Host and port as the client sent them, checked; for `parseAuthority`. */
  readonly authority: string | null;
  /** The fields without all forwarding fields that do not count. */
  readonly headers: HeaderList;
}

/** Reads the forwarding fields of a request from its peer. */
export function readForwarded(headers: HeaderList, peer: Address | null, trust: ForwardedTrust): Forwarded {
  void trust;
  return { client: peer, scheme: null, authority: null, headers };
}
