import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { accept, compose, type GatewayRequest, HeaderList, http, json } from "@gw/core";
import { openSocket, request } from "@gw/core/testing";
import { SignJWT } from "jose";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type JwtAlgorithm, type JwtClaims, type JwtOptions, jwt, jwtVerifier } from "./jwt.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");
const secret = "a secret of at least thirty-two bytes, and more than that for the longest hash";
const rules = { issuer: "https://login.example", audience: "https://app.example" };
const rsOptions: JwtOptions = { ...rules, algorithms: ["RS256"], publicKey: rsa.publicKey };

const show = (given: GatewayRequest) =>
  json({ principal: given.principal, names: [...given.headers].map(([name]) => name) });
const appOf = (options: JwtOptions = rsOptions) => compose([jwt(options)], http(show));
const ask = (options: JwtOptions, token: string) =>
  request(appOf(options), "/", { headers: { Authorization: `Bearer ${token}` } });

const good: JwtClaims = { iss: rules.issuer, aud: rules.audience, sub: "ann", groups: ["staff"] };
type Key = KeyObject | Uint8Array;
/** A token; `undefined` takes a claim out. */
const sign = (
  claims: JwtClaims = {},
  key: Key = rsa.privateKey,
  header: Record<string, unknown> = { alg: "RS256" },
) => {
  const exp = Math.floor(Date.now() / 1_000) + 300;
  return new SignJWT({ ...good, exp, ...claims }).setProtectedHeader(header as { alg: string }).sign(key);
};
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

afterEach(() => {
  vi.useRealTimers();
});

describe("a good token", () => {
  test("names the user and the groups, with all its claims, and goes no further", async () => {
    const token = await sign({ email: "ann@example.com" });
    expect((await ask(rsOptions, token)).json()).toEqual({
      principal: {
        user: "ann",
        type: "Bearer",
        groups: ["staff"],
        claims: { ...good, email: "ann@example.com", exp: expect.any(Number) },
      },
      names: ["Host"],
    });
  });

  test.each<[string, JwtOptions, Key, string]>([
    ["RS256", rsOptions, rsa.privateKey, "RS256"],
    ["PS512", { ...rules, algorithms: ["PS512"], publicKey: rsa.publicKey }, rsa.privateKey, "PS512"],
    ["ES256", { ...rules, algorithms: ["ES256"], publicKey: p256.publicKey }, p256.privateKey, "ES256"],
    ["EdDSA", { ...rules, algorithms: ["EdDSA"], publicKey: ed.publicKey }, ed.privateKey, "EdDSA"],
    ["Ed25519", { ...rules, algorithms: ["Ed25519"], publicKey: ed.publicKey }, ed.privateKey, "Ed25519"],
    ["HS256", { ...rules, algorithms: ["HS256"], secret }, Buffer.from(secret), "HS256"],
    ["HS512", { ...rules, algorithms: ["HS512"], secret }, Buffer.from(secret), "HS512"],
  ])("may be signed with %s", async (_name, options, key, alg) => {
    expect((await ask(options, await sign({}, key, { alg }))).json()).toMatchObject({ principal: { user: "ann" } });
    const other = await sign({ sub: "root" }, key, { alg });
    const forged = [...other.split(".").slice(0, 2), (await sign({}, key, { alg })).split(".")[2]].join(".");
    expect((await ask(options, forged)).status).toBe(401);
  });

  test.each<[string, unknown]>([
    ["PEM", rsa.publicKey.export({ type: "spki", format: "pem" })],
    ["a JWK", rsa.publicKey.export({ format: "jwk" })],
    [
      "a list while keys change",
      [p256.publicKey, generateKeyPairSync("rsa", { modulusLength: 2_048 }).publicKey, rsa.publicKey],
    ],
  ])("is checked with a key given as %s", async (_how, publicKey) => {
    const options = { ...rsOptions, algorithms: ["RS256", "ES256"], publicKey } as JwtOptions;
    if (!Array.isArray(publicKey)) Object.assign(options, { algorithms: ["RS256"] });
    expect((await ask(options, await sign())).status).toBe(200);
  });

  test("may have several audiences and an explicit type", async () => {
    const token = await sign({ aud: ["https://other.example", rules.audience] }, rsa.privateKey, {
      alg: "RS256",
      typ: "at+JWT",
    });
    expect((await ask(rsOptions, token)).status).toBe(200);
  });

  test("names user and groups by other claims, or as a function says", async () => {
    const token = await sign({ preferred_username: "ann.b", roles: "staff ops" });
    const byClaims = { ...rsOptions, userClaim: "preferred_username", groupsClaim: "roles" };
    expect((await ask(byClaims, token)).json()).toMatchObject({
      principal: { user: "ann.b", groups: ["staff", "ops"] },
    });
    const owner = async ({ sub }: JwtClaims) => ({ user: `id:${sub}`, claims: { small: true } });
    expect((await ask({ ...rsOptions, owner }, token)).json()).toMatchObject({
      principal: { user: "id:ann", groups: [], claims: { small: true } },
    });
    expect((await ask({ ...rsOptions, owner: () => null }, token)).status).toBe(401);
    expect((await ask({ ...rsOptions, userClaim: "nickname" }, token)).status).toBe(401);
  });

  test("opens sockets, too", async () => {
    const app = compose([jwt(rsOptions)], (given) => {
      expect(given.principal?.user).toBe("ann");
      return accept(async () => {});
    });
    const socket = await openSocket(app, "/", { headers: { Authorization: `Bearer ${await sign()}` } });
    expect(socket.response).toBe(null);
    await socket.ended;
    expect((await openSocket(app, "/")).response?.status).toBe(401);
  });
});

describe("R-M3: refused with 401, and with an error for whoever sent a token", () => {
  const pem = rsa.publicKey.export({ type: "spki", format: "pem" }) as string;
  const hmac = (input: string, key: string): string =>
    `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
  const claims = (): string => part({ ...good, exp: inSeconds(300) });
  const jwk = p256.publicKey.export({ format: "jwk" });

  test.each<[string, () => string | Promise<string>]>([
    ["no signature, alg none", () => `${part({ alg: "none" })}.${claims()}.`],
    ["alg nOnE", () => `${part({ alg: "nOnE" })}.${claims()}.`],
    [
      "alg none with a signature of another token",
      async () => `${part({ alg: "none" })}.${claims()}.${(await sign()).split(".")[2]}`,
    ],
    ["no alg", () => `${part({})}.${claims()}.`],
    ["an empty signature", () => `${part({ alg: "RS256" })}.${claims()}.`],
    ["key confusion: an HMAC with the public key as secret", () => hmac(`${part({ alg: "HS256" })}.${claims()}`, pem)],
    ["key confusion, as RS256", () => hmac(`${part({ alg: "RS256" })}.${claims()}`, pem)],
    ["an algorithm of the same key that is not configured", () => sign({}, rsa.privateKey, { alg: "PS256" })],
    ["another key", () => sign({}, generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey)],
    ["a key in the token: jwk", () => sign({}, p256.privateKey, { alg: "ES256", jwk })],
    ["a key in the token: jku", () => sign({}, p256.privateKey, { alg: "ES256", jku: "https://evil.example/keys" })],
    ["crit", () => sign({}, rsa.privateKey, { alg: "RS256", crit: ["b64"], b64: true })],
    ["typ of a logout token", () => sign({}, rsa.privateKey, { alg: "RS256", typ: "logout+jwt" })],
    ["typ of a DPoP proof", () => sign({}, rsa.privateKey, { alg: "RS256", typ: "application/dpop+jwt" })],
    ["expired", () => sign({ exp: inSeconds(-31) })],
    ["not yet valid", () => sign({ nbf: inSeconds(90) })],
    ["no exp", () => sign({ exp: undefined })],
    ["exp as text", () => sign({ exp: "9999999999" })],
    ["another aud", () => sign({ aud: "https://other.example" })],
    ["aud that begins with ours", () => sign({ aud: `${rules.audience}.evil.example` })],
    ["no aud", () => sign({ aud: undefined })],
    ["another iss", () => sign({ iss: "https://evil.example" })],
    ["no iss", () => sign({ iss: undefined })],
    ["no user", () => sign({ sub: undefined })],
    ["an empty user", () => sign({ sub: "" })],
    ["a user that is no text", () => sign({ sub: { admin: true } })],
    ["claims that are no object", () => `${part({ alg: "RS256" })}.${part("ann")}.AAAA`],
    ["two parts", () => "a.b"],
    ["an encrypted token", () => "a.b.c.d.e"],
    ["unreadable parts", () => "!!.!!.!!".replaceAll("!", "-")],
    ["more than 16 kB", async () => `${await sign()}${"A".repeat(16_384)}`],
  ])("%s", async (_what, make) => {
    const answer = await ask(rsOptions, await make());
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([
      401,
      'Bearer realm="Restricted", error="invalid_token"',
    ]);
  });

  test("a secret's HMAC is no key's signature: an issuer with keys never takes HS256", async () => {
    const options: JwtOptions = { ...rules, algorithms: ["ES256", "EdDSA"], publicKey: [p256.publicKey, ed.publicKey] };
    for (const key of [jwk.x as string, Buffer.from(ed.publicKey.export({ format: "jwk" }).x as string, "base64url")]) {
      const token = await sign({}, Buffer.from(key as string), { alg: "HS256" });
      expect((await ask(options, token)).status).toBe(401);
    }
    expect((await ask(options, await sign({}, p256.privateKey, { alg: "ES256" }))).status).toBe(200);
  });

  test("a token in the query, a cookie or another scheme: header only", async () => {
    const token = await sign();
    for (const headers of [{}, { Cookie: `token=${token}` }, { Authorization: token }, { "X-Token": token }]) {
      const answer = await request(appOf(), `/?access_token=${token}`, { headers });
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="Restricted"']);
    }
  });

  test("two Authorization fields are 400", async () => {
    const headers = HeaderList.from([
      ["Authorization", `Bearer ${await sign()}`],
      ["Authorization", "Basic YTpi"],
    ]);
    expect((await request(appOf(), "/", { headers })).status).toBe(400);
  });
});

test("R-M3: the header is judged before any key is asked: algorithm, crit, b64, typ", async () => {
  const { verify } = jwtVerifier(rsOptions);
  const problemOf = async (header: Record<string, unknown>, key: Key = rsa.privateKey) =>
    verify(await sign({}, key, header));
  expect(await problemOf({ alg: "PS256" })).toEqual({ problem: "algorithm" });
  expect(await problemOf({ alg: "HS256" }, Buffer.from(secret))).toEqual({ problem: "algorithm" });
  expect(await problemOf({ alg: "RS256", crit: ["b64"], b64: true })).toEqual({ problem: "crit" });
  expect(await problemOf({ alg: "RS256", b64: true })).toEqual({ problem: "b64" });
  expect(await problemOf({ alg: "RS256", typ: "logout+jwt" })).toEqual({ problem: "typ" });
});

test("R-M3: clocks may differ by clockSkewMs", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_700_000_000_000 });
  const options = { ...rsOptions, clockSkewMs: 60_000 };
  expect((await ask(options, await sign({ exp: inSeconds(-59) }))).status).toBe(200);
  expect((await ask(options, await sign({ exp: inSeconds(-60) }))).status).toBe(401);
  expect((await ask({ ...options, clockSkewMs: 0 }, await sign({ exp: inSeconds(0) }))).status).toBe(401);
  expect((await ask({ ...options, clockSkewMs: 0 }, await sign({ exp: inSeconds(1) }))).status).toBe(200);
});

test("maxAgeMs asks for iat, and refuses old tokens whatever their exp", async () => {
  const options = { ...rsOptions, maxAgeMs: 60_000, clockSkewMs: 0 };
  expect((await ask(options, await sign({ iat: inSeconds(-50) }))).status).toBe(200);
  expect((await ask(options, await sign({ iat: inSeconds(-61) }))).status).toBe(401);
  expect((await ask(options, await sign({ iat: inSeconds(30) }))).status).toBe(401);
  expect((await ask(options, await sign())).status).toBe(401);
});

test("the log says why a token was refused, and nothing of the token", async () => {
  const lines: unknown[] = [];
  const token = await sign({ aud: "https://other.example" });
  const answer = await request(
    compose(
      [
        (next) => (given) => {
          vi.spyOn(given.exchange.log, "info").mockImplementation((...line: unknown[]) => void lines.push(line));
          return next(given);
        },
        jwt(rsOptions),
      ],
      http(show),
    ),
    "/",
    { headers: { Authorization: `Bearer ${token}` } },
  );
  expect(answer.status).toBe(401);
  expect(lines).toEqual([[{ problem: "claim aud", client: expect.anything() }, "a token was refused"]]);
});

describe("vectors", () => {
  const joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
  const es = {
    kty: "EC",
    crv: "P-256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
  };
  const rs = {
    kty: "RSA",
    e: "AQAB",
    n: "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
  };
  const joesRules = { issuer: "joe", audience: "anybody" };
  const cases: [string, JwtOptions, string][] = [
    [
      "RFC 7519 §3.1 (HS256)",
      { ...joesRules, algorithms: ["HS256"], secret: Buffer.from(k, "base64url") },
      `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${joe}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
    ],
    [
      "RFC 7515 A.2 (RS256)",
      { ...joesRules, algorithms: ["RS256"], publicKey: rs },
      `eyJhbGciOiJSUzI1NiJ9.${joe}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`,
    ],
    [
      "RFC 7515 A.3 (ES256)",
      { ...joesRules, algorithms: ["ES256"], publicKey: es },
      `eyJhbGciOiJFUzI1NiJ9.${joe}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
    ],
  ];

  test.each(cases)(
    "%s: the signature is good; these tokens have no aud, so they still open nothing",
    async (_where, options, token) => {
      expect(await jwtVerifier(options).verify(token)).toEqual({ problem: "claim aud" });
      const [head, , signature = ""] = token.split(".");
      const other = `${head}.${joe}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
      expect(await jwtVerifier(options).verify(other)).toEqual({ problem: "signature" });
      expect((await ask(options, token)).status).toBe(401);
    },
  );

  test("RFC 7519 §6.1: an unsecured token is none", async () => {
    for (const [, options] of cases) {
      expect(await jwtVerifier(options).verify(`eyJhbGciOiJub25lIn0.${joe}.`)).toEqual({ problem: "algorithm" });
    }
  });

  test("RFC 8037 A.4 (EdDSA): the signature is good, but this payload is no set of claims", async () => {
    const publicKey = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
    const { verify } = jwtVerifier({ ...joesRules, algorithms: ["EdDSA"], publicKey });
    const token = (mark: string): string =>
      `eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.${mark}gyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg`;
    expect(await verify(token("h"))).toEqual({ problem: "ERR_JWT_INVALID" });
    expect(await verify(token("i"))).toEqual({ problem: "signature" });
  });
});

const small = generateKeyPairSync("rsa", { modulusLength: 1_024 });

test.each<[string, Partial<JwtOptions>]>([
  ["no source", { publicKey: undefined as never }],
  ["two sources", { secret }],
  ["no algorithm", { algorithms: [] }],
  ["none", { algorithms: ["none" as JwtAlgorithm] }],
  ["an HMAC with keys", { algorithms: ["RS256", "HS256"] }],
  ["a key with a secret", { algorithms: ["RS256"], secret, publicKey: undefined as never }],
  ["a short secret", { algorithms: ["HS256"], secret: "short", publicKey: undefined as never }],
  [
    "a secret too short for one of the hashes",
    { algorithms: ["HS256", "HS512"], secret: "x".repeat(40), publicKey: undefined as never },
  ],
  [
    "a public key as secret",
    {
      algorithms: ["HS256"],
      secret: rsa.publicKey.export({ type: "spki", format: "pem" }) as string,
      publicKey: undefined as never,
    },
  ],
  ["a private key", { publicKey: rsa.privateKey }],
  ["a private key in PEM", { publicKey: rsa.privateKey.export({ type: "pkcs8", format: "pem" }) as string }],
  ["a private JWK", { publicKey: rsa.privateKey.export({ format: "jwk" }) }],
  ["no key", { publicKey: "hello" }],
  ["a key of another kind", { publicKey: p256.publicKey }],
  ["a small RSA key", { publicKey: small.publicKey }],
  ["no issuer", { issuer: "" }],
  ["no audience", { audience: [] }],
  ["a skew of more than a minute", { clockSkewMs: 60_001 }],
  ["a skew that is no number", { clockSkewMs: Number.NaN }],
])("R-M3: settings are refused: %s", (_why, options) => {
  expect(() => jwt({ ...rsOptions, ...options })).toThrow(expect.objectContaining({ code: "GW_JWT" }));
});
