import { expect, test } from "vitest";
import { testRequest } from "../testing/builders.ts";
import { comparePlaces, hostOf, isInHost, parsePlace } from "./place.ts";

test.each([
  ["/", { host: null, isWildcard: false, path: "" }],
  ["/app", { host: null, isWildcard: false, path: "/app" }],
  ["/app/", { host: null, isWildcard: false, path: "/app" }],
  ["/a/b", { host: null, isWildcard: false, path: "/a/b" }],
  ["/안", { host: null, isWildcard: false, path: "/\u00ec\u0095\u0088" }],
  ["Admin.Example.com", { host: "admin.example.com", isWildcard: false, path: "" }],
  ["*.example.com/app", { host: "example.com", isWildcard: true, path: "/app" }],
  ["localhost/", { host: "localhost", isWildcard: false, path: "" }],
  ["[::1]/app", { host: "::1", isWildcard: false, path: "/app" }],
  ["127.0.0.1", { host: "127.0.0.1", isWildcard: false, path: "" }],
])("reads the place %s", (text, expected) => {
  expect(parsePlace(text)).toEqual({ text, ...expected });
});

test.each([
  "",
  "http://example.com",
  "example.com:8080",
  "//app",
  "/a//b",
  "/a/../b",
  "/./a",
  "/a?b",
  "/a#b",
  "/a\u0000",
  "*",
  "*.",
  "a.*.com",
  "exa mple.com",
  "-a.com",
])("refuses the place %j", (text) => {
  expect(() => parsePlace(text)).toThrow(expect.objectContaining({ code: "GW_PLACE" }));
});

test.each([
  ["example.com", "example.com", true],
  ["example.com", "www.example.com", false],
  ["*.example.com", "www.example.com", true],
  ["*.example.com", "a.b.example.com", true],
  ["*.example.com", "example.com", false],
  ["*.example.com", "badexample.com", false],
  ["*.example.com", ".example.com", false],
  ["/app", "anything", true],
])("%s holds the host %s: %s", (place, host, expected) => {
  expect(isInHost(parsePlace(place), host)).toBe(expected);
});

test("the host of a request is its server's, in lower case; a unix socket has none", () => {
  expect(hostOf(testRequest("/", { server: { host: "Example.COM", port: 80 } }))).toBe("example.com");
  expect(hostOf(testRequest("/", { server: { path: "/run/gw.sock" } }))).toBe("");
});

test("the more precise place comes first", () => {
  const texts = ["/", "/app", "*.example.com", "*.a.example.com", "a.example.com", "/app/x", "a.example.com/x"];
  expect(
    texts
      .map(parsePlace)
      .sort(comparePlaces)
      .map(({ text }) => text),
  ).toEqual(["a.example.com/x", "a.example.com", "*.a.example.com", "*.example.com", "/app/x", "/app", "/"]);
});
