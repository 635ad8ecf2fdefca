// What each layer of @gw/middleware does to one request: the same, whatever is behind it and whatever carries it (R-M17).
import { createHmac } from "node:crypto";
import { gzipSync } from "node:zlib";
import { bufferBody, GatewayError, type GatewayRequest, layer, type Middleware, withPrincipal } from "@gw/core";
import * as all from "@gw/middleware";
import { formData, formOf } from "@gw/middleware/form-data";
import { jwt } from "@gw/middleware/jwt";
import { oidc } from "@gw/middleware/oidc";
import { tracing } from "@gw/middleware/tracing";
import type { ClientRequest } from "@gw/testing";

/** What must be seen. */
export interface Expected {
  readonly status: number;
  /** Parts of the app's report; without it, the app must not have been asked. */
  readonly report?: string;
  /** Fields of the answer: a value, a pattern, or `null` for none. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
}

/** One layer, and what it does to one request. */
export interface LayerRow {
  /** Subpath of `@gw/middleware`. */
  readonly layer: string;
  readonly does: string;
  /** Made anew for each kind of app, so that no cell sees another's state. */
  readonly layers: () => readonly Middleware[];
  readonly request?: Omit<ClientRequest, "target">;
  /** Below the row's mount. @default "/" */
  readonly target?: string;
  readonly expected: Expected;
  /** What a WebSocket's opening gets, where it is not the same. */
  readonly socket?: Expected;
  /** What an app that wants a socket gives over FastCGI and CGI. @default 426 where requests reach it, else the same */
  readonly page?: Expected;
}

/** What rows need of the test. */
export interface RowPlace {
  /** An authorization server: 200 with Remote-User to who has a cookie, else 401. */
  readonly authUrl: string;
  /** A folder with `page.txt`. */
  readonly folder: string;
}

const sha = { ann: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=" };
const basic = (password: string) => ["Authorization", `Basic ${btoa(`ann:${password}`)}`] as const;
const form = ["Content-Type", "application/x-www-form-urlencoded"] as const;
const secret = "a secret of at least thirty-two bytes";
const between = { issuer: "front", audience: "back", keys: [{ id: "1", secret }] };
const MULTIPART = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n';

const inside = (name: string, onRequest: (request: GatewayRequest) => GatewayRequest): Middleware =>
  layer({ name, onRequest });
const marks = (name: string, change: (request: GatewayRequest) => string): Middleware =>
  inside(name, (request) => ({ ...request, headers: request.headers.with("X-Seen", change(request)) }));
const ann = inside("ann", (request) => withPrincipal(request, { user: "ann", type: "x", groups: [], claims: {} }));
const nobody = inside("nobody", (request) => ({ ...request, principal: null }));
/** Keeps the body for whoever reads it again. */
const held = layer({ name: "held", onRequest: (request) => bufferBody(request) });
const failing = layer({
  name: "failing",
  onRequest() {
    throw new GatewayError("GW_TEST", 503, "not now");
  },
});

function token(): string {
  const parts = [
    { alg: "HS256", typ: "JWT" },
    { sub: "ann", iss: "https://i.example", aud: "app", exp: 4_000_000_000 },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return [...parts, createHmac("sha256", secret).update(parts.join(".")).digest("base64url")].join(".");
}

/** The rows. */
export function layerRows({ authUrl, folder }: RowPlace): readonly LayerRow[] {
  const session = (): Middleware => all.session({ store: all.memoryStore() });
  const rules = { issuer: "https://i.example", audience: "app", algorithms: ["HS256"] as const, secret };
  const provider = {
    issuer: "http://127.0.0.1:9",
    clientId: "a",
    clientSecret: "b",
    origin: "http://localhost",
    allowHttp: true,
  };
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
    {
      layer: "access-log",
      does: "changes nothing",
      layers: () => [all.accessLog({ destination: () => {} })],
      expected: { status: 200, report: "user=-;" },
    },
    {
      layer: "metrics",
      does: "changes nothing",
      layers: () => [all.metrics()],
      expected: { status: 200, report: "user=-;" },
    },
    {
      layer: "tracing",
      does: "hands trace context on",
      layers: () => [
        tracing({
          propagator: {
            fields: () => ["traceparent"],
            extract: (context) => context,
            inject: (_context, carrier, setter) =>
              setter.set(carrier, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
          },
        }),
      ],
      expected: { status: 200, report: ";trace=yes;" },
    },
    {
      layer: "error-pages",
      does: "gives an error of a layer its page",
      layers: () => [all.errorPages(), failing],
      request: { headers: [["Accept", "application/json"]] },
      expected: { status: 503, headers: { "content-type": "application/problem+json" } },
      socket: { status: 503 },
    },
    {
      layer: "show-exceptions",
      does: "shows an error of a layer",
      layers: () => [all.showExceptions(), failing],
      request: { headers: [["Accept", "text/html"]] },
      expected: { status: 503, headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" } },
    },
    {
      layer: "proxy-headers",
      does: "takes the client from a listed proxy",
      layers: () => [
        all.proxyHeaders({ proxies: ["127.0.0.1", "::1"] }),
        all.ipRestriction({ deny: ["192.0.2.0/24"] }),
      ],
      request: { headers: [["X-Forwarded-For", "192.0.2.7"]] },
      // Over a unix socket there is no address to list: the FastCGI carrier of the test sends REMOTE_ADDR=127.0.0.1.
      expected: { status: 403 },
    },
    {
      layer: "ip-restriction",
      does: "refuses a client",
      layers: () => [all.ipRestriction({ deny: ["127.0.0.1"] })],
      expected: { status: 403 },
    },
    {
      layer: "trusted-host",
      does: "refuses another host",
      layers: () => [all.trustedHost({ hosts: ["example.com"] })],
      expected: { status: 421 },
    },
    {
      layer: "https-redirect",
      does: "redirects",
      layers: () => [all.httpsRedirect({ host: "a.example" })],
      expected: { status: 308, headers: { location: /^https:\/\/a\.example\// } },
    },
    {
      layer: "security-headers",
      does: "adds its fields",
      layers: () => [all.securityHeaders()],
      expected: { status: 200, headers: { "x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN" } },
      socket: { status: 200 },
    },
    {
      layer: "request-id",
      does: "tells the id",
      layers: () => [all.requestId(), marks("touch", (request) => String(request.headers.has("x-request-id")))],
      expected: { status: 200, report: "seen=true;", headers: { "x-request-id": /^.{8,}$/ } },
    },
    {
      layer: "body-limit",
      does: "limits what is read",
      layers: () => [all.bodyLimit({ maxBytes: 4 }), formData({ load: "eager" })],
      request: { method: "POST", headers: [form], body: Buffer.from("a=12345") },
      expected: { status: 413 },
      socket: { status: 200, report: "method=GET;" },
    },
    {
      layer: "timeout",
      does: "lets through what is in time",
      layers: () => [all.timeout({ ms: 60_000 })],
      expected: { status: 200, report: "user=-;" },
    },
    {
      layer: "head",
      does: "asks the app GET",
      layers: () => [all.head()],
      request: { method: "HEAD" },
      expected: { status: 200, headers: { "content-type": /^text\/plain/ } },
      socket: { status: 200, report: "method=GET;" },
    },
    {
      layer: "method-override",
      does: "makes the method the form's, and leaves the form to the app",
      layers: () => [all.methodOverride()],
      request: { method: "POST", headers: [form], body: Buffer.from("_method=DELETE&a=1") },
      expected: { status: 200, report: "method=DELETE;seen=-;trace=;body=_method=DELETE&a=1" },
      socket: { status: 200, report: "method=GET;" },
    },
    {
      layer: "csrf",
      does: "refuses another site",
      layers: () => [all.csrf()],
      request: { method: "POST", headers: [["Origin", "https://evil.example"], form], body: Buffer.from("a=1") },
      expected: { status: 403 },
    },
    {
      layer: "cors",
      does: "names the origin that may read",
      layers: () => [all.cors({ origins: ["http://localhost"] })],
      request: { headers: [["Origin", "http://localhost"]] },
      expected: { status: 200, headers: { "access-control-allow-origin": "http://localhost", vary: /Origin/i } },
      socket: { status: 200 },
    },
    {
      layer: "rate-limit",
      does: "refuses beyond its limit",
      layers: () => {
        const name = crypto.randomUUID();
        const twice = { limit: 1, windowMs: 3_600_000, name }; // two of one name count together
        return [all.rateLimit(twice), all.rateLimit(twice)];
      },
      expected: { status: 429, headers: { "retry-after": /^\d+$/ } },
    },
    {
      layer: "etag",
      does: "tags an answer by its bytes",
      layers: () => [all.etag({ streams: true })],
      expected: { status: 200, headers: { etag: /^W?\/?"/ } },
      socket: { status: 200 },
    },
    {
      layer: "conditional-get",
      does: "answers 304 to who has it",
      layers: () => [
        all.conditionalGet(),
        layer({ name: "tag", onResponse: (a) => ({ ...a, headers: a.headers.with("ETag", '"1"') }) }),
      ],
      request: { headers: [["If-None-Match", '"1"']] },
      expected: { status: 304, headers: { etag: '"1"' } },
      socket: { status: 200 },
      page: { status: 426 },
    },
    {
      layer: "compress",
      does: "compresses",
      layers: () => [all.compress({ minBytes: 0, codings: ["gzip"] })],
      request: {
        headers: [
          ["Accept-Encoding", "gzip"],
          ["X-Seen", "x".repeat(2_000)],
        ],
      },
      expected: { status: 200, headers: { "content-encoding": "gzip", vary: /Accept-Encoding/i } },
      socket: { status: 200 },
    },
    {
      layer: "decompress",
      does: "inflates for the app",
      layers: () => [all.decompress()],
      request: {
        method: "POST",
        headers: [
          ["Content-Encoding", "gzip"],
          ["Content-Type", "text/plain"],
        ],
        body: gzipSync("plain"),
      },
      expected: { status: 200, report: "method=POST;seen=-;trace=;body=plain" },
      socket: { status: 200 },
    },
    {
      layer: "serve-static",
      does: "answers with a file",
      layers: () => [all.serveStatic({ root: folder })],
      target: "/page.txt",
      expected: { status: 200, headers: { "content-type": /^text\/plain/, "content-length": "5" } },
      socket: { status: 200, report: "user=-;" },
      page: { status: 200, headers: { "content-length": "5" } },
    },
    {
      layer: "server-timing",
      does: "tells the time",
      layers: () => [all.serverTiming()],
      expected: { status: 200, headers: { "server-timing": /^app;dur=/ } },
      socket: { status: 200 },
    },
    {
      layer: "form-data",
      does: "reads a form before the app",
      layers: () => [
        held,
        formData({ load: "eager" }),
        marks("touch", (r) => (formOf(r).isForm ? (formOf(r).form.fields.get("a") ?? "") : "no")),
      ],
      request: {
        method: "POST",
        headers: [["Content-Type", "multipart/form-data; boundary=b"]],
        body: Buffer.from(MULTIPART),
      },
      expected: { status: 200, report: "seen=1;" },
      socket: { status: 200 },
    },
  ];
}

/** Entries of the package that are no layers: what layers take, and helpers. */
export const notLayers: ReadonlySet<string> = new Set([
  "session/memory",
  "session/file",
  "session/sqlite",
  "session/sealed",
  "session/redis",
  "redis-counters",
  "passwords",
]);
