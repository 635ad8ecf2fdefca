import { describe, expect, test } from "vitest";
import { effectiveSettings, settingsFromEnvironment, settingsFromFile } from "./settings.ts";

describe("settings", () => {
  test("a flag beats a variable beats the file, and each says where it came from", () => {
    const settings = effectiveSettings({ port: 1 }, { port: 2, host: "a" }, { port: 3, host: "b", http: "2" });
    expect([...settings]).toEqual([
      { key: "port", value: 1, origin: "flag" },
      { key: "host", value: "a", origin: "environment" },
      { key: "http", value: "2", origin: "file" },
    ]);
    expect(settings.number("port")).toBe(1);
    expect(settings.text("port")).toBeUndefined();
    expect(settings.originOf("h2c")).toBeNull();
  });

  test("reads GW_ variables, lists by comma, and treats an empty one as unset", () => {
    const environment = { GW_BIND: "127.0.0.1:1,unix:/s", GW_HEADER_TIMEOUT: "5", GW_PID: "", OTHER: "x" };
    expect(settingsFromEnvironment("serve", environment)).toEqual({
      bind: ["127.0.0.1:1", "unix:/s"],
      headerTimeout: 5_000,
    });
  });

  test("names the variable that cannot be read", () => {
    expect(() => settingsFromEnvironment("serve", { GW_PORT: "x" })).toThrow('GW_PORT: found "x"');
  });

  test("reads the file's values as the flags' and names the key that does not fit", () => {
    expect(settingsFromFile("gw.config.ts", "serve", { port: 80, timeout: "5m", bind: "unix:/s", h2c: true })).toEqual({
      port: 80,
      timeout: 300_000,
      bind: ["unix:/s"],
      h2c: true,
    });
    expect(() => settingsFromFile("gw.config.ts", "serve", { h2c: "very" })).toThrow(
      'gw.config.ts: h2c: found "very", expected true or false',
    );
    expect(() => settingsFromFile("gw.config.ts", "serve", { port: {} })).toThrow(
      "gw.config.ts: port: found {}, expected what --port takes",
    );
  });
});
