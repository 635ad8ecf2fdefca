import { createHmac, generateKeyPairSync } from "node:crypto";
import {
  accept,
  compose,
  createContext,
  createCounters,
  type GatewayRequest,
  HeaderList,
  json,
  layer,
  type Principal,
  withPrincipal,
} from "@gw/core";
import { openSocket, request, run, testRequest } from "@gw/core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import {
  type GatewayIdentityOptions,
  gatewayIdentity,
  type SignIdentityOptions,
  signIdentity,
} from "./gateway-identity.ts";

const ann: Principal = {
  user: "Jürgen",
  type: "oidc",
  groups: ["staff", "a,b"],
  claims: { email: "a@example.com", secret: 1 },
};
const secret = "a secret of at least thirty-two bytes";
const both = { issuer: "front", audience: "back", keys: [{ id: "1", secret }] };
const pair = generateKeyPairSync("ed25519", {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

const as = (principal: Principal | null) =>
  layer({ name: "as", onRequest: (given) => (principal === null ? given : withPrincipal(given, principal)) });
/** The field that the gateway in front sends. */
const sent = async (
  options: Partial<SignIdentityOptions> = {},
  principal: Principal | null = ann,
  headers: Record<string, string> = {},
) => {
  let found: readonly string[] = [];
  let names: string[] = [];
  const app = compose([as(principal), signIdentity({ ...both, ...options })], (given: GatewayRequest) => {
    found = given.headers.getAll(options.header ?? "Gateway-Identity");
    names = [...given.headers].map(([name]) => name);
    return json({});
  });
  await request(app, "/", { headers });
  return { identity: found[0] ?? "", count: found.length, names };
};
const back = (options: Partial<GatewayIdentityOptions> = {}) =>
  compose([gatewayIdentity({ ...both, ...options })], (given) =>
    given.kind === "websocket"
      ? accept(async () => {})
      : json({ principal: given.principal, names: [...given.headers].map(([name]) => name) }),
  );
const receive = (identity: string, options: Partial<GatewayIdentityOptions> = {}) =>
  request(back(options), "/", { headers: { "Gateway-Identity": identity } });

afterEach(() => {
  vi.useRealTimers();
});

describe("an identity", () => {
  test("carries user, type and groups, and the claims that are asked for, and goes no further", async () => {
    const { identity } = await sent({ claims: ["email", "missing"] });
    expect((await receive(identity)).json()).toEqual({
      principal: { ...ann, claims: { email: "a@example.com" } },
      names: ["Host"],
    });
  });

  test("is signed with Ed25519 where the receiver shall not be able to sign", async () => {
    const { identity } = await sent({ keys: [{ id: "ed", privateKey: pair.privateKey }] });
    const options = { keys: [{ id: "ed", publicKey: pair.publicKey }] };
    expect((await receive(identity, options)).json()).toMatchObject({ principal: { user: "Jürgen", claims: {} } });
    const cut = `${identity.slice(0, -4)}AAAA`;
    expect((await receive(cut, options)).status).toBe(401);
    expect(() => signIdentity({ ...both, ...options })).toThrow(
      expect.objectContaining({ code: "GW_GATEWAY_IDENTITY" }),
    );
  });

  test("may be signed with the new key while the old one still counts", async () => {
    const [old, fresh] = [
      { id: "old", secret },
      { id: "new", secret: `${secret}, another one` },
    ];
    const keys = [old, fresh];
    expect((await receive((await sent({ keys: [old] })).identity, { keys })).status).toBe(200);
    expect((await receive((await sent({ keys: [fresh, old] })).identity, { keys })).status).toBe(200);
    expect((await receive((await sent({ keys: [old] })).identity, { keys: [fresh] })).status).toBe(401);
  });

  test("opens sockets, and makes no promise", async () => {
    const headers = { "Gateway-Identity": (await sent()).identity };
    const socket = await openSocket(back(), "/", { headers });
    expect(socket.response).toBe(null);
    await socket.ended;
    const { identity } = await sent();
    const app = back();
    expect(promisesMadeBy(() => void app.handle(testRequest("/", { headers: { "Gateway-Identity": identity } })))).toBe(
      0,
    );
  });

  test("is not there for a request without a user, which passes as nobody's", async () => {
    expect((await sent({}, null)).count).toBe(0);
    expect((await request(back(), "/")).json()).toMatchObject({ principal: null });
  });
});

describe("R-H18: a client", () => {
  test.each([["Gateway-Identity"], ["gateway_identity"], ["GATEWAY.IDENTITY"]])(
    "cannot add one on its way in: %s",
    async (name) => {
      const own = (await sent()).identity;
      const { count, identity, names } = await sent({}, ann, { [name]: own });
      expect([count, names]).toEqual([1, ["Host", "Gateway-Identity"]]);
      expect(identity).not.toBe(own);
      expect((await sent({}, null, { [name]: own })).names).toEqual(["Host"]);
    },
  );

  test("cannot have another spelling pass beside the right one", async () => {
    const headers = HeaderList.from([
      ["gateway_identity", "forged"],
      ["Gateway-Identity", (await sent()).identity],
    ]);
    expect((await request(back(), "/", { headers })).json()).toMatchObject({
      principal: { user: "Jürgen" },
      names: ["Host"],
    });
    const twice = headers.append("Gateway-Identity", "forged");
    expect((await request(back(), "/", { headers: twice })).status).toBe(400);
  });
});

describe("refused with 401 is an identity", () => {
  const forge =
    (change: (header: Record<string, unknown>, payload: Record<string, unknown>) => void, key = secret) =>
    async () => {
      const [head = "", body = ""] = (await sent()).identity.split(".");
      const [header, payload] = [head, body].map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
      change(header, payload);
      const input = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
      return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
    };

  test("that comes a second time, whichever process it comes to, and a fresh one is not", async () => {
    const context = createContext({ counters: createCounters() });
    const [one, other] = [await run(back(), { context }), await run(back(), { context })];
    const ask = async (app: typeof one, identity: string) =>
      (await app.request("/", { headers: { "Gateway-Identity": identity } })).status;
    const { identity } = await sent();
    expect([await ask(one, identity), await ask(one, identity), await ask(other, identity)]).toEqual([200, 401, 401]);
    expect(await ask(other, (await sent()).identity)).toBe(200);
    await one.stop();
    await other.stop();
  });

  test("before and after its time", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_700_000_000_000 });
    const early = await sent();
    vi.setSystemTime(1_700_000_000_000 - 5_001);
    expect((await receive(early.identity)).status).toBe(401);
    vi.setSystemTime(1_700_000_000_000 - 5_000);
    expect((await receive(early.identity)).status).toBe(200);
    vi.setSystemTime(1_700_000_000_000 + 34_999);
    expect((await receive(early.identity)).status).toBe(200);
    vi.setSystemTime(1_700_000_000_000 + 35_000);
    expect((await receive(early.identity)).status).toBe(401);
  });

  test.each<[string, () => Promise<string> | string]>([
    ["for another receiver", async () => (await sent({ audience: "other" })).identity],
    ["of another sender", async () => (await sent({ issuer: "other" })).identity],
    ["signed with another secret", async () => (await sent({ keys: [{ id: "1", secret: `${secret}!` }] })).identity],
    ["of an unknown key", async () => (await sent({ keys: [{ id: "2", secret }] })).identity],
    ["that lives too long", async () => (await sent({ lifetimeMs: 60_001 })).identity],
    ["without a signature", async () => (await sent()).identity.replace(/[^.]+$/, "")],
    ["with alg none", forge((header) => Object.assign(header, { alg: "none" }))],
    ["with another algorithm", forge((header) => Object.assign(header, { alg: "EdDSA" }))],
    ["of another type", forge((header) => Object.assign(header, { typ: "JWT" }))],
    ["with crit", forge((header) => Object.assign(header, { crit: ["b64"] }))],
    ["without an id", forge((_header, payload) => void delete payload.jti)],
    ["without a time", forge((_header, payload) => void delete payload.iat)],
    ["without an end", forge((_header, payload) => void delete payload.exp)],
    ["without a user", forge((_header, payload) => Object.assign(payload, { sub: "" }))],
    ["with groups that are no texts", forge((_header, payload) => Object.assign(payload, { groups: [1] }))],
    ["with claims that are none", forge((_header, payload) => Object.assign(payload, { claims: [] }))],
    ["that is text", () => "ann"],
    ["that is too long", () => `${"A".repeat(16_385)}.A.A`],
  ])("%s", async (_what, make) => {
    expect((await receive(await make())).status).toBe(401);
  });

  test("forged by nobody: the way these are made passes unchanged", async () => {
    expect((await receive(await forge(() => {})())).status).toBe(200);
  });
});

test.each<[string, Partial<SignIdentityOptions>]>([
  ["no key", { keys: [] }],
  ["a short secret", { keys: [{ id: "1", secret: "short" }] }],
  ["two kinds in one key", { keys: [{ id: "1", secret, publicKey: pair.publicKey }] }],
  ["a key that is none", { keys: [{ id: "1", privateKey: "hello" }] }],
  [
    "a key of another kind",
    {
      keys: [
        {
          id: "1",
          privateKey: generateKeyPairSync("rsa", {
            modulusLength: 2_048,
            publicKeyEncoding: { type: "spki", format: "pem" },
            privateKeyEncoding: { type: "pkcs8", format: "pem" },
          }).privateKey,
        },
      ],
    },
  ],
  ["two keys of one name", { keys: [both.keys[0] as { id: string }, both.keys[0] as { id: string }] }],
  ["a key without a name", { keys: [{ id: "", secret }] }],
  ["no audience", { audience: "" }],
  ["a field that carriers remove", { header: "Remote-User" }],
  ["no field", { header: "a b" }],
])("settings are refused: %s", (_why, options) => {
  for (const make of [signIdentity, gatewayIdentity]) {
    expect(() => make({ ...both, ...options })).toThrow(expect.objectContaining({ code: "GW_GATEWAY_IDENTITY" }));
  }
});
