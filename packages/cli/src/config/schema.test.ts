// The schema that editors use and the check that the command makes are one rule: shown on the same values.
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { checkConfig } from "./check.ts";
import { configSchema } from "./schema.ts";
import { settingsFromFile } from "./settings.ts";

test("the published file is the schema of the table of options", async () => {
  const text = `${JSON.stringify(configSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot("../../gw.config.schema.json");
});

const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(configSchema());

/** What the command says to a value: nothing, or why not. */
function refusal(value: unknown): string | null {
  try {
    settingsFromFile("gw.config.json", "serve", checkConfig("gw.config.json", value) as Record<string, unknown>);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("both take", () => {
  test.each([
    {},
    { $schema: "./node_modules/@gw/cli/gw.config.schema.json" },
    { $schema: "x", "/a": "./a.ts", "b.example.com": { app: "static:./b", maxBodyBytes: 5 } },
    { app: "./app.ts", use: ["session", "./layer.ts"], port: 0, bind: "unix:./s", h2c: true },
    { bind: ["127.0.0.1:1", "unix:/s"], forwardedAllowIps: "127.0.0.1,::1", admin: [] },
    { http: 2, logLevel: "debug", timeout: 1.5, keepAlive: "250ms", limitRequestBody: "10M", port: "65535" },
    { workers: 4, maxRss: 500_000_000, user: "www-data", umask: "027", threads: "2" },
    { mounts: { "/a": "./a.ts", "*.example.com/x": { app: "./b.ts", accessLog: false } } },
    {
      mounts: {
        "/a": { app: "./a.ts", accessLog: { format: "json", file: "a.log" } },
        "/b": { app: "x", accessLog: "%h" },
      },
    },
  ])("%j", (value) => {
    expect(refusal(value)).toBe(null);
    expect([validate(value), validate.errors]).toEqual([true, null]);
  });
});

describe("both refuse", () => {
  test.each<[unknown, string]>([
    [{ prot: 1 }, 'unknown key "prot" (did you mean "port"?)'],
    [{ header: "x" }, 'unknown key "header"'],
    [{ $schema: 1 }, "gw.config.json: $schema: found 1, expected text"],
    [{ "/a": 5 }, 'gw.config.json["/a"]: found 5, expected an app'],
    [{ "/a": {} }, 'gw.config.json["/a"].app: found nothing, expected an app'],
    [{ "/a": { ap: "./a.ts" } }, 'gw.config.json["/a"]: unknown key "ap" (did you mean "app"?); allowed: app,'],
    [{ port: 70_000 }, 'gw.config.json: port: found "70000", expected a port from 0 (any free one) to 65535'],
    [{ port: "70000" }, "gw.config.json: port: found"],
    [{ port: -1 }, "gw.config.json: port: found"],
    [{ workers: 1.5 }, 'gw.config.json: workers: found "1.5", expected a whole number'],
    [{ timeout: "soon" }, 'gw.config.json: timeout: found "soon", expected a time'],
    [{ timeout: -1 }, "gw.config.json: timeout: found"],
    [{ limitRequestBody: "10 MB" }, "gw.config.json: limitRequestBody: found"],
    [{ h2c: "yes" }, 'gw.config.json: h2c: found "yes", expected true or false'],
    [{ logLevel: "debgu" }, 'logLevel: found "debgu" (did you mean "debug"?), allowed: trace, debug'],
    [{ http: 3 }, 'gw.config.json: http: found "3"'],
    [{ host: 5 }, "gw.config.json: host: found 5, expected what --host takes"],
    [{ pid: "" }, "gw.config.json: pid: found"],
    [{ bind: [1] }, "gw.config.json: bind: found [1], expected text or a list of texts"],
    [{ app: 5 }, "gw.config.json: app: found 5"],
    [{ mounts: ["/a"] }, 'gw.config.json: mounts: found ["/a"], expected an object of prefix → app'],
    [{ mounts: { "/a": { app: "x", maxBodyBytes: -1 } } }, 'mounts["/a"].maxBodyBytes: found -1'],
    [{ mounts: { "/a": { app: "x", accessLog: 5 } } }, 'mounts["/a"].accessLog: found 5, expected true, false'],
    [
      { mounts: { "/a": { app: "x", accessLog: { fromat: "x" } } } },
      'accessLog: unknown key "fromat" (did you mean "format"?)',
    ],
    [{ mounts: { "/a": { app: "x", variables: {} } } }, 'mounts["/a"].variables: found {}, expected a function'],
    [{ use: "session" }, 'gw.config.json: use: found "session", expected a list of layers'],
    [{ use: [5] }, "gw.config.json: use[0]: found 5, expected a layer"],
  ])("%j", (value, message) => {
    expect(refusal(value)).toContain(message);
    expect(validate(value)).toBe(false);
  });
});
