import fc from "fast-check";
import { expect, test } from "vitest";
import { toBytes } from "../bytes/byte-string.ts";
import { underMount } from "./mount.ts";
import { parseTarget } from "./parse.ts";
import { normalizePath } from "./path.ts";
import { encodePath, pathText, queryText, rawPath } from "./raw.ts";

function at(target: string, mount = ""): { target: string; mount: string; path: string } {
  const { path } = parseTarget(target, "GET");
  return { target, mount, path: path.slice(mount.length) };
}

test.each([
  { target: "/a/b?c", mount: "", raw: "/a/b" },
  { target: "/app/x", mount: "/app", raw: "/x" },
  { target: "/app", mount: "/app", raw: "" },
  { target: "/app/a%2Fb", mount: "/app", raw: "/a%2Fb" },
  { target: "/%61pp/x%20y", mount: "/app", raw: "/x%20y" },
  { target: "http://h/app/%E9", mount: "/app", raw: "/%E9" },
  { target: "/\u00e9/x", mount: "/\u00e9", raw: "/x" },
])("gives the raw rest of $target under $mount as sent", ({ target, mount, raw }) => {
  expect(rawPath(at(target, mount))).toBe(raw);
});

test.each([
  { target: "/app/a/../b%20c", mount: "/app", raw: "/b%20c" },
  { target: "//app//x", mount: "/app", raw: "/x" },
])("encodes the path where $target was normalised", ({ target, mount, raw }) => {
  expect(rawPath(at(target, mount))).toBe(raw);
});

test("encodes the path once a layer rewrote it", () => {
  expect(rawPath({ target: "/old", mount: "", path: "/new \u00e9/%" })).toBe("/new%20%E9/%25");
});

test("gives * for the server as a whole", () => {
  expect(rawPath({ target: "*", mount: "", path: "*" })).toBe("*");
});

test("R-M16: whatever was sent, the raw path reads as the same path again", () => {
  const piece = fc.constantFrom("/", "..", ".", "app", "b", "%2f", "%2e", "%61", "%25", "%3f", "\u00e9", "?");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
      const target = `/app/${pieces.join("")}`;
      let path: string;
      try {
        path = parseTarget(target, "GET").path;
      } catch {
        return;
      }
      const request = { target, mount: "", path };
      expect(normalizePath(rawPath(request))).toBe(path);
      expect(rawPath(request)).not.toContain("?");
      const under = underMount(request as never, "/app") as typeof request | null;
      if (under !== null) expect(normalizePath(`/app${rawPath(under)}`)).toBe(path);
    }),
    { numRuns: 2000 },
  );
});

test("encodes what a path may not hold, and nothing else", () => {
  const kept = "/AZaz09-._~!$&'()*+,;=:@";
  expect(encodePath(kept)).toBe(kept);
  expect(encodePath(' "#%<>?[\\]^`{|}\u0000\u007f\u00ff')).toBe(
    "%20%22%23%25%3C%3E%3F%5B%5C%5D%5E%60%7B%7C%7D%00%7F%FF",
  );
});

test("gives path and query as text", () => {
  expect(pathText({ path: toBytes("/안녕") })).toBe("/안녕");
  expect(queryText({ query: `q=${toBytes("é")}&r=%20` })).toBe("q=é&r=%20");
});
