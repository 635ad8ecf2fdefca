import { compose, type GatewayRequest, http, json } from "@gw/core";
import { request } from "@gw/core/testing";
import { expect, test } from "vitest";
import { type ProxyHeadersOptions, proxyHeaders } from "./proxy-headers.ts";

const show = ({ client, scheme, server, headers }: GatewayRequest) =>
  json({ client, scheme, server, names: [...headers].map(([name]) => name) });
const appOf = (options: Partial<ProxyHeadersOptions> = {}) =>
  compose([proxyHeaders({ proxies: ["127.0.0.1"], ...options })], http(show));
const forwarded = {
  Host: "site.example",
  "X-Forwarded-For": "198.51.100.4, 203.0.113.9",
  "X-Forwarded-Proto": "https",
};

test("R-H17: a listed proxy tells client and scheme, from the right", async () => {
  const answer = await request(appOf(), "/", { headers: forwarded });
  expect(answer.json()).toEqual({
    client: { host: "203.0.113.9", port: 0 },
    scheme: "https",
    server: { host: "site.example", port: 443 },
    names: ["Host", "X-Forwarded-For", "X-Forwarded-Proto"],
  });
});

test("R-H17: fields of anybody else are removed and change nothing", async () => {
  const stranger = { host: "192.0.2.1", port: 9 };
  const answer = await request(appOf(), "/", { headers: forwarded, client: stranger });
  expect(answer.json()).toEqual({
    client: stranger,
    scheme: "http",
    server: { host: "localhost", port: 80 },
    names: ["Host"],
  });
});

test("a host counts only where the proxy is said to set it", async () => {
  const headers = { ...forwarded, "X-Forwarded-Host": "www.example:8443" };
  const fields = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"];
  expect((await request(appOf(), "/", { headers })).json()).toMatchObject({ server: { host: "site.example" } });
  expect((await request(appOf({ fields }), "/", { headers })).json()).toMatchObject({
    server: { host: "www.example", port: 8443 },
  });
});

test("Forwarded (RFC 7239) is read where it is asked for", async () => {
  const headers = { Forwarded: 'for="[2001:db8::7]:4711";proto=https;host=www.example' };
  expect((await request(appOf({ fields: ["forwarded"] }), "/", { headers })).json()).toMatchObject({
    client: { host: "2001:db8::7", port: 4711 },
    scheme: "https",
    server: { host: "www.example", port: 443 },
  });
});

test("a request without such fields stays as it is", async () => {
  expect((await request(appOf())).json()).toMatchObject({ scheme: "http", names: ["Host"] });
});

test("a malformed host of a proxy is 400, a malformed entry stops the start", async () => {
  const headers = { "X-Forwarded-Host": "a b" };
  expect((await request(appOf({ fields: ["x-forwarded-host"] }), "/", { headers })).status).toBe(400);
  expect(() => proxyHeaders({ proxies: ["10.0.0.1/8"] })).toThrow(expect.objectContaining({ code: "GW_PEER_LIST" }));
});
