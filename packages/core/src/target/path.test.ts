import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isGatewayError } from "../model/errors.ts";
import { decodePercent, normalizePath, resolveSegments } from "./path.ts";
import { encodePath } from "./raw.ts";

test.each([
  ["/", "/"],
  ["/a/b", "/a/b"],
  ["/a%20b", "/a b"],
  ["/%EC%95%88", "/\u00ec\u0095\u0088"],
  ["/%e9", "/\u00e9"],
  ["/caf\u00e9", "/caf\u00e9"],
  ["/a+b", "/a+b"],
  ["/a%2Fb", "/a/b"],
  ["/a%5Cb", "/a\\b"],
  ["/a%3Fb%23c", "/a?b#c"],
  ["/%252e%252e/a", "/%2e%2e/a"],
  ["//", "/"],
  ["//a///b//", "/a/b/"],
  ["/%2Fa", "/a"],
  ["/.", "/"],
  ["/./a/./b", "/a/b"],
  ["/a/.", "/a/"],
  ["/a/..", "/"],
  ["/a/b/..", "/a/"],
  ["/a/b/../../c", "/c"],
  ["/a//../b", "/b"],
  ["/public/%2e%2e/admin", "/admin"],
  ["/public/..%2Fadmin", "/admin"],
  ["/public%2F.%2e%2Fadmin", "/admin"],
  ["/...", "/..."],
  ["/.git", "/.git"],
  ["/..a/b..", "/..a/b.."],
  ["/a/..;/b", "/a/..;/b"],
  ["", ""],
])("reads the path %j as %j", (raw, path) => {
  expect(normalizePath(raw)).toBe(path);
});

test.each([
  "/..",
  "/../a",
  "/a/../..",
  "/%2e%2e/",
  "/a/..%2f..",
  "/.//../x",
  "/a%00b",
  "/a\0b",
  "/%",
  "/%4",
  "/%4g",
  "/%g4",
  "/a%",
  "/%%41",
  "/%u0041",
])("R-M16: answers 400 to the path %j", (raw) => {
  expect(() => normalizePath(raw)).toThrow(expect.objectContaining({ code: "GW_BAD_TARGET", status: 400 }));
});

describe("whatever the path", () => {
  const piece = fc.constantFrom(
    "/",
    "..",
    ".",
    "a",
    "b",
    "%2f",
    "%2e",
    "%2E",
    "%61",
    "%",
    "%00",
    ";",
    "\u00e9",
    "%C3%A9",
  );
  const paths = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);

  test("R-M16: there are no dot segments and no empty segments left, and a second reading changes nothing", () => {
    fc.assert(
      fc.property(paths, (raw) => {
        let path: string;
        try {
          path = normalizePath(raw);
        } catch (error) {
          expect(isGatewayError(error, "GW_BAD_TARGET")).toBe(true);
          return;
        }
        expect(path).toMatch(/^\//);
        expect(path).not.toMatch(/\/\/|\/\.\.?(\/|$)|\0/);
        expect(resolveSegments(path)).toBe(path);
        expect(normalizePath(encodePath(path))).toBe(path);
      }),
      { numRuns: 2000 },
    );
  });

  test("dot segments mean what they mean to the URL standard", () => {
    const segments = fc.array(fc.constantFrom("a", "b", ".", "..", "%2e", "%2e%2E", ".%2e"), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(segments, (parts) => {
        const raw = `/${parts.join("/")}`;
        let depth = 0;
        const climbs = parts.some((part) => {
          const name = part.toLowerCase().replaceAll("%2e", ".");
          depth += name === ".." ? -1 : name === "." ? 0 : 1;
          return depth < 0;
        });
        // The URL standard stops at the root instead; there we refuse.
        if (climbs) expect(() => normalizePath(raw)).toThrow("above the root");
        else expect(normalizePath(raw)).toBe(new URL(raw, "http://x").pathname);
      }),
    );
  });
});

test("decodes percent once, keeps plus, and gives null where two hexadecimal digits are missing", () => {
  expect(decodePercent("a%41%2541+")).toBe("aA%41+");
  expect(decodePercent("%zz")).toBeNull();
  expect(decodePercent("a%4")).toBeNull();
});

test("decodes each of the 256 bytes, in either case", () => {
  for (let byte = 0; byte < 256; byte++) {
    const hex = byte.toString(16).padStart(2, "0");
    expect(decodePercent(`%${hex}`)).toBe(String.fromCharCode(byte));
    expect(decodePercent(`%${hex.toUpperCase()}`)).toBe(String.fromCharCode(byte));
  }
});
