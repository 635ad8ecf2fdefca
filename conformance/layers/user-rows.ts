// Rows of the matrix of layers. Who it is from: cookies, sessions and logins.
import type { Middleware } from "@gw/core";
import * as all from "@gw/middleware";
import { jwt } from "@gw/middleware/jwt";
import { oidc } from "@gw/middleware/oidc";
import { ann, basic, between, inside, type LayerRow, marks, nobody, type RowPlace, secret, sha, token } from "./row.ts";
import { cookiesIn } from "./steps.ts";

const session = (): Middleware => all.session({ store: all.memoryStore() });
const rules = { issuer: "https://i.example", audience: "app", algorithms: ["HS256"] as const, secret };
const provider = {
  issuer: "http://127.0.0.1:9",
  clientId: "a",
  clientSecret: "b",
  origin: "http://localhost",
  allowHttp: true,
};

/** Who it is from: cookies, sessions and logins. */
export function userRows({ authUrl }: RowPlace): readonly LayerRow[] {
  return [
    {
      layer: "cookies",
      does: "reads one and sets one",
      layers: () => [
        all.cookies(),
        marks("touch", (request) => {
          all.cookiesOf(request).set("seen", "x");
          return all.cookiesOf(request).get("before") ?? "";
        }),
      ],
      request: { headers: [["Cookie", "before=y"]] },
      expected: { status: 200, report: "seen=y;", headers: { "set-cookie": "seen=x; Path=/; HttpOnly; SameSite=Lax" } },
    },
    {
      layer: "signed-cookies",
      does: "takes no forged one",
      layers: () => [
        all.signedCookies({ secrets: [secret] }),
        marks("touch", (request) => all.signedCookiesOf(request).get("role") ?? "none"),
      ],
      request: { headers: [["Cookie", "role=admin"]] },
      expected: { status: 200, report: "seen=none;" },
    },
    {
      layer: "encrypted-cookies",
      does: "sets what nobody can read",
      layers: () => [
        all.encryptedCookies({ secrets: [secret] }),
        inside("touch", (request) => {
          all.encryptedCookiesOf(request).set("role", "admin");
          return request;
        }),
      ],
      expected: { status: 200, headers: { "set-cookie": /^role=(?!.*admin).{20,}; Path=\// } },
    },
    {
      layer: "session",
      does: "begins one",
      layers: () => [
        session(),
        inside("touch", (request) => {
          all.sessionOf(request).set("a", 1);
          return request;
        }),
      ],
      expected: { status: 200, headers: { "set-cookie": /^sid=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/ } },
    },
    {
      layer: "flash",
      does: "leaves a message in the session",
      layers: () => [
        session(),
        all.flash(),
        inside("touch", (request) => {
          all.flashOf(request).add("saved");
          return request;
        }),
      ],
      expected: { status: 200, headers: { "set-cookie": /^sid=/ } },
    },
    {
      layer: "basic-auth",
      does: "lets ann in",
      layers: () => [all.basicAuth({ users: sha })],
      request: { headers: [basic("myPassword")] },
      expected: { status: 200, report: "user=ann;type=Basic;" },
    },
    {
      layer: "basic-auth",
      does: "refuses a wrong password",
      layers: () => [all.basicAuth({ users: sha })],
      request: { headers: [basic("x")] },
      expected: { status: 401, headers: { "www-authenticate": 'Basic realm="Restricted", charset="UTF-8"' } },
    },
    {
      layer: "digest-auth",
      does: "refuses what is malformed",
      layers: () => [all.digestAuth({ users: { ann: { hashes: all.digestHashes("ann", "Restricted", "x") } } })],
      request: { headers: [["Authorization", "Digest junk"]] },
      expected: { status: 400 },
    },
    {
      layer: "digest-auth",
      does: "challenges",
      layers: () => [all.digestAuth({ users: { ann: { hashes: all.digestHashes("ann", "Restricted", "x") } } })],
      expected: { status: 401, headers: { "www-authenticate": /^Digest realm="Restricted"/ } },
    },
    {
      layer: "bearer-auth",
      does: "lets a key's owner in",
      layers: () => [all.bearerAuth({ verify: async () => ({ user: "ann" }) })],
      request: { headers: [["Authorization", "Bearer t"]] },
      expected: { status: 200, report: "user=ann;type=Bearer;" },
    },
    {
      layer: "api-key",
      does: "lets a key's owner in",
      layers: () => [all.apiKey({ keys: { [all.hashKey("a-key")]: "ann" } })],
      request: { headers: [["X-API-Key", "a-key"]] },
      expected: { status: 200, report: "user=ann;type=apiKey;" },
    },
    {
      layer: "api-key",
      does: "refuses another",
      layers: () => [all.apiKey({ keys: {} })],
      request: { headers: [["X-API-Key", "a-key"]] },
      expected: { status: 401, headers: { "www-authenticate": 'ApiKey header="X-API-Key"' } },
    },
    {
      layer: "jwt",
      does: "lets a token's subject in",
      layers: () => [jwt(rules)],
      request: { headers: [["Authorization", `Bearer ${token()}`]] },
      expected: { status: 200, report: "user=ann;type=Bearer;" },
    },
    {
      layer: "jwt",
      does: "refuses a changed token",
      layers: () => [jwt(rules)],
      request: { headers: [["Authorization", `Bearer ${token().slice(0, -2)}`]] },
      expected: { status: 401, headers: { "www-authenticate": /^Bearer .*invalid_token/ } },
    },
    {
      layer: "oidc",
      does: "sends nobody away by itself, and lets nobody in",
      layers: () => [session(), oidc(provider), all.requireUser({ login: false })],
      expected: { status: 401 },
    },
    {
      layer: "oidc",
      does: "lets in whom the provider names, once the browser is back from it",
      layers: () => [session(), oidc({ ...provider, issuer: new URL(authUrl).origin }), all.requireUser()],
      before: [
        {
          target: "/login",
          status: 302,
          async next({ headers }, place) {
            const visit = await fetch(headers.get("location") ?? "", { redirect: "manual" });
            const back = new URL(visit.headers.get("location") ?? "");
            return { headers: cookiesIn(headers), target: (back.pathname + back.search).slice(place.length) };
          },
        },
        { status: 303, next: ({ headers }) => ({ headers: cookiesIn(headers) }) },
      ],
      expected: { status: 200, report: "user=ann;type=oidc;" },
    },
    {
      layer: "form-login",
      does: "asks for a login",
      layers: () => [session(), all.formLogin({ users: sha }), all.requireUser()],
      expected: { status: 401, headers: { "www-authenticate": /^Cookie realm="login"/ } },
    },
    {
      layer: "require-user",
      does: "refuses the wrong group",
      layers: () => [ann, all.requireUser({ groups: ["admins"] })],
      expected: { status: 403 },
    },
    {
      layer: "remote-user",
      does: "removes the field of a stranger",
      layers: () => [all.remoteUser({ header: "X-Proxy-User", peers: ["10.0.0.0/8"] })],
      request: { headers: [["X-Proxy-User", "ann"]] },
      expected: { status: 200, report: "user=-;" },
    },
    {
      layer: "forward-auth",
      does: "lets in whom the other server names",
      layers: () => [all.forwardAuth({ url: authUrl, allowHttp: true })],
      request: { headers: [["Cookie", "a=1"]] },
      expected: { status: 200, report: "user=ann;type=forwardAuth;" },
    },
    {
      layer: "forward-auth",
      does: "refuses whom it refuses",
      layers: () => [all.forwardAuth({ url: authUrl, allowHttp: true })],
      expected: { status: 401 },
    },
    {
      layer: "client-certificate",
      does: "refuses a connection without one",
      layers: () => [all.clientCertificate({})],
      expected: { status: 403 },
    },
    {
      layer: "gateway-identity",
      does: "hands a user on between gateways",
      layers: () => [ann, all.signIdentity(between), nobody, all.gatewayIdentity(between)],
      expected: { status: 200, report: "user=ann;" },
    },
    {
      layer: "gateway-identity",
      does: "refuses a forged one",
      layers: () => [all.gatewayIdentity(between), all.requireUser()],
      request: { headers: [["Gateway-Identity", "a.b.c"]] },
      expected: { status: 401 },
    },
  ];
}
