import { describe, expect, test } from "vitest";
import { parseDuration, parseSize, parseValue } from "./values.ts";

describe("times and sizes", () => {
  test.each([
    ["30", 30_000],
    ["250ms", 250],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["2h", 7_200_000],
  ])("reads the time %s as %d milliseconds", (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each([
    ["65536", 65_536],
    ["64k", 64_000],
    ["10m", 10_000_000],
    ["1G", 1_000_000_000],
  ])("reads the size %s as %d bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each(["", "-1", "5 m", "ten", "1d", "0x10"])("refuses %j as time and as size", (text) => {
    expect(parseDuration(text)).toBeNull();
    expect(parseSize(text)).toBeNull();
  });
});

describe("parseValue", () => {
  test("names what was found and what is allowed", () => {
    expect(() => parseValue("--log-level", "text", "loud", ["info", "warn"])).toThrow(
      '--log-level: found "loud", allowed: info, warn',
    );
    expect(() => parseValue("GW_PORT", "port", "70000")).toThrow(
      'GW_PORT: found "70000", expected a port from 0 (any free one) to 65535',
    );
    expect(() => parseValue("--timeout", "duration", "soon")).toThrow(
      "expected a time such as 30 (seconds), 250ms, 30s, 5m",
    );
  });

  test("reads switches in the words people use", () => {
    expect(["1", "true", "YES", "on"].map((text) => parseValue("x", "switch", text))).toEqual([true, true, true, true]);
    expect(["0", "false", "No", "off"].map((text) => parseValue("x", "switch", text))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(() => parseValue("GW_RELOAD", "switch", "maybe")).toThrow(
      'GW_RELOAD: found "maybe", expected true or false',
    );
  });
});
