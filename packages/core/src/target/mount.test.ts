import { expect, test } from "vitest";
import { testRequest } from "../testing/builders.ts";
import { splitMount, underMount } from "./mount.ts";

test.each([
  ["/app", "/app", ""],
  ["/app/", "/app", "/"],
  ["/app/x/y", "/app", "/x/y"],
  ["/application", "/app", null],
  ["/ap", "/app", null],
  ["/", "/app", null],
  ["", "/app", null],
  ["/x", "", "/x"],
  ["", "", ""],
  ["*", "", "*"],
  ["*", "/app", null],
  ["/a/b/c", "/a/b", "/c"],
  ["/App", "/app", null],
  ["/\u00ec\u0095\u0088/x", "/\u00ec\u0095\u0088", "/x"],
])("under the path %j, the mount %j leaves %j", (path, mount, rest) => {
  expect(splitMount(path, mount)).toBe(rest);
});

test("R-C1: moves segments from path to mount and leaves the target as it was", () => {
  const request = testRequest("/a/b/c?d");
  const outer = underMount(request, "/a");
  const inner = outer && underMount(outer, "/b");
  expect(inner).toMatchObject({ mount: "/a/b", path: "/c", query: "d", target: "/a/b/c?d" });
  expect(request).toMatchObject({ mount: "", path: "/a/b/c" });
  expect(inner?.exchange).toBe(request.exchange);
});

test("gives null for a path that lies elsewhere", () => {
  expect(underMount(testRequest("/application"), "/app")).toBeNull();
});
