import { accept, compose, text } from "@gw/core";
import { openSocket, request } from "@gw/core/testing";
import { expect, test } from "vitest";
import { trustedHost } from "./trusted-host.ts";

const hosts = ["example.com", "*.example.org", "[::1]"];
const app = compose([trustedHost({ hosts })], (given) =>
  given.kind === "websocket" ? accept(async () => {}) : text("inside"),
);
const statusOf = async (host: string, server = "example.com") =>
  (await request(app, "/", { headers: { Host: host }, server: { host: server, port: 80 } })).status;

test.each([
  ["example.com", 200],
  ["EXAMPLE.com:8080", 200],
  ["example.com.", 200],
  ["www.example.com", 421],
  ["example.com.evil.test", 421],
  ["a.example.org", 200],
  ["a.b.example.org", 200],
  ["example.org", 421],
  ["evilexample.org", 421],
  ["[::1]:8000", 200],
  ["a b", 400],
  ["example.com@evil.test", 400],
  ["", 400],
])("Host %j → %i", async (host, status) => {
  expect(await statusOf(host)).toBe(status);
});

test("the server's name must be listed as well: it becomes SERVER_NAME", async () => {
  expect(await statusOf("example.com", "evil.test")).toBe(421);
});

test("several Host fields are refused; without one the server's name counts", async () => {
  const server = { host: "example.com", port: 80 };
  const twice = [
    ["Host", "example.com"],
    ["Host", "evil.test"],
  ] as const;
  expect((await request(app, "/", { headers: twice, server })).status).toBe(400);
  expect((await request(app, "/", { server: { host: "evil.test", port: 80 } })).status).toBe(421);
});

test("a socket for another host is refused", async () => {
  expect((await openSocket(app, "/", { headers: { Host: "evil.test" } })).response?.status).toBe(421);
});

test.each(["http://example.com", "example.com:80", "a b", "", "*.", "*"])("%j is no host to list", (host) => {
  expect(() => trustedHost({ hosts: [host] })).toThrow(expect.objectContaining({ code: "GW_TRUSTED_HOST" }));
});
