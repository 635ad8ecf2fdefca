import fc from "fast-check";
import { expect, test } from "vitest";
import { isGatewayError } from "../model/errors.ts";
import { parseTarget, rawPathAndQuery } from "./parse.ts";

const origin = { form: "origin", authority: null, scheme: null };

test.each([
  { target: "/", path: "/", query: "" },
  { target: "/a/b?x=1&y=%20", path: "/a/b", query: "x=1&y=%20" },
  { target: "/?", path: "/", query: "" },
  { target: "/a??b?c", path: "/a", query: "?b?c" },
  { target: "/a?/../b//c", path: "/a", query: "/../b//c" },
  { target: "/a%3Fb?c", path: "/a?b", query: "c" },
  { target: "/a/../b?c", path: "/b", query: "c" },
  { target: "//evil.example/x", path: "/evil.example/x", query: "" },
  { target: "/\u00e9?\u00e9", path: "/\u00e9", query: "\u00e9" },
  { target: "/a|b{c}[d]", path: "/a|b{c}[d]", query: "" },
])("reads the origin form $target", ({ target, path, query }) => {
  expect(parseTarget(target, "GET")).toEqual({ ...origin, path, query });
});

test.each([
  { target: "http://example.com/a?b", path: "/a", query: "b", authority: "example.com", scheme: "http" },
  { target: "HTTPS://example.com:8443", path: "/", query: "", authority: "example.com:8443", scheme: "https" },
  { target: "http://[::1]:80?q", path: "/", query: "q", authority: "[::1]:80", scheme: "http" },
  { target: "http://example.com/a/%2e%2e/b", path: "/b", query: "", authority: "example.com", scheme: "http" },
])("reads the absolute form $target", ({ target, ...parts }) => {
  expect(parseTarget(target, "GET")).toEqual({ form: "absolute", ...parts });
});

test("reads * as the server as a whole, and so OPTIONS on a host without a path (RFC 9112 §3.2.4)", () => {
  expect(parseTarget("*", "OPTIONS")).toMatchObject({ form: "asterisk", path: "*" });
  expect(parseTarget("http://example.com", "OPTIONS")).toMatchObject({ form: "absolute", path: "*" });
  expect(parseTarget("http://example.com/", "OPTIONS")).toMatchObject({ path: "/" });
});

test.each([
  { target: "*", method: "GET", why: "the asterisk form belongs to OPTIONS" },
  { target: "example.com:443", method: "CONNECT", why: "the authority form is refused" },
  { target: "example.com:443", method: "GET", why: "the authority form is refused" },
  { target: "", method: "GET", why: "it is empty" },
  { target: "a/b", method: "GET", why: "it does not start with a slash" },
  { target: "ftp://example.com/", method: "GET", why: "the scheme is not HTTP" },
  { target: "http:/example.com/", method: "GET", why: "a slash is missing" },
  { target: "http:///a", method: "GET", why: "there is no host" },
  { target: "/a b", method: "GET", why: "it has a blank" },
  { target: "/a\tb", method: "GET", why: "it has a tab" },
  { target: "/a\r\nX: y", method: "GET", why: "it has a line break" },
  { target: "/a\u007f", method: "GET", why: "it has DEL" },
  { target: "/a\0", method: "GET", why: "it has NUL" },
  { target: "/a?\0", method: "GET", why: "the query has NUL" },
  { target: "/a#b", method: "GET", why: "it has a fragment" },
  { target: "/a?b#c", method: "GET", why: "the query has a fragment" },
  { target: "/\u0100", method: "GET", why: "it is no byte string" },
  { target: "/a?\u0100", method: "GET", why: "the query is no byte string" },
  { target: "/%zz", method: "GET", why: "a percent sign stands alone" },
  { target: "/../a", method: "GET", why: "it climbs above the root" },
])("R-H4: answers 400 to $target because $why", ({ target, method }) => {
  expect(() => parseTarget(target, method)).toThrow(expect.objectContaining({ code: "GW_BAD_TARGET", status: 400 }));
});

test.each([
  "http://user@example.com/",
  "http://user:pw@example.com/",
  "http://exa mple/",
  "http://a..b/",
  "http://h:0/",
])("R-H4: answers 400 to the absolute form %s with a malformed authority", (target) => {
  expect(() => parseTarget(target, "GET")).toThrow(expect.objectContaining({ status: 400 }));
});

test("R-M16: the quick way through a plain path gives what the careful way gives", () => {
  const chars = fc.constantFrom("/", ".", "a", "%2e", "%2F", "?", "~", "\u00e9");
  fc.assert(
    fc.property(fc.array(chars, { maxLength: 12 }), (parts) => {
      const target = `/${parts.join("")}`;
      // An encoded letter forces the careful way and changes nothing else.
      const careful = `/%61/../${target.slice(1)}`;
      const read = (one: string): unknown => {
        try {
          return parseTarget(one, "GET").path;
        } catch (error) {
          return isGatewayError(error, "GW_BAD_TARGET") ? "refused" : error;
        }
      };
      expect(read(careful)).toBe(read(target));
    }),
    { numRuns: 2000 },
  );
});

test("never throws anything but its own errors", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.constantFrom("GET", "OPTIONS", "CONNECT"),
      (text, method) => {
        for (const target of [text, `/${text}`, `http://${text}`]) {
          try {
            parseTarget(target, method);
          } catch (error) {
            expect(isGatewayError(error)).toBe(true);
          }
        }
      },
    ),
  );
});

test.each([
  ["/a?b", "/a?b"],
  ["*", "*"],
  ["http://example.com/a?b", "/a?b"],
  ["http://example.com", "/"],
  ["http://example.com?b", "/?b"],
])("gives path and query of %s as %s", (target, raw) => {
  expect(rawPathAndQuery(target)).toBe(raw);
});
