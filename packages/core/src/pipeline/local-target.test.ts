import { expect, test } from "vitest";
import { localTarget } from "./local-target.ts";

test.each([
  ["/", "/"],
  ["/a/b?c=d#e", "/a/b?c=d#e"],
  ["/a/../b", "/b"],
  ["/안 x", "/%EC%95%88%20x"],
  ["/a\\b", "/a/b"],
  ["/a?next=//evil.example", "/a?next=//evil.example"],
  ["/@evil.example", "/@evil.example"],
])("R-M12: %s stays on the site, as %s", (target, expected) => {
  expect(localTarget(target)).toBe(expected);
});

test.each([
  "//evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "\t//evil.example",
  "/.//evil.example",
  "/a/..//evil.example",
  "/%2e//evil.example",
  "///evil.example",
  "https://evil.example/",
  "https:/evil.example",
  "javascript:alert(1)",
  "evil.example",
  "//[::1",
  " /a",
  "",
])("R-M12: %j leads off the site, or is no path", (target) => {
  expect(localTarget(target)).toBe(null);
});
