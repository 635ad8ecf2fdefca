import { describe, expect, test } from "vitest";
import type { Settings } from "../config/arguments.ts";
import { effectiveSettings } from "../config/settings.ts";
import { bindsOf, serveOptionsOf } from "./server-options.ts";

const settings = (flags: Settings, environment: Settings = {}, file: Settings = {}) =>
  effectiveSettings(flags, environment, file);
const optionsOf = (flags: Settings) => serveOptionsOf(settings(flags), { isDevelopment: false });

describe("bindsOf", () => {
  test.each([
    ["nothing", {}, ["127.0.0.1:8000"]],
    ["a port", { port: 0 }, ["127.0.0.1:0"]],
    ["a host", { host: "0.0.0.0" }, ["0.0.0.0:8000"]],
    ["an IPv6 host", { host: "::1", port: 1 }, ["[::1]:1"]],
    ["several binds", { bind: ["unix:/s", "127.0.0.1:1"] }, ["unix:/s", "127.0.0.1:1"]],
    ["a socket and a descriptor", { uds: "/s", fd: 3 }, ["unix:/s", "fd://3"]],
    ["a socket and a port", { uds: "/s", port: 1 }, ["unix:/s", "127.0.0.1:1"]],
  ] as const)("binds what the flags say: %s", (_what, flags, binds) => expect(bindsOf(settings(flags))).toEqual(binds));

  test("--port on the command line does not add to the bind of the file, it takes its place", () => {
    expect(bindsOf(settings({ port: 3000 }, {}, { bind: ["0.0.0.0:80"] }))).toEqual(["127.0.0.1:3000"]);
    expect(bindsOf(settings({ bind: ["unix:/s"] }, { port: 1 }, { fd: 3 }))).toEqual(["unix:/s"]);
  });

  test("host and port of different sources belong together", () => {
    expect(bindsOf(settings({ port: 3000 }, { host: "::" }, { port: 1 }))).toEqual(["[::]:3000"]);
  });
});

describe("serveOptionsOf", () => {
  test("gives every serving flag to the server", () => {
    expect(
      optionsOf({
        http: "2",
        h2c: true,
        sslCertfile: "/c.pem",
        timeout: 1,
        headerTimeout: 2,
        keepAlive: 3,
        gracefulTimeout: 4,
        limitConcurrency: 5,
        limitRequestBody: 6,
        proxyHeaders: true,
        proxyProtocol: true,
        forwardedAllowIps: ["10.0.0.0/8"],
        identityFrom: ["10.0.0.2", "unix"],
        identityHeader: ["REMOTE_USER=X-User", "REMOTE_GROUPS=X-Groups"],
      }),
    ).toEqual({
      bind: ["127.0.0.1:8000"],
      http: 2,
      h2c: true,
      tls: { certFile: "/c.pem", keyFile: "/c.pem" },
      trustedProxies: ["10.0.0.0/8"],
      proxyProtocol: ["10.0.0.0/8"],
      identityFrom: {
        peers: ["10.0.0.2", "unix"],
        variables: { REMOTE_USER: "X-User", REMOTE_GROUPS: "X-Groups" },
      },
      gracefulTimeoutMs: 4,
      limits: {
        requestTimeoutMs: 1,
        headerTimeoutMs: 2,
        keepAliveTimeoutMs: 3,

        maxBodyBytes: 6,
      },
    });
  });

  test("believes nobody unless told, then the peers of this machine", () => {
    expect(optionsOf({})).not.toHaveProperty("trustedProxies");
    expect(optionsOf({ forwardedAllowIps: ["*"] })).not.toHaveProperty("trustedProxies");
    expect(optionsOf({ proxyHeaders: true }).trustedProxies).toEqual(["127.0.0.1", "::1", "unix"]);
  });

  test("R-H18: no peer says who a user is unless it is named, not even one of this machine", () => {
    expect(optionsOf({ proxyHeaders: true })).not.toHaveProperty("identityFrom");
    expect(optionsOf({ identityFrom: ["unix"] }).identityFrom).toEqual({ peers: ["unix"] });
  });

  test("gw dev waits a second for what still runs, unless told otherwise", () => {
    const inDevelopment = (flags: Settings) =>
      serveOptionsOf(settings(flags), { isDevelopment: true }).gracefulTimeoutMs;
    expect(inDevelopment({})).toBe(1_000);
    expect(inDevelopment({ gracefulTimeout: 5_000 })).toBe(5_000);
    expect(optionsOf({}).gracefulTimeoutMs).toBe(30_000);
  });

  test.each([
    [{ bind: ["nowhere"] }, 'not an address to bind to: "nowhere"'],
    [{ host: "a b" }, "not an address to bind to"],
    [{ sslKeyfile: "/k.pem" }, "--ssl-keyfile needs --ssl-certfile"],
    [{ forwardedAllowIps: ["300.1.1.1"] }, "--forwarded-allow-ips: "],
    [{ identityFrom: ["300.1.1.1"] }, "--identity-from: "],
    [{ identityHeader: ["REMOTE_USER=X-User"] }, "--identity-header needs --identity-from"],
    [
      { identityFrom: ["unix"], identityHeader: ["X-User"] },
      'expected VARIABLE=Header such as REMOTE_USER=Remote-User, found "X-User"',
    ],
    [{ identityFrom: ["unix"], identityHeader: ["HTTP_USER=X-User"] }, "expected VARIABLE=Header"],
  ] as const)("refuses %j as wrong use", (flags, message) => {
    expect(() => optionsOf(flags)).toThrow(
      expect.objectContaining({ code: "GW_USAGE", message: expect.stringContaining(message) }),
    );
  });
});
