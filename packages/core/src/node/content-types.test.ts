import { expect, test } from "vitest";
import { contentTypeOf, isCompressible } from "./content-types.ts";

test.each([
  ["/a/index.html", "text/html; charset=utf-8"],
  ["/a/APP.JS", "text/javascript; charset=utf-8"],
  ["/a/photo.jpeg", "image/jpeg"],
  ["/a/data.tar.gz", "application/gzip"],
  ["/a/module.wasm", "application/wasm"],
  ["/a/README", "application/octet-stream"],
  ["/a.b/README", "application/octet-stream"],
  ["/a/.html", "application/octet-stream"],
  ["/a/x.constructor", "application/octet-stream"],
  ["/a/x.__proto__", "application/octet-stream"],
])("%s is %s", (file, type) => expect(contentTypeOf(file)).toBe(type));

test("types of one's own come first, also for names without an extension", () => {
  const own = { html: "text/x-mine", "": "text/plain" };
  expect(contentTypeOf("/a/x.html", own)).toBe("text/x-mine");
  expect(contentTypeOf("/a/README", own)).toBe("text/plain");
  expect(contentTypeOf("/a/x.css", own)).toBe("text/css; charset=utf-8");
});

test.each([
  ["text/html; charset=utf-8", true],
  ["application/json", true],
  ["image/svg+xml", true],
  ["application/manifest+json", true],
  ["application/wasm", true],
  ["font/ttf", true],
  ["image/png", false],
  ["font/woff2", false],
  ["application/gzip", false],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", false],
])("%s is worth compressing: %s", (type, worth) => expect(isCompressible(type)).toBe(worth));
