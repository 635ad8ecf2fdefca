import { expect, test } from "vitest";
import { parseAuthority } from "./authority.ts";

test.each([
  ["example.com", "http", "example.com", 80],
  ["example.com", "https", "example.com", 443],
  ["Example.COM:8080", "http", "example.com", 8080],
  ["example.com:", "http", "example.com", 80],
  ["example.com.", "http", "example.com", 80],
  ["example.com.:81", "http", "example.com", 81],
  ["my_host-1", "http", "my_host-1", 80],
  ["127.0.0.1:65535", "http", "127.0.0.1", 65_535],
  ["[::1]", "https", "::1", 443],
  ["[2001:DB8::1]:8080", "http", "2001:db8::1", 8080],
  ["xn--9d0bm53a.example", "http", "xn--9d0bm53a.example", 80],
] as const)("reads %s over %s", (value, scheme, host, port) => {
  expect(parseAuthority(value, scheme)).toEqual({ host, port });
  expect(parseAuthority(value, scheme)).toEqual({ host, port });
});

test.each([
  "",
  ":80",
  ".",
  ".example.com",
  "a..b",
  "example.com:0",
  "example.com:65536",
  "example.com:http",
  "example.com:-1",
  "example.com:80:80",
  "user@example.com",
  "exam ple",
  "example.com/",
  "example.com,other",
  "a%2eb",
  "caf\u00e9.example",
  "::1",
  "[::1",
  "[]",
  "[127.0.0.1]",
  "[::g]",
  "[::1]x",
  "[fe80::1%25eth0]",
  "example.com\r\n",
  "a".repeat(256),
])("R-H4: answers 400 to the host %j", (value) => {
  expect(() => parseAuthority(value, "http")).toThrow(
    expect.objectContaining({ code: "GW_BAD_AUTHORITY", status: 400 }),
  );
});

test("remembers at most so many hosts, and still reads all rightly", () => {
  for (let port = 1; port < 2_000; port++) {
    expect(parseAuthority(`h${port}:${port}`, "http")).toEqual({ host: `h${port}`, port });
  }
});
