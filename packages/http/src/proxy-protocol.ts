// The PROXY protocol, versions 1 and 2: who the client is, told by a load balancer before the first byte (R-H17).
// Specification: HAProxy's proxy-protocol.txt.
import { type Address, GatewayError, type TlsInfo } from "@gw/core";

/** What a PROXY header says. */
export interface ProxyHeader {
  /** Bytes of the header. */
  readonly lengthBytes: number;
  /** `null`: the connection is the proxy's own (a health check), or it does not know. */
  readonly client: Address | null;
  readonly local: Address | null;
  /** What the proxy says of the client's TLS; `null`: none. */
  readonly tls: TlsInfo | null;
}

/** Longest header we take: the addresses and a few further values. */
const MAX_BYTES = 4_096;
const MAX_LINE_BYTES = 107;
const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

/**
 * Reads the header at the start of a connection; `null`: more bytes are needed.
 *
 * @throws GatewayError `GW_HTTP_PROXY_HEADER` (400) if the bytes are none.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | null {
  const start = bytes.toString("latin1", 0, SIGNATURE.length);
  if (SIGNATURE.startsWith(start)) return start.length < SIGNATURE.length ? null : parseBinary(bytes);
  if ("PROXY ".startsWith(start.slice(0, 6))) return parseLine(bytes);
  throw bad("a listed proxy must start with a PROXY header");
}

function parseLine(bytes: Buffer): ProxyHeader | null {
  const end = bytes.indexOf("\r\n");
  if (end === -1) {
    if (bytes.length >= MAX_LINE_BYTES) throw bad("its line does not end");
    return null;
  }
  if (end + 2 > MAX_LINE_BYTES) throw bad("its line is too long");
  const [, family = "", source = "", target = "", sourcePort = "", targetPort = "", ...rest] = bytes
    .toString("latin1", 0, end)
    .split(" ");
  if (family === "UNKNOWN") return { lengthBytes: end + 2, client: null, local: null, tls: null };
  if ((family !== "TCP4" && family !== "TCP6") || rest.length > 0) throw bad("its line is malformed");
  return {
    lengthBytes: end + 2,
    client: lineAddress(family, source, sourcePort),
    local: lineAddress(family, target, targetPort),
    tls: null,
  };
}

function lineAddress(family: "TCP4" | "TCP6", host: string, port: string): Address {
  const isHost =
    family === "TCP4"
      ? /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host)
      : /^[0-9a-fA-F:.]{2,39}$/.test(host) && host.includes(":");
  if (!isHost || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw bad("an address in its line is malformed");
  return { host: host.toLowerCase(), port: Number(port) };
}

function parseBinary(bytes: Buffer): ProxyHeader | null {
  if (bytes.length < 16) return null;
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13) >> 4;
  const lengthBytes = 16 + bytes.readUInt16BE(14);
  if (command !== 0x20 && command !== 0x21) throw bad("its version or command is unknown");
  if (lengthBytes > MAX_BYTES) throw bad("it is too long");
  if (bytes.length < lengthBytes) return null;
  const body = bytes.subarray(16, lengthBytes);
  if (command === 0x20) return { lengthBytes, client: null, local: null, tls: null };
  const size = ADDRESS_BYTES[family];
  if (size === undefined) return { lengthBytes, client: null, local: null, tls: null };
  if (body.length < size) throw bad("it is too short for its addresses");
  const tls = tlsOf(valuesOf(body.subarray(size)));
  if (family === UNIX) return { lengthBytes, client: { path: "" }, local: { path: "" }, tls };
  const width = family === IPV4 ? 4 : 16;
  const address = (at: number, portAt: number): Address => ({
    host: width === 4 ? ipv4(body, at) : ipv6(body, at),
    port: body.readUInt16BE(portAt),
  });
  return { lengthBytes, client: address(0, width * 2), local: address(width, width * 2 + 2), tls };
}

const IPV4 = 1;
const UNIX = 3;
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 12, 2: 36, 3: 216 };

function ipv4(bytes: Buffer, at: number): string {
  return [...bytes.subarray(at, at + 4)].join(".");
}

function ipv6(bytes: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(at + n * 2).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1); // shortened as RFC 5952 says
}

const TYPE_AUTHORITY = 0x02;
const TYPE_SSL = 0x20;
const SSL_VERSION = 0x21;
const SSL_CIPHER = 0x23;

function valuesOf(bytes: Buffer): Map<number, Buffer> {
  const values = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 3) throw bad("a value in it is cut off");
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) throw bad("a value in it is cut off");
    values.set(bytes.readUInt8(at), bytes.subarray(at + 3, end));
    at = end;
  }
  return values;
}

function tlsOf(values: ReadonlyMap<number, Buffer>): TlsInfo | null {
  const ssl = values.get(TYPE_SSL);
  if (ssl === undefined || ssl.length < 5 || (ssl.readUInt8(0) & 1) === 0) return null;
  const inner = valuesOf(ssl.subarray(5));
  return {
    version: inner.get(SSL_VERSION)?.toString("latin1") ?? "",
    cipher: inner.get(SSL_CIPHER)?.toString("latin1") ?? "",
    serverName: values.get(TYPE_AUTHORITY)?.toString("latin1") ?? null,
    peerCertificates: () => [],
  };
}

function bad(message: string): GatewayError {
  return new GatewayError("GW_HTTP_PROXY_HEADER", 400, `PROXY header: ${message}`);
}
