import { text } from "@gw/core";
import { expect, onTestFinished, test, vi } from "vitest";
import { fastcgi, phpFpm, serveFastcgi } from "./index.ts";

test.each([
  [{ maxConnections: 0 }, "maxConnections is a whole number from 1 on, or Infinity, found 0"],
  [{ headerTimeoutMs: Number.NaN }, "headerTimeoutMs is milliseconds from 0 on, or Infinity, found NaN"],
  [{ keepAliveMs: Number.POSITIVE_INFINITY }, "keepAliveMs is milliseconds from 0 to 2147483647, found Infinity"],
])("fastcgi() refuses %j", (options, message) => {
  expect(() => fastcgi({ address: "127.0.0.1:9", ...options })).toThrow(
    expect.objectContaining({ code: "GW_FCGI_OPTION", message }),
  );
});

test.each([
  [{ maxChildren: 0 }, "maxChildren is a whole number from 1 to 1024, found 0"],
  [{ maxRequests: -1 }, "maxRequests is a whole number from 0 to 2147483647, found -1"],
  [{ pm: "prefork" as "static" }, 'pm is static, dynamic or ondemand, found "prefork"'],
])("phpFpm() refuses to start PHP with %j", (start, message) => {
  expect(() => phpFpm({ root: ".", start })).toThrow(expect.objectContaining({ code: "GW_FCGI_OPTION", message }));
});

test.each([
  [{ headerTimeoutMs: Number.NaN }, "headerTimeoutMs is milliseconds from 0 to 2147483647, found NaN"],
  [{ maxConnections: 0 }, "maxConnections is a whole number from 1 on, or Infinity, found 0"],
])("serveFastcgi() refuses %j, and listens nowhere", (options, message) => {
  expect(() => serveFastcgi(() => null as never, { listen: "127.0.0.1:0", ...options })).toThrow(
    expect.objectContaining({ code: "GW_FCGI_OPTION", message }),
  );
});

test("pm is refused for php-cgi, which knows none", () => {
  expect(() => phpFpm({ root: ".", start: { command: "/usr/bin/php-cgi8.2", pm: "static" } })).toThrow(
    expect.objectContaining({ code: "GW_FCGI_OPTION", message: expect.stringContaining("pm is for PHP-FPM") }),
  );
  phpFpm({ root: ".", start: { command: "php-cgi", maxChildren: 2 } });
});

test.each(["", "uploads/", "/a/../b/", "/./x", "//uploads"])("phpFpm() refuses noScripts %j", (folder) => {
  expect(() => phpFpm({ root: ".", start: true, noScripts: [folder] })).toThrow(
    expect.objectContaining({ code: "GW_FCGI_OPTION", message: expect.stringContaining("noScripts: found") }),
  );
});

test("a list of peers that cannot be read is named", () => {
  expect(() => serveFastcgi(() => text(""), { listen: "127.0.0.1:0", allowedPeers: ["not-an-ip"] })).toThrow(
    expect.objectContaining({ code: "GW_PEER_LIST", message: expect.stringMatching(/^allowedPeers: "not-an-ip": /) }),
  );
  vi.stubEnv("FCGI_WEB_SERVER_ADDRS", "127.0.0.1,nobody");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(() => serveFastcgi(() => text(""), { listen: "127.0.0.1:0" })).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^FCGI_WEB_SERVER_ADDRS: "nobody": /) }),
  );
});
