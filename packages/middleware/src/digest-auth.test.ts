import { accept, compose, type GatewayRequest, HeaderList, http, json } from "@gw/core";
import { openSocket, type RunningApp, run, testRequest } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { parseParameters } from "./auth/parameters.ts";
import { digestOf, secretHash } from "./digest-auth/algorithm.ts";
import { Nonces } from "./digest-auth/nonces.ts";
import {
  type DigestAlgorithm,
  type DigestAuthOptions,
  digestAuth,
  digestHashes,
  parseDigest,
  responseOf,
} from "./digest-auth.ts";

const realm = "http-auth@example.org";
const users = {
  Mufasa: { hashes: digestHashes("Mufasa", realm, "Circle of Life"), groups: ["lions"] },
  "Jäsøn Doe": { hashes: digestHashes("Jäsøn Doe", realm, "Secret, or not?") },
};
const show = ({ principal, headers }: GatewayRequest) =>
  json({ principal, authorization: headers.get("authorization") });
const appOf = (options: Partial<DigestAuthOptions> = {}) =>
  compose([digestAuth({ realm, users, ...options })], http(show));

interface Login {
  user: string;
  password: string;
  algorithm: DigestAlgorithm;
  nonce: string;
  uri: string;
  method: string;
  nc: string;
  isSession: boolean;
  /** Parameters to add, or to replace: `undefined` leaves one out. */
  change: Record<string, string | undefined>;
}

/** What a client sends, written out anew here. */
function authorization(login: Partial<Login> & Pick<Login, "nonce">): { Authorization: string } {
  const { user = "Mufasa", password = "Circle of Life", algorithm = "SHA-256", nc = "00000001" } = login;
  const { nonce, uri = "/dir/index.html", method = "GET", isSession = false, change = {} } = login;
  const cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
  const h = (text: string) => digestOf(algorithm, text);
  const a1 = h(`${user}:${realm}:${password}`);
  const key = isSession ? h(`${a1}:${nonce}:${cnonce}`) : a1;
  const response = h(`${key}:${nonce}:${nc}:${cnonce}:auth:${h(`${method}:${uri}`)}`);
  const parameters: Record<string, string | undefined> = {
    username: `"${Buffer.from(user).toString("latin1")}"`,
    realm: `"${realm}"`,
    uri: `"${uri}"`,
    algorithm: isSession ? `${algorithm}-sess` : algorithm,
    nonce: `"${nonce}"`,
    nc,
    cnonce: `"${cnonce}"`,
    qop: "auth",
    response: `"${response}"`,
    ...change,
  };
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return { Authorization: `Digest ${given.map(([name, value]) => `${name}=${value}`).join(", ")}` };
}

async function nonceOf(app: RunningApp, algorithm = "SHA-256"): Promise<string> {
  const { headers } = await app.request("/dir/index.html");
  const line = headers.getAll("www-authenticate").find((one) => one.includes(`algorithm=${algorithm}`)) ?? "";
  return parseParameters(line.replace(/^Digest /, ""))?.get("nonce") ?? "";
}

const attempt = async (app: RunningApp, login: Partial<Login> = {}) => {
  const nonce = login.nonce ?? (await nonceOf(app));
  return app.request(login.uri ?? "/dir/index.html", { headers: authorization({ nonce, ...login }) });
};

describe("RFC 7616", () => {
  const facts = {
    isSession: false,
    method: "GET",
    uri: "/dir/index.html",
    nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    nc: "00000001",
    cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
  };

  test.each([
    ["MD5", "8ca523f5e9506fed4657c9700eebdbec"],
    ["SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
  ] as const)("§3.9.1 with %s", (algorithm, response) => {
    const secret = secretHash(algorithm, "Mufasa", realm, "Circle of Life");
    expect(responseOf(secret, { ...facts, algorithm })).toBe(response);
  });

  test("§3.9.1: the field is read", () => {
    const value =
      'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, ' +
      'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, ' +
      'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, ' +
      'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", ' +
      'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
    expect(parseDigest(HeaderList.from({ Authorization: value }))).toMatchObject({
      user: "Mufasa",
      isHashed: false,
      algorithm: "SHA-256",
      uri: "/dir/index.html",
    });
  });

  test("§3.9.2: the hash of a name, as erratum 4897 has it", () => {
    expect(digestOf("SHA-512-256", "Jäsøn Doe:api@example.org")).toBe(
      "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b",
    );
  });
});

describe("a client that knows the password", () => {
  test.each(["SHA-256", "MD5", "SHA-512-256"] as const)("passes with %s, plain and -sess", async (algorithm) => {
    const app = await run(appOf({ algorithms: ["SHA-512-256", "SHA-256", "MD5"] }));
    for (const isSession of [false, true]) {
      const answer = await attempt(app, { algorithm, isSession, nonce: await nonceOf(app, algorithm) });
      expect(answer.json()).toEqual({
        principal: { user: "Mufasa", type: "Digest", groups: ["lions"], claims: {} },
        authorization: null,
      });
    }
    await app.stop();
  });

  test("may have a name in any script, plain, as username* and hashed", async () => {
    const app = await run(appOf());
    const login = { user: "Jäsøn Doe", password: "Secret, or not?" };
    const extended = { username: undefined, "username*": "UTF-8''J%C3%A4s%C3%B8n%20Doe" };
    const hashed = { username: `"${digestOf("SHA-256", `Jäsøn Doe:${realm}`)}"`, userhash: "true" };
    for (const change of [{}, extended, hashed]) {
      expect((await attempt(app, { ...login, change })).json()).toMatchObject({ principal: { user: "Jäsøn Doe" } });
    }
    await app.stop();
  });

  test("may use one nonce again with the next count, in any order", async () => {
    const app = await run(appOf());
    const nonce = await nonceOf(app);
    for (const nc of ["00000002", "00000001", "0000000a"]) expect((await attempt(app, { nonce, nc })).status).toBe(200);
    await app.stop();
  });
});

describe("what was overheard", () => {
  test("does not count twice: the client is told to take a new nonce", async () => {
    const app = await run(appOf());
    const nonce = await nonceOf(app);
    expect((await attempt(app, { nonce })).status).toBe(200);
    const again = await attempt(app, { nonce });
    expect(again.status).toBe(401);
    expect(again.headers.get("www-authenticate")).toContain("stale=true");
    await app.stop();
  });

  test("does not count for another path, query or method", async () => {
    const app = await run(appOf());
    const headers = authorization({ nonce: await nonceOf(app) });
    expect((await app.request("/other", { headers })).status).toBe(400);
    expect((await app.request("/dir/index.html?x=1", { headers })).status).toBe(400);
    expect((await app.request("/dir/index.html", { method: "DELETE", headers })).status).toBe(401);
    await app.stop();
  });

  test("does not count when its nonce is old or somebody else's; only who knows the password is told so", async () => {
    const app = await run(appOf({ nonceMs: 1 }));
    const nonce = await nonceOf(app);
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const one of [nonce, "7ypf/xlj9XXwfDPEoM4URrv", `${nonce}A`]) {
      expect((await attempt(app, { nonce: one })).headers.get("www-authenticate")).toContain("stale=true");
      const wrong = await attempt(app, { nonce: one, password: "x" });
      expect(wrong.status).toBe(401);
      expect(wrong.headers.get("www-authenticate")).not.toContain("stale");
    }
    await app.stop();
  });
});

test.each<[string, Partial<Login>, number]>([
  ["a wrong password", { password: "x" }, 401],
  ["an unknown user", { user: "Scar" }, 401],
  ["another realm", { change: { realm: '"x"' } }, 401],
  ["an algorithm that was not offered", { algorithm: "MD5" }, 401],
  ["no qop", { change: { qop: undefined } }, 400],
  ["qop=auth-int", { change: { qop: "auth-int" } }, 400],
  ["no count", { change: { nc: undefined } }, 400],
  ["a short count", { change: { nc: "1" } }, 400],
  ["an unknown algorithm", { change: { algorithm: "SHA-1" } }, 400],
  ["two names", { change: { "username*": "UTF-8''x" } }, 400],
  ["a name twice", { change: { USERNAME: '"Mufasa"' } }, 400],
  [
    "a hashed name that is extended",
    { change: { username: undefined, "username*": "UTF-8''x", userhash: "true" } },
    400,
  ],
  ["no parameters at all", { change: { uri: '"/x" junk' } }, 400],
])("refuses %s", async (_what, login, status) => {
  const app = await run(appOf());
  expect((await attempt(app, login)).status).toBe(status);
  await app.stop();
});

test("challenges with each algorithm, best first", async () => {
  const app = await run(appOf({ algorithms: ["SHA-256", "MD5"] }));
  const lines = (await app.request()).headers.getAll("www-authenticate");
  expect(lines.map((line) => line.replace(/nonce="[^"]+"/, 'nonce="…"'))).toEqual([
    `Digest realm="${realm}", qop="auth", algorithm=SHA-256, nonce="…", charset=UTF-8, userhash=true`,
    `Digest realm="${realm}", qop="auth", algorithm=MD5, nonce="…", charset=UTF-8, userhash=true`,
  ]);
  const twice = HeaderList.from([
    ["Authorization", "Digest a=b"],
    ["Authorization", "Digest a=b"],
  ]);
  expect((await app.request("/", { headers: twice })).status).toBe(400);
  await app.stop();
});

test("a function may find users, later; guessing is slowed down", async () => {
  const find = async (user: string) => (user === "Mufasa" ? users.Mufasa : null);
  const { users: _, ...rest } = { users };
  const app = await run(
    compose([digestAuth({ realm, find, throttle: { perAccountAndAddress: 2 }, ...rest })], http(show)),
  );
  expect((await attempt(app)).status).toBe(200);
  expect((await attempt(app, { user: "Scar" })).status).toBe(401);
  const statuses = [];
  for (let time = 0; time < 3; time++) statuses.push((await attempt(app, { password: "x" })).status);
  expect(statuses).toEqual([401, 401, 429]);
  await app.stop();
});

test("guards sockets, and a sync app makes no promise", async () => {
  const app = compose([digestAuth({ realm, users })], () => accept(async () => {}));
  const { response } = await openSocket(app);
  expect(response?.status).toBe(401);
  const nonce = parseParameters(response?.headers.get("www-authenticate")?.slice(7) ?? "")?.get("nonce") ?? "";
  const headers = authorization({ nonce, uri: "/chat" });
  const socket = await openSocket(app, "/chat", { headers });
  expect(socket.response).toBe(null);
  await socket.ended;
  const sync = appOf();
  expect(
    promisesMadeBy(() => void sync.handle(testRequest("/dir/index.html", { headers: authorization({ nonce }) }))),
  ).toBe(0);
});

test("processes with one key know each other's nonces", () => {
  let nowMs = 1_000_000;
  const one = new Nonces({ key: "k", lifeMs: 1_000, now: () => nowMs });
  const other = new Nonces({ key: "k", lifeMs: 1_000, now: () => nowMs });
  const nonce = one.make();
  expect(other.isFresh(nonce)).toBe(true);
  expect(new Nonces({ lifeMs: 1_000, now: () => nowMs }).isFresh(nonce)).toBe(false);
  nowMs += 1_000;
  expect(other.isFresh(nonce)).toBe(false);
});

test.each<Partial<DigestAuthOptions>>([
  { find: () => null },
  { algorithms: [] },
  { users: { ann: { hashes: { MD5: "00" } } } },
])("settings are refused: %j", (options) => {
  expect(() => appOf(options)).toThrow(expect.objectContaining({ code: "GW_DIGEST" }));
});
