import { expect, test } from "vitest";
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
