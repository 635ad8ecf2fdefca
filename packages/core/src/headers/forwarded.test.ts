import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Address } from "../model/address.ts";
import { type HeaderInit, HeaderList } from "../model/headers.ts";
import { peerList } from "../target/peer-list.ts";
import { readForwarded } from "./forwarded.ts";
import { parseForwarded, parseNode } from "./forwarded-field.ts";

const at = (host: string, port = 0): Address => ({ host, port });
const proxy = at("10.0.0.1", 4711);
const proxies = peerList(["10.0.0.0/8", "::1", "unix"]);
const all = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"];

function read(
  headers: HeaderInit,
  fields?: readonly string[],
  peer: Address | null = proxy,
): ReturnType<typeof readForwarded> {
  return readForwarded(HeaderList.from(headers), peer, { proxies, ...(fields && { fields }) });
}

const client = at("192.0.2.7");

test.each([
  { why: "one proxy", value: "192.0.2.7", client },
  { why: "two proxies", value: "192.0.2.7, 10.0.0.2", client },
  { why: "forged entries on the left", value: "6.6.6.6, 10.0.0.9, 192.0.2.7, 10.0.0.2", client },
  { why: "proxies only", value: "10.0.0.3, 10.0.0.2", client: at("10.0.0.3") },
  { why: "an address with a port", value: "192.0.2.7:5555", client: at("192.0.2.7", 5555) },
  { why: "a bare IPv6 address", value: "2001:db8::7", client: at("2001:db8::7") },
  { why: "an IPv6 address with a port", value: "[2001:db8::7]:55", client: at("2001:db8::7", 55) },
  { why: "a mapped address", value: "::ffff:192.0.2.7", client },
  { why: "an unknown client behind a second proxy", value: "unknown, 10.0.0.2", client: at("10.0.0.2") },
  { why: "nonsense", value: "<script>", client: proxy },
  { why: "empty entries", value: ", ,192.0.2.7,", client },
])("R-H17: reads X-Forwarded-For from the right: $why", ({ value, client }) => {
  expect(read({ "X-Forwarded-For": value }).client).toEqual(client);
});

test("R-H17: reads several lines as one list", () => {
  expect(read({ "X-Forwarded-For": ["6.6.6.6", "192.0.2.7", "10.0.0.2"] }).client).toEqual(client);
});

test("believes a proxy on a unix socket", () => {
  expect(read({ "X-Forwarded-For": "192.0.2.7" }, all, { path: "" }).client).toEqual(client);
});

test.each([
  ["a stranger", at("192.0.2.200", 1)],
  ["nobody known", null],
])("R-H17: from %s nothing counts and everything is removed, in every spelling", (_, peer) => {
  const kept = { Host: "h", "X-Forward": "kept", Forward: "kept", "X-Forwarded": "kept" };
  const result = read(
    {
      ...kept,
      "X-Forwarded-For": "192.0.2.7",
      "x-forwarded-proto": "https",
      X_Forwarded_Host: "evil.example",
      "X-FORWARDED_PORT": "1",
      "X-Forwarded-Client-Cert": "By=me",
      "X-Real-IP": "192.0.2.7",
      "True-Client-IP": "192.0.2.7",
      "Front-End-Https": "on",
      forwarded: "for=192.0.2.7",
    },
    [...all, "forwarded"],
    peer,
  );
  expect(result).toMatchObject({ client: peer, scheme: null, authority: null });
  expect([...result.headers]).toEqual(Object.entries(kept));
});

test("R-H17: by default only the address and the scheme count, since many proxies hand on the rest unchanged", () => {
  const result = read({
    "X-Forwarded-For": "192.0.2.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    Forwarded: "for=6.6.6.6",
  });
  expect(result).toMatchObject({ client, scheme: "https", authority: null });
  expect([...result.headers]).toEqual([
    ["X-Forwarded-For", "192.0.2.7"],
    ["X-Forwarded-Proto", "https"],
  ]);
});

test("lets a listed proxy's further fields pass when they are named", () => {
  const result = read({ "X-Forwarded-Client-Cert": "By=me", "X-Forwarded_Client-Cert": "forged" }, [
    "x-forwarded-client-cert",
  ]);
  expect([...result.headers]).toEqual([["X-Forwarded-Client-Cert", "By=me"]]);
});

test.each([
  { why: "one value", hops: "192.0.2.7, 10.0.0.2", proto: "https", scheme: "https" },
  { why: "a value of each proxy", hops: "192.0.2.7, 10.0.0.2", proto: "https, http", scheme: "https" },
  { why: "a forged one on the left", hops: "6.6.6.6, 192.0.2.7", proto: "https, http", scheme: "http" },
  { why: "more values than hops", hops: "192.0.2.7", proto: "https, http", scheme: "http" },
  { why: "a socket's scheme", hops: "192.0.2.7", proto: "WSS", scheme: "https" },
  { why: "a plain socket's scheme", hops: "192.0.2.7", proto: "ws", scheme: "http" },
  { why: "no scheme", hops: "192.0.2.7", proto: "gopher", scheme: null },
])("reads X-Forwarded-Proto of the proxy that saw the client: $why", ({ hops, proto, scheme }) => {
  expect(read({ "X-Forwarded-For": hops, "X-Forwarded-Proto": proto }).scheme).toBe(scheme);
});

test.each([
  { headers: { "X-Forwarded-Host": "a.example" }, authority: "a.example" },
  { headers: { "X-Forwarded-Host": "evil.example, a.example" }, authority: "a.example" },
  { headers: { "X-Forwarded-Host": "a.example", "X-Forwarded-Port": "8443" }, authority: "a.example:8443" },
  { headers: { "X-Forwarded-Host": "a.example:81", "X-Forwarded-Port": "8443" }, authority: "a.example:81" },
  { headers: { "X-Forwarded-Host": "[::1]", "X-Forwarded-Port": "8443" }, authority: "[::1]:8443" },
  { headers: { Host: "b.example", "X-Forwarded-Port": "8443" }, authority: "b.example:8443" },
  { headers: { Host: "b.example" }, authority: null },
] as { headers: Record<string, string>; authority: string | null }[])(
  "reads $headers as the authority $authority",
  (one) => {
    expect(read(one.headers, all).authority).toBe(one.authority);
  },
);

test("answers 400 to a malformed host that a proxy hands on", () => {
  expect(() => read({ "X-Forwarded-Host": "a/b" }, all)).toThrow(expect.objectContaining({ code: "GW_BAD_AUTHORITY" }));
  expect(() => read({ Host: "a", "X-Forwarded-Port": "no" }, all)).toThrow(expect.objectContaining({ status: 400 }));
});

describe("Forwarded (RFC 7239)", () => {
  test.each([
    { value: "for=192.0.2.7", client },
    { value: 'For="[2001:db8:cafe::17]:4711"', client: at("2001:db8:cafe::17", 4711) },
    { value: "for=192.0.2.7;proto=https;host=a.example;by=10.0.0.1", client, scheme: "https", authority: "a.example" },
    { value: "for=192.0.2.7;proto=https, for=10.0.0.2;proto=http", client, scheme: "https" },
    { value: "for=6.6.6.6;proto=https, for=192.0.2.7;proto=http, for=10.0.0.2", client, scheme: "http" },
    { value: 'for=6.6.6.6;by="a,b", for="192.0.2.7"', client },
    { value: "for=_hidden, for=10.0.0.2", client: at("10.0.0.2") },
    { value: "for=unknown;proto=https", client: proxy, scheme: "https" },
    { value: "proto=https", client: proxy, scheme: "https" },
    { value: 'for="192\\.0.2.7"', client },
    { value: 'for=6.6.6.6, for=192.0.2.7;by="a\\",b"', client },
    { value: 'for="un closed, for=192.0.2.7;proto=https', client, scheme: "https" },
    { value: 'for="a\\", for="192.0.2.7";proto=https', client, scheme: "https" },
    { value: "for=6.6.6.6, for=192.0.2.7;for=1.1.1.1", client: proxy },
    { value: "for 192.0.2.7", client: proxy },
    { value: "", client: proxy },
  ] as { value: string; client: Address; scheme?: string; authority?: string }[])(
    "R-H17: reads $value from the right",
    ({ value, client, scheme = null, authority = null }) => {
      expect(read({ Forwarded: value }, ["forwarded"])).toMatchObject({ client, scheme, authority });
    },
  );

  test("R-H17: what a client wrote to the left never changes what the proxies' elements say", () => {
    const hostile = fc.array(fc.constantFrom('"', "\\", ",", ";", "=", "for", "10.0.0.2", " ", "a"), { maxLength: 14 });
    fc.assert(
      fc.property(hostile, (pieces) => {
        const value = `${pieces.join("")}, for="192.0.2.7:1";proto=https;host="a.example", for=10.0.0.2;host="b,c"`;
        const own = parseForwarded(value).slice(-2);
        expect(own.map((element) => Object.fromEntries(element))).toEqual([
          { for: "192.0.2.7:1", proto: "https", host: "a.example" },
          { for: "10.0.0.2", host: "b,c" },
        ]);
      }),
      { numRuns: 2000 },
    );
  });
});

test.each([
  "",
  "unknown",
  "_x",
  "192.0.2.7:",
  "192.0.2.7:99999",
  "[192.0.2.7]x",
  "[::1",
  "::1]:80",
  "192.0.2",
  "192.0.2.7:1:2",
])("takes %j for no address", (text) => {
  expect(parseNode(text)).toBeNull();
});
