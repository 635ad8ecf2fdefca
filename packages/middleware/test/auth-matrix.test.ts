// R-M17: logins mean the same in front of a sync app, an async app and a socket, and keep the rules of the model.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  accept,
  compose,
  type GatewayRequest,
  type Handler,
  json,
  layer,
  type Middleware,
  withPrincipal,
} from "@gw/core";
import { lint, lintLayers } from "@gw/core/lint";
import { run } from "@gw/core/testing";
import { SignJWT } from "jose";
import { describe, expect, onTestFinished, test } from "vitest";
import { clientCertificate } from "../src/client-certificate.ts";
import { forwardAuth } from "../src/forward-auth.ts";
import { gatewayIdentity, signIdentity } from "../src/gateway-identity.ts";
import { jwt } from "../src/jwt.ts";
import { remoteUser } from "../src/remote-user.ts";
import { requireUser } from "../src/require-user.ts";

let seen: string | null = null;
const answer = (request: GatewayRequest) => {
  seen = request.principal?.user ?? null;
  return request.kind === "websocket" ? accept(async () => {}) : json("through");
};
const apps: [kind: string, isSocket: boolean, app: Handler][] = [
  ["sync app", false, answer],
  [
    "async app",
    false,
    async (request) => {
      await Promise.resolve();
      return answer(request);
    },
  ],
  ["socket", true, answer],
];

const secret = "a secret of at least thirty-two bytes";
const shared = { issuer: "front", audience: "back", keys: [{ id: "1", secret }] };
const rules = { issuer: "https://login.example", audience: "app" };

/** A server that says yes to whoever has a cookie. */
async function authServer(): Promise<string> {
  const server = createServer((question, reply) => {
    if (question.headers.cookie === undefined) reply.writeHead(401).end();
    else reply.writeHead(200, { "Remote-User": "ann" }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function signedIdentity(): Promise<string> {
  let field = "";
  const as = layer({
    name: "as",
    onRequest: (request) => withPrincipal(request, { user: "ann", type: "x", groups: [], claims: {} }),
  });
  const app = await run(
    compose([as, signIdentity(shared)], (request) => {
      field = request.headers.get("gateway-identity") ?? "";
      return json({});
    }),
  );
  await app.request("/");
  await app.stop();
  return field;
}

interface Row {
  readonly name: string;
  readonly layers: () => Promise<readonly Middleware[]> | readonly Middleware[];
  /** What opens it. */
  readonly right: () => Promise<object> | object;
  /** The status without it. */
  readonly refusal: number;
}

const token = (): Promise<string> =>
  new SignJWT({ sub: "ann" })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(rules.issuer)
    .setAudience(rules.audience)
    .setExpirationTime("1m")
    .sign(Buffer.from(secret));

const rows: readonly Row[] = [
  {
    name: "jwt",
    layers: () => [jwt({ ...rules, algorithms: ["HS256"], secret })],
    right: async () => ({ headers: { Authorization: `Bearer ${await token()}` } }),
    refusal: 401,
  },
  {
    name: "gatewayIdentity",
    layers: () => [gatewayIdentity(shared), requireUser()],
    right: async () => ({ headers: { "Gateway-Identity": await signedIdentity() } }),
    refusal: 401,
  },
  {
    name: "forwardAuth",
    layers: async () => [forwardAuth({ url: await authServer(), allowHttp: true })],
    right: () => ({ headers: { Cookie: "a=1" } }),
    refusal: 401,
  },
  {
    name: "remoteUser",
    layers: () => [remoteUser(), requireUser()],
    right: () => ({ params: { REMOTE_USER: "ann", REMOTE_GROUPS: "staff" } }),
    refusal: 401,
  },
  {
    name: "clientCertificate",
    layers: () => [clientCertificate({ missing: "pass" }), remoteUser(), requireUser()],
    right: () => ({ params: { REMOTE_USER: "ann" } }),
    refusal: 401,
  },
];

describe.each(rows)("R-M17: $name", ({ layers, right, refusal }) => {
  test.each(apps)("lets in whoever may pass, and nobody else: %s", async (_kind, isSocket, handler) => {
    const app = await run(compose(lintLayers(await layers()), lint(handler)));
    const send = async (init: object): Promise<number> => {
      if (!isSocket) return (await app.request("/", init)).status;
      const socket = await app.openSocket("/", init);
      await socket.ended;
      return socket.response?.status ?? 200;
    };
    seen = null;
    expect([await send({}), seen]).toEqual([refusal, null]);
    expect([await send(await right()), seen]).toEqual([200, "ann"]);
    await app.stop();
  });
});
