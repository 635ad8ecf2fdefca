import { expect, test } from "vitest";
import { completeLock, platformOf } from "./complete-lock.mjs";

test.each([
  ["@esbuild/linux-x64", { os: ["linux"], cpu: ["x64"] }],
  ["@turbo/darwin-64", { os: ["darwin"], cpu: ["x64"] }],
  ["@turbo/windows-arm64", { os: ["win32"], cpu: ["arm64"] }],
  ["@rollup/rollup-linux-x64-musl", { os: ["linux"], cpu: ["x64"], libc: ["musl"] }],
  ["@rollup/rollup-linux-riscv64-gnu", { os: ["linux"], cpu: ["riscv64"], libc: ["glibc"] }],
  ["@rollup/rollup-linux-arm-gnueabihf", { os: ["linux"], cpu: ["arm"], libc: ["glibc"] }],
  ["@rollup/rollup-darwin-universal", { os: ["darwin"] }],
  ["@oxc-parser/binding-wasm32-wasi", { cpu: ["wasm32"] }],
  ["fsevents", null],
])("reads the platform out of %s", (name, platform) => {
  expect(platformOf(name)).toEqual(platform);
});

const tool = {
  version: "1.0.0",
  dev: true,
  optionalDependencies: { "tool-linux-x64": "1.0.0", "tool-darwin-arm64": "1.0.0" },
};
const linux = { version: "1.0.0", dev: true, optional: true, os: ["linux"], cpu: ["x64"] };

test("adds a missing platform package beside its sibling", () => {
  const lock = { packages: { "": {}, "node_modules/tool": tool, "node_modules/tool-linux-x64": linux } };
  expect(completeLock(lock)).toEqual(["node_modules/tool-darwin-arm64"]);
  expect(lock.packages).toEqual({
    "": {},
    "node_modules/tool": tool,
    "node_modules/tool-darwin-arm64": { version: "1.0.0", os: ["darwin"], cpu: ["arm64"], dev: true, optional: true },
    "node_modules/tool-linux-x64": linux,
  });
});

test("adds nothing the second time", () => {
  const lock = { packages: { "node_modules/tool": tool, "node_modules/tool-linux-x64": linux } };
  completeLock(lock);
  expect(completeLock(lock)).toEqual([]);
});

test("puts a second version below the package that asks for it", () => {
  const lock = {
    packages: {
      "node_modules/tool": tool,
      "node_modules/tool-darwin-arm64": { version: "2.0.0", dev: true, optional: true },
      "node_modules/tool-linux-x64": linux,
    },
  };
  expect(completeLock(lock)).toEqual(["node_modules/tool/node_modules/tool-darwin-arm64"]);
});

test("keeps the packages of a nested tool beside it", () => {
  const older = { ...tool, optionalDependencies: { "tool-linux-x64": "0.9.0" } };
  const lock = { packages: { "node_modules/a/node_modules/tool": older, "node_modules/tool-linux-x64": linux } };
  expect(completeLock(lock)).toEqual(["node_modules/a/node_modules/tool/node_modules/tool-linux-x64"]);
});

test("leaves version ranges and names without a platform alone", () => {
  const entry = { version: "1.0.0", optionalDependencies: { "tool-linux-x64": "^1.0.0", fsevents: "2.3.3" } };
  expect(completeLock({ packages: { "node_modules/tool": entry } })).toEqual([]);
});
