import { expect, test } from "vitest";
import { effectiveSettings } from "../config/settings.ts";
import { changedServerSettings } from "./reloader.ts";

test("names the settings that a reload cannot put into effect, and only those", () => {
  const before = effectiveSettings({}, {}, { port: 1, logLevel: "info", bind: ["unix:/s"], h2c: true });
  const after = effectiveSettings({}, {}, { port: 2, logLevel: "debug", bind: ["unix:/s"], timeout: 5, limitQueue: 3 });
  expect(changedServerSettings(before, after)).toEqual(["port", "h2c", "timeout"]);
  expect(changedServerSettings(before, before)).toEqual([]);
});
