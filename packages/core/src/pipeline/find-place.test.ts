import { expect, test } from "vitest";
import { findPlace } from "./find-place.ts";

const on = (host: string, path: string) => ({ path, server: { host, port: 80 } });

test("finds the place that the gateway's mounts would take, or none", () => {
  const find = findPlace(["/app", "/app/deep", "admin.example.com", "*.example.com/app", "/"]);
  expect(find(on("h", "/app/deep/x"))).toBe("/app/deep");
  expect(find(on("h", "/apple"))).toBe("/");
  expect(find(on("admin.example.com", "/app"))).toBe("admin.example.com");
  expect(find(on("b.example.com", "/app/x"))).toBe("*.example.com/app");
  expect(findPlace(["/app"])(on("h", "/other"))).toBeNull();
  expect(findPlace([])(on("h", "/"))).toBeNull();
});

test("refuses what is no place", () => {
  expect(() => findPlace(["app?"])).toThrow(expect.objectContaining({ code: "GW_PLACE" }));
});
