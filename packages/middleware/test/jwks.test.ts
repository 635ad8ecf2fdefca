// The keys of an issuer, fetched over real sockets: what is taken, what it may cost, and what an outage changes.
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { compose, http, json, silentLogger } from "@gw/core";
import { type RunningApp, run } from "@gw/core/testing";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type JwksOptions, RemoteKeys } from "../src/jwt/remote-keys.ts";
import { verifyToken } from "../src/jwt/verify.ts";
import { jwt } from "../src/jwt.ts";

const first = generateKeyPairSync("ec", { namedCurve: "P-256" });
const second = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwkOf = (key: KeyObject, kid: string, more: object = {}) => ({ ...key.export({ format: "jwk" }), kid, ...more });
const setOf = (...keys: object[]): string => JSON.stringify({ keys });
const rules = { issuer: "https://login.example", audience: "app", algorithms: ["ES256"] as const };
const sign = (key: KeyObject, kid?: string, alg = "ES256") =>
  new SignJWT({ sub: "ann" })
    .setIssuer(rules.issuer)
    .setAudience(rules.audience)
    .setExpirationTime("5m")
    .setProtectedHeader({ alg, ...(kid !== undefined && { kid }) })
    .sign(key);

let server: Server;
let fetched = 0;
let answer: RequestListener;
let now = 0;

beforeEach(async () => {
  fetched = 0;
  now = 1_000_000;
  answer = (_request, response) => response.end(setOf(jwkOf(first.publicKey, "1")));
  server = createServer((request, response) => {
    fetched++;
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const urlOf = (path = "/keys"): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
const keysOf = (options: Partial<JwksOptions> = {}) =>
  new RemoteKeys({ url: urlOf(), allowHttp: true, ...options }, ["ES256"], () => now);
const check = async (keys: RemoteKeys, token: string) =>
  verifyToken(token, { ...rules, types: [], clockSkewMs: 0 }, keys);
const good = { claims: expect.objectContaining({ sub: "ann" }) };
const unknown = { problem: "signed with an unknown key" };

describe("R-M4: which keys count", () => {
  test.each<[string, string]>([
    ["http to another host", "http://keys.example/"],
    ["http without being asked", "http://127.0.0.1/"],
    ["another scheme", "file:///etc/passwd"],
    ["no URL", "keys"],
    ["a password in the URL", "https://a:b@keys.example/"],
  ])("%s is refused at once", (_what, url) => {
    const allowHttp = !url.includes("127.0.0.1");
    expect(() => new RemoteKeys({ url, allowHttp }, ["ES256"])).toThrow(
      expect.objectContaining({ code: "GW_OUTBOUND_URL" }),
    );
  });

  test("those for signatures, of the configured algorithms; the others are passed over", async () => {
    const set = setOf(
      { kty: "oct", k: "AAAA", kid: "secret" },
      { kty: "new", kid: "new" },
      jwkOf(second.publicKey, "for encryption", { use: "enc" }),
      jwkOf(second.publicKey, "for signing only", { key_ops: ["sign"] }),
      jwkOf(second.publicKey, "of another algorithm", { alg: "ES384" }),
      jwkOf(second.privateKey, "private"),
      jwkOf(first.publicKey, "1", { use: "sig", alg: "ES256" }),
    );
    answer = (_request, response) => response.end(set);
    const keys = keysOf();
    expect((await keys.current()).map(({ kid }) => kid)).toEqual(["1"]);
    expect(await check(keys, await sign(first.privateKey, "1"))).toEqual(good);
    expect(await check(keys, await sign(first.privateKey))).toEqual(good); // a token without a name is tried
    expect(await check(keys, await sign(second.privateKey, "1"))).toEqual({ problem: "signature" });
  });

  test.each<[string, RequestListener]>([
    ["a redirect", (_request, response) => response.writeHead(302, { Location: urlOf("/other") }).end()],
    [
      "a status other than 200",
      (_request, response) => response.writeHead(500).end(setOf(jwkOf(first.publicKey, "1"))),
    ],
    [
      "more than maxBytes",
      (_request, response) => response.end(setOf(jwkOf(first.publicKey, "1"), { x: "x".repeat(5_000) })),
    ],
    ["no JSON", (_request, response) => response.end("<html>")],
    ["no set", (_request, response) => response.end("[]")],
    ["no usable key", (_request, response) => response.end(setOf())],
    ["nothing in time", () => {}],
    ["a head and no end", (_request, response) => response.writeHead(200).write("{")],
  ])("%s is no answer: 503 until there is one", async (_what, listener) => {
    answer = listener;
    const keys = keysOf({ timeoutMs: 150, maxBytes: 4_096 });
    await expect(keys.current()).rejects.toMatchObject({ code: "GW_JWKS", status: 503 });
    expect(fetched).toBe(1);
    expect(keys.status()).toMatchObject({ state: "starting", error: expect.any(String) });
  });
});

describe("R-M4: how often they are fetched", () => {
  test("once for many requests at once, and not again while they are fresh", async () => {
    const keys = keysOf();
    const token = await sign(first.privateKey, "1");
    expect(await Promise.all(Array.from({ length: 20 }, () => check(keys, token)))).toEqual(Array(20).fill(good));
    now += 599_999;
    expect(await check(keys, token)).toEqual(good);
    expect(fetched).toBe(1);
  });

  test("for a new key at once, but names that nobody has do not fetch more than once in cooldownMs", async () => {
    const keys = keysOf();
    await keys.start(silentLogger);
    now += 30_000;
    answer = (_request, response) => response.end(setOf(jwkOf(first.publicKey, "1"), jwkOf(second.publicKey, "2")));
    expect(await check(keys, await sign(second.privateKey, "2"))).toEqual(good);
    expect(fetched).toBe(2);
    for (let name = 0; name < 50; name++)
      expect(await check(keys, await sign(second.privateKey, `${name}x`))).toEqual(unknown);
    expect(fetched).toBe(2);
    now += 30_000;
    expect(await check(keys, await sign(second.privateKey, "nobody"))).toEqual(unknown);
    expect(fetched).toBe(3);
  });

  test("an algorithm that is not configured fetches nothing", async () => {
    const keys = keysOf();
    await keys.start(silentLogger);
    now += 60_000;
    const other = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    expect(await check(keys, await sign(other.privateKey, "9", "RS256"))).toEqual({ problem: "algorithm" });
    expect(fetched).toBe(1);
  });

  test("old keys are renewed beside the request, which does not wait", async () => {
    const keys = keysOf();
    await keys.start(silentLogger);
    const hanging = new Promise<void>((resolve) => {
      answer = (_request, response) => {
        resolve();
        void response; // never answers: whoever waited for it would hang
      };
    });
    now += 600_000;
    expect(await check(keys, await sign(first.privateKey, "1"))).toEqual(good);
    await hanging;
    expect(fetched).toBe(2);
  });
});

describe("R-M4, R-O7: an issuer that is out", () => {
  test("known keys go on working, however long, and a new key is taken when it is back", async () => {
    const keys = keysOf();
    await keys.start(silentLogger);
    answer = (request) => request.socket.destroy();
    const token = await sign(first.privateKey, "1");
    for (let hour = 0; hour < 24; hour++) {
      now += 3_600_000;
      expect(await check(keys, token)).toEqual(good);
      await keys.renewed(); // the fetch that was begun beside it
    }
    expect(keys.status()).toMatchObject({ state: "ready", error: expect.any(String), facts: { keys: 1 } });
    answer = (_request, response) => response.end(setOf(jwkOf(second.publicKey, "2")));
    now += 30_000;
    expect(await check(keys, await sign(second.privateKey, "2"))).toEqual(good);
    expect(await check(keys, token)).toEqual(unknown);
    expect(keys.status()).toMatchObject({ state: "ready", error: null });
  });

  test("from the start: the gateway starts, tokens get 503 with Retry-After, and it heals without a restart", async () => {
    const healthy = answer;
    answer = (request) => request.socket.destroy();
    const layer = jwt({ ...rules, jwks: { url: urlOf(), allowHttp: true, cooldownMs: 1 } });
    const app: RunningApp = await run(
      compose(
        [layer],
        http(({ principal }) => json(principal)),
      ),
    );
    const token = await sign(first.privateKey, "1");
    const ask = () => app.request("/", { headers: { Authorization: `Bearer ${token}` } });
    const refused = await ask();
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    expect((await app.request("/")).status).toBe(401); // who has no token is told so all the same
    answer = healthy;
    await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(200);
    await app.stop();
  });
});
