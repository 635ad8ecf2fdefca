// R-H17, R-H18: whose word counts about who a client is.

import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { type GatewayRequest, text } from "@gw/core";
import { afterEach, expect, test } from "vitest";
import { type RunningServer, type ServeOptions, serve } from "../src/index.ts";
import { first } from "./certificates.ts";
import { exchange, raw, statuses } from "./raw.ts";

const servers: RunningServer[] = [];
let seen: GatewayRequest | undefined;

afterEach(async () => {
  seen = undefined;
  for (const server of servers.splice(0)) await server.close();
});

async function listen(options: ServeOptions = {}): Promise<RunningServer> {
  const server = serve(
    (request) => {
      seen = request;
      return text("ok");
    },
    { bind: "127.0.0.1:0", idleGraceMs: 0, ...options },
  );
  servers.push(server);
  await server.ready;
  return server;
}

const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n${fields}\r\n`;
const FORWARDED =
  "X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\nForwarded: for=203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\n";

test("R-H17: forwarding headers of a peer that is not listed are removed", async () => {
  const server = await listen({ trustedProxies: ["10.0.0.0/8"] });
  await exchange(server, get(FORWARDED));
  expect(seen).toMatchObject({
    client: { host: "127.0.0.1" },
    scheme: "http",
    server: { host: "www.example.com", port: 80 },
  });
  expect(seen?.headers.toJSON().map(([name]) => name)).toEqual(["Host", "Connection"]);
});

test("R-H17: those of a listed peer count, read from the right, and only those it sets itself", async () => {
  const server = await listen({ trustedProxies: ["127.0.0.0/8"] });
  await exchange(server, get(FORWARDED));
  expect(seen).toMatchObject({
    client: { host: "192.0.2.7" },
    scheme: "https",
    server: { host: "www.example.com", port: 443 },
  });
  expect(seen?.headers.has("forwarded")).toBe(false);
});

test("R-H17: a proxy that sets the host, too, may say so", async () => {
  const server = await listen({ trustedProxies: ["127.0.0.1"], forwardedFields: ["x-forwarded-host"] });
  await exchange(server, get("X-Forwarded-Host: public.example:8443\r\n"));
  expect(seen?.server).toEqual({ host: "public.example", port: 8443 });
});

test("R-H18: no client sets an identity, in any spelling; further names can be listed", async () => {
  const server = await listen({ identityHeaders: ["X-Backend-User"], trustedProxies: ["*"] });
  const fields = [
    "Remote-User",
    "remote_user",
    "REMOTE-GROUPS",
    "Auth-Type",
    "X-Remote-User",
    "X-Forwarded-User",
    "X_Forwarded_Email",
    "x-backend_user",
  ];
  await exchange(server, get(`${fields.map((name) => `${name}: root\r\n`).join("")}X-Other: kept\r\n`));
  expect(seen?.headers.toJSON().map(([name]) => name)).toEqual(["Host", "Connection", "X-Other"]);
});

test("R-H17: a PROXY header tells where the client is", async () => {
  const server = await listen({ proxyProtocol: ["127.0.0.1"] });
  await exchange(server, `PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n${get("")}`);
  expect(seen).toMatchObject({ client: { host: "192.0.2.1", port: 56324 }, scheme: "http" });
});

test("R-H17: it may come in pieces, and before the preface of HTTP/2", async () => {
  const server = await listen({ proxyProtocol: ["127.0.0.1"], h2c: true });
  const connection = await raw(server);
  for (const byte of `PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n${get("")}`) {
    connection.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(statuses(await connection.end())).toEqual([200]);
  expect(seen?.client).toEqual({ host: "192.0.2.1", port: 56324 });
});

test("R-H17: it may come before TLS", async () => {
  const server = await listen({ proxyProtocol: ["127.0.0.1"], tls: first });
  const connection = await raw(server);
  connection.write("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n");
  const socket = connectTls({ socket: connection.socket, rejectUnauthorized: false });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  socket.write(get(""));
  await once(socket, "data");
  expect(seen).toMatchObject({ client: { host: "192.0.2.1" }, scheme: "https", tls: { version: "TLSv1.3" } });
});

test("R-H17: from a listed peer it is required", async () => {
  const server = await listen({ proxyProtocol: ["127.0.0.1"] });
  expect(await exchange(server, get(""))).toBe("");
  expect(seen).toBeUndefined();
});

test("R-H17: from any other peer it is no HTTP", async () => {
  const server = await listen({ proxyProtocol: ["10.0.0.1"] });
  expect(statuses(await exchange(server, `PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n${get("")}`))).toEqual([400]);
  expect(seen).toBeUndefined();
  await exchange(server, get(""));
  expect(seen).toMatchObject({ client: { host: "127.0.0.1" } });
});

test("R-H6: a listed peer that says nothing is cut off", async () => {
  const server = await listen({ proxyProtocol: ["127.0.0.1"], limits: { handshakeTimeoutMs: 50 } });
  expect(await (await raw(server)).end()).toBe("");
});

const IDENTITY = "Remote-User: ann\r\nRemote-Groups: staff\r\nX-Remote-User: root\r\nremote_user: root\r\n";

test("R-H18: identity headers of a listed front server become params, and are in nobody's headers", async () => {
  const variables = { REMOTE_USER: "Remote-User", REMOTE_GROUPS: "Remote-Groups", REMOTE_EMAIL: "X-Front-Email" };
  const server = await listen({ identityFrom: { peers: ["127.0.0.1"], variables } });
  await exchange(server, get(`${IDENTITY}X-Front-Email: a@example.com\r\n`));
  expect([...(seen?.params ?? [])]).toEqual([
    ["REMOTE_USER", "ann"],
    ["REMOTE_GROUPS", "staff"],
    ["REMOTE_EMAIL", "a@example.com"],
  ]);
  expect(seen?.headers.toJSON().map(([name]) => name)).toEqual(["Host", "Connection"]);
  expect(seen?.principal).toBe(null);
});

test("R-H18: those of anybody else are removed only, a forwarded address makes nobody listed, and a second field is nobody's", async () => {
  const stranger = await listen({ identityFrom: { peers: ["10.0.0.0/8"] }, trustedProxies: ["127.0.0.1"] });
  await exchange(stranger, get(`${IDENTITY}X-Forwarded-For: 10.0.0.1\r\n`));
  expect([seen?.client, seen?.params.size]).toEqual([{ host: "10.0.0.1", port: 0 }, 0]);
  expect(seen?.headers.has("remote-user")).toBe(false);
  const front = await listen({ identityFrom: { peers: ["127.0.0.1"] } });
  await exchange(front, get(`${IDENTITY}REMOTE-USER: bob\r\n`));
  expect(seen?.params.size).toBe(0);
  await exchange(front, get("remote_user: root\r\nX-Remote-User: root\r\n"));
  expect(seen?.params.size).toBe(0);
  await exchange(front, get("Remote-User:\r\n"));
  expect(seen?.params.size).toBe(0);
});

test.each([{ "REMOTE USER": "Remote-User" }, { HTTP_X: "X" }, { REMOTE_USER: "Remote User" }])(
  "what is no variable or no field is refused: %j",
  (variables) => {
    expect(() => serve(() => text(""), { bind: "127.0.0.1:0", identityFrom: { peers: [], variables } })).toThrow(
      expect.objectContaining({ code: "GW_HTTP_OPTION" }),
    );
  },
);
