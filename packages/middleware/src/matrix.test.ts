// R-M17: a layer means the same in front of a sync app, an async app and a socket.
import { type Answer, accept, compose, type Handler, type http, json, type Middleware } from "@gw/core";
import { lint, lintLayers } from "@gw/core/lint";
import { type RunningApp, run } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { accessLog } from "./access-log.ts";
import { apiKey, hashKey } from "./api-key.ts";
import { basicAuth } from "./basic-auth.ts";
import { bearerAuth } from "./bearer-auth.ts";
import { bodyLimit } from "./body-limit.ts";
import { compress } from "./compress.ts";
import { conditionalGet } from "./conditional-get.ts";
import { cookies, cookiesOf } from "./cookies.ts";
import { cors } from "./cors.ts";
import { csrf } from "./csrf.ts";
import { decompress } from "./decompress.ts";
import { digestAuth, digestHashes } from "./digest-auth.ts";
import { errorPages } from "./error-pages.ts";
import { etag } from "./etag.ts";
import { formLogin } from "./form-login.ts";
import { head } from "./head.ts";
import { httpsRedirect } from "./https-redirect.ts";
import { ipRestriction } from "./ip-restriction.ts";
import { methodOverride } from "./method-override.ts";
import { metrics } from "./metrics.ts";
import { proxyHeaders } from "./proxy-headers.ts";
import { rateLimit } from "./rate-limit.ts";
import { remoteUser } from "./remote-user.ts";
import { requestId } from "./request-id.ts";
import { requireUser } from "./require-user.ts";
import { securityHeaders } from "./security-headers.ts";
import { serverTiming } from "./server-timing.ts";
import { memoryStore } from "./session/memory.ts";
import { session, sessionOf } from "./session.ts";
import { timeout } from "./timeout.ts";
import { trustedHost } from "./trusted-host.ts";

/** What one request gave, whatever kind of app is behind. */
interface Observed {
  readonly isThrough: boolean;
  readonly status: number;
  readonly user: string | null;
  readonly setCookies: readonly string[];
  readonly challenge: string | null;
}

type Touch = Parameters<typeof http>[0] extends never ? never : (request: Parameters<Handler>[0]) => void;
type Send = (app: RunningApp, target: string, headers: Record<string, string>) => Promise<Observed>;

let lastUser: string | null = null;

const answerOf = (request: Parameters<Handler>[0], touch: Touch): Answer => {
  lastUser = request.principal?.user ?? null;
  touch(request);
  return request.kind === "websocket" ? accept(async () => {}) : json("through");
};

const overRequest: Send = async (app, target, headers) => {
  lastUser = null;
  const { status, headers: answered } = await app.request(target, { headers });
  return observe(status === 200, status, answered);
};

const overSocket: Send = async (app, target, headers) => {
  lastUser = null;
  const socket = await app.openSocket(target, { headers });
  await socket.ended;
  const { response } = socket;
  return observe(response === null, response?.status ?? 200, response?.headers ?? socket.headers);
};

function observe(isThrough: boolean, status: number, headers: import("@gw/core").HeaderList): Observed {
  return {
    isThrough,
    status,
    user: lastUser,
    setCookies: headers.getAll("set-cookie").map((line) => line.replace(/sid=[\w-]{22}/, "sid=ID")),
    challenge: headers.get("www-authenticate"),
  };
}

const apps: [kind: string, send: Send, make: (touch: Touch) => Handler][] = [
  ["sync app", overRequest, (touch) => (request) => answerOf(request, touch)],
  [
    "async app",
    overRequest,
    (touch) => async (request) => {
      await Promise.resolve();
      return answerOf(request, touch);
    },
  ],
  ["socket", overSocket, (touch) => (request) => answerOf(request, touch)],
];

const users = { ann: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=" };
const basic = (password: string): Record<string, string> => ({ Authorization: `Basic ${btoa(`ann:${password}`)}` });
const through = { isThrough: true, status: 200, user: null, setCookies: [], challenge: null };
const nothing: Touch = () => {};

interface Row {
  readonly name: string;
  readonly layers: () => readonly Middleware[];
  readonly touch: Touch;
  readonly headers: Record<string, string>;
  readonly expected: Partial<Observed>;
}

const rows: readonly Row[] = [
  {
    name: "cookies: set with the answer",
    layers: () => [cookies()],
    touch: (request) => cookiesOf(request).set("seen", cookiesOf(request).get("before") ?? ""),
    headers: { Cookie: "before=x" },
    expected: { ...through, setCookies: ["seen=x; Path=/; HttpOnly; SameSite=Lax"] },
  },
  {
    name: "session: begins",
    layers: () => [session({ store: memoryStore() })],
    touch: (request) => sessionOf(request).set("a", 1),
    headers: {},
    expected: { ...through, setCookies: ["sid=ID; Path=/; HttpOnly; SameSite=Lax"] },
  },
  {
    name: "session: read only",
    layers: () => [session({ store: memoryStore() })],
    touch: (request) => void sessionOf(request).get("a"),
    headers: { Cookie: `sid=${"A".repeat(22)}` },
    expected: through,
  },
  {
    name: "session: a throw saves nothing",
    layers: () => [session({ store: memoryStore() })],
    touch: (request) => {
      sessionOf(request).set("a", 1);
      throw new Error("after the change");
    },
    headers: {},
    expected: { ...through, isThrough: false, status: 500 },
  },
  {
    name: "basicAuth: lets through",
    layers: () => [basicAuth({ users })],
    touch: nothing,
    headers: basic("myPassword"),
    expected: { ...through, user: "ann" },
  },
  {
    name: "basicAuth: refuses",
    layers: () => [basicAuth({ users })],
    touch: nothing,
    headers: basic("x"),
    expected: { isThrough: false, status: 401, challenge: 'Basic realm="Restricted", charset="UTF-8"' },
  },
  {
    name: "basicAuth with a slow verify",
    layers: () => [basicAuth({ verify: async () => true })],
    touch: nothing,
    headers: basic("x"),
    expected: { ...through, user: "ann" },
  },
  {
    name: "formLogin and requireUser: refuse without a session",
    layers: () => [session({ store: memoryStore() }), formLogin({ users }), requireUser()],
    touch: nothing,
    headers: {},
    expected: { isThrough: false, status: 401, challenge: 'Cookie realm="login", form-action="/login"' },
  },
  {
    name: "requireUser: 403 for the wrong group",
    layers: () => [basicAuth({ users }), requireUser({ groups: ["admins"] })],
    touch: nothing,
    headers: basic("myPassword"),
    expected: { isThrough: false, status: 403 },
  },
  {
    name: "accessLog and errorPages: change nothing that works",
    layers: () => [accessLog({ destination: () => {} }), errorPages()],
    touch: nothing,
    headers: {},
    expected: through,
  },
  {
    name: "errorPages: an error keeps its status",
    layers: () => [errorPages()],
    touch: () => {
      throw new Error("no");
    },
    headers: {},
    expected: { isThrough: false, status: 500 },
  },
  {
    name: "remoteUser: from a listed front server",
    layers: () => [remoteUser({ header: "X-Proxy-User", peers: ["127.0.0.1"] })],
    touch: nothing,
    headers: { "X-Proxy-User": "ann" },
    expected: { ...through, user: "ann" },
  },
  {
    name: "remoteUser: from anybody else",
    layers: () => [remoteUser({ header: "X-Proxy-User", peers: ["10.0.0.0/8"] })],
    touch: nothing,
    headers: { "X-Proxy-User": "ann" },
    expected: through,
  },
  {
    name: "proxyHeaders and ipRestriction: the reported client is refused",
    layers: () => [proxyHeaders({ proxies: ["127.0.0.1"] }), ipRestriction({ deny: ["192.0.2.0/24"] })],
    touch: nothing,
    headers: { "X-Forwarded-For": "192.0.2.7" },
    expected: { isThrough: false, status: 403 },
  },
  {
    name: "trustedHost: another host",
    layers: () => [trustedHost({ hosts: ["example.com"] })],
    touch: nothing,
    headers: { Host: "evil.test" },
    expected: { isThrough: false, status: 421 },
  },
  {
    name: "httpsRedirect: plain http",
    layers: () => [httpsRedirect()],
    touch: nothing,
    headers: {},
    expected: { isThrough: false, status: 308 },
  },
  {
    name: "securityHeaders, requestId, bodyLimit, timeout, head, methodOverride: let through",
    layers: () => [
      securityHeaders(),
      requestId(),
      bodyLimit({ maxBytes: 10 }),
      timeout({ ms: 10_000 }),
      head(),
      methodOverride(),
    ],
    touch: nothing,
    headers: {},
    expected: through,
  },
  {
    name: "csrf, cors, rateLimit: let through what is sound",
    layers: () => [cors({ origins: ["https://app.example"] }), csrf(), rateLimit({ limit: 5 })],
    touch: nothing,
    headers: { Host: "site.example", Origin: "http://site.example" },
    expected: through,
  },
  {
    name: "apiKey: lets through",
    layers: () => [apiKey({ keys: { [hashKey("a-key")]: "ann" } })],
    touch: nothing,
    headers: { "X-API-Key": "a-key" },
    expected: { ...through, user: "ann" },
  },
  {
    name: "apiKey: refuses",
    layers: () => [apiKey({ keys: {} })],
    touch: nothing,
    headers: { "X-API-Key": "a-key" },
    expected: { isThrough: false, status: 401, challenge: 'ApiKey header="X-API-Key"' },
  },
  {
    name: "bearerAuth with a slow verify: lets through",
    layers: () => [bearerAuth({ verify: async () => ({ user: "ann" }) })],
    touch: nothing,
    headers: { Authorization: "Bearer t" },
    expected: { ...through, user: "ann" },
  },
  {
    name: "digestAuth: what is malformed is refused",
    layers: () => [digestAuth({ users: { ann: { hashes: digestHashes("ann", "Restricted", "x") } } })],
    touch: nothing,
    headers: { Authorization: "Digest junk" },
    expected: { isThrough: false, status: 400 },
  },
  {
    name: "metrics, serverTiming, compress, conditionalGet, etag, decompress: let through",
    layers: () => [metrics(), serverTiming(), compress({ minBytes: 0 }), conditionalGet(), etag(), decompress()],
    touch: nothing,
    headers: { "Accept-Encoding": "gzip" },
    expected: through,
  },
];

describe.each(rows)("R-M17: $name", ({ layers, touch, headers, expected }) => {
  test.each(apps)("in front of a %s, under lint", async (_kind, send, make) => {
    const app = await run(compose(lintLayers(layers()), lint(make(touch))));
    expect(await send(app, "/", headers)).toMatchObject(expected);
    await app.stop();
  });
});

test.each(apps)("R-M17: a login opens every kind of app: %s", async (_kind, send, make) => {
  const layers = [session({ store: memoryStore() }), formLogin({ users }), requireUser()];
  const app = await run(compose(lintLayers(layers), lint(make(nothing))));
  const login = await app.request("/login", {
    method: "POST",
    body: "user=ann&password=myPassword",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(await send(app, "/", { Cookie: cookie })).toMatchObject({ ...through, user: "ann" });
  await app.stop();
});
