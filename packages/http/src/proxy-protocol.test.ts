import { cutsOf } from "@gw/core/testing";
import { expect, test } from "vitest";
import { parseProxyHeader } from "./proxy-protocol.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const line = (text: string): Buffer => Buffer.from(`${text}\r\n`);

const headers: [string, Buffer, object][] = [
  [
    "TCP4",
    line("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443"),
    { client: { host: "192.0.2.1", port: 56324 }, local: { host: "198.51.100.2", port: 443 }, tls: null },
  ],
  [
    "TCP6",
    line("PROXY TCP6 2001:DB8::1 ::1 1 65535"),
    { client: { host: "2001:db8::1", port: 1 }, local: { host: "::1", port: 65535 } },
  ],
  ["UNKNOWN", line("PROXY UNKNOWN"), { client: null, local: null }],
  [
    "UNKNOWN with more",
    line("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535"),
    { client: null, local: null },
  ],
  ["v2 LOCAL", hex(`${SIGNATURE} 20 00 0000`), { client: null, local: null, tls: null }],
  [
    "v2 over IPv4",
    hex(`${SIGNATURE} 21 11 000c c0000201 c6336402 dc04 01bb`),
    { client: { host: "192.0.2.1", port: 56324 }, local: { host: "198.51.100.2", port: 443 } },
  ],
  [
    "v2 over IPv6",
    hex(`${SIGNATURE} 21 21 0024 20010db8000000000000000000000001 00000000000000000000000000000001 0001 ffff`),
    { client: { host: "2001:db8::1", port: 1 }, local: { host: "::1", port: 65535 } },
  ],
  [
    "v2 over a unix socket",
    hex(`${SIGNATURE} 21 31 00d8 ${"00".repeat(216)}`),
    { client: { path: "" }, local: { path: "" } },
  ],
  ["v2 of an unknown family", hex(`${SIGNATURE} 21 00 0000`), { client: null, local: null }],
  [
    "v2 with TLS facts",
    hex(
      `${SIGNATURE} 21 11 0037 c0000201 c6336402 dc04 01bb 02 0005 612e636f6d 20 0020 01 00000000 21 0007 544c5376312e33 23 000e 5448495341434950484552313233`,
    ),
    {
      client: { host: "192.0.2.1", port: 56324 },
      tls: { version: "TLSv1.3", cipher: "THISACIPHER123", serverName: "a.com" },
    },
  ],
  ["v2 with other values", hex(`${SIGNATURE} 21 11 0010 c0000201 c6336402 dc04 01bb 04 0001 00`), { tls: null }],
];

test.each(headers)("R-H17: reads %s, however the bytes are cut", (_, bytes, facts) => {
  for (const [first = new Uint8Array(0), ...rest] of cutsOf(bytes)) {
    if (rest.length > 0) expect(parseProxyHeader(Buffer.from(first))).toBeNull();
  }
  const whole = Buffer.concat([bytes, Buffer.from("GET / HTTP/1.1\r\n")]);
  expect(parseProxyHeader(whole)).toMatchObject({ ...facts, lengthBytes: bytes.length });
});

test.each<[string, Buffer]>([
  ["a request", Buffer.from("GET / HTTP/1.1\r\n")],
  ["a TLS hello", hex("160301")],
  ["an address that is none", line("PROXY TCP4 192.0.2.x 198.51.100.2 1 2")],
  ["an address of the other family", line("PROXY TCP4 ::1 ::1 1 2")],
  ["a port beyond 65535", line("PROXY TCP4 192.0.2.1 198.51.100.2 65536 2")],
  ["a missing port", line("PROXY TCP4 192.0.2.1 198.51.100.2 1")],
  ["one word too many", line("PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3")],
  ["an unknown family", line("PROXY UDP4 192.0.2.1 198.51.100.2 1 2")],
  ["a line without an end", Buffer.from(`PROXY TCP4 ${"1".repeat(120)}`)],
  ["version 3", hex(`${SIGNATURE} 31 11 000c c0000201 c6336402 dc04 01bb`)],
  ["an unknown command", hex(`${SIGNATURE} 22 11 000c c0000201 c6336402 dc04 01bb`)],
  ["too few bytes for its addresses", hex(`${SIGNATURE} 21 11 0004 c0000201`)],
  ["a value that is cut off", hex(`${SIGNATURE} 21 11 000f c0000201 c6336402 dc04 01bb 02 0009`)],
  ["64 kB", hex(`${SIGNATURE} 21 11 ffff`)],
])("R-H17: %s is no header", (_, bytes) => {
  expect(() => parseProxyHeader(bytes)).toThrow(expect.objectContaining({ code: "GW_HTTP_PROXY_HEADER" }));
});
