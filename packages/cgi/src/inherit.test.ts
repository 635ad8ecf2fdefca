import { expect, test } from "vitest";
import { baseEnvironment } from "./inherit.ts";

const own = (): ReadonlyMap<string, string> =>
  new Map([
    ["PATH", "/opt/evil"],
    ["AWS_SECRET_ACCESS_KEY", "s3cret"],
    ["TZ", "Asia/Seoul"],
    ["NAME", "\xe9"],
  ]);

test("R-C5: a program gets a fixed PATH and nothing else of the gateway's environment", () => {
  expect(baseEnvironment({}, own)).toEqual({ PATH: "/usr/local/bin:/usr/bin:/bin" });
});

test("R-C5: only the listed names are handed on, byte for byte, and only those that exist", () => {
  expect(baseEnvironment({ inherit: ["TZ", "NAME", "NOT_THERE"] }, own)).toEqual({
    PATH: "/usr/local/bin:/usr/bin:/bin",
    TZ: "Asia/Seoul",
    NAME: "\xe9",
  });
});

test("variables of the mount are text and reach the program as UTF-8", () => {
  expect(baseEnvironment({ path: "/bin", env: { TITLE: "안녕" } }, own)).toEqual({
    PATH: "/bin",
    TITLE: "\xec\x95\x88\xeb\x85\x95",
  });
});

test("our own environment is not read unless a name of it is asked for", () => {
  expect(() =>
    baseEnvironment({}, () => {
      throw new Error("read");
    }),
  ).not.toThrow();
});
