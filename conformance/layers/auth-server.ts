// The servers that layers ask, as one: who may pass (forward auth), and a small OpenID Connect provider where ann is always logged in.
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A running server. */
export interface AuthServer {
  /** 200 with Remote-User to who has a cookie, else 401; its origin is the provider's issuer. */
  readonly url: string;
  close(): Promise<void>;
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Starts it on a free port of 127.0.0.1. */
export async function startAuthServer(): Promise<AuthServer> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const signed = (claims: object): string => {
    const text = `${base64({ alg: "RS256", kid: "1", typ: "JWT" })}.${base64(claims)}`;
    return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
  };
  const keys = [{ ...publicKey.export({ format: "jwk" }), kid: "1", use: "sig", alg: "RS256" }];
  const server = createServer(async (question, reply) => {
    const issuer = `http://${question.headers.host}`;
    const { pathname, searchParams } = new URL(question.url ?? "/", issuer);
    if (pathname === "/.well-known/openid-configuration") sendJson(reply, metadataOf(issuer));
    else if (pathname === "/keys") sendJson(reply, { keys });
    else if (pathname === "/authorize") reply.writeHead(302, { Location: placeOfCode(searchParams) }).end();
    else if (pathname === "/token") await giveToken(question, reply, { issuer, signed });
    else if (question.headers.cookie === undefined) reply.writeHead(401).end();
    else reply.writeHead(200, { "Remote-User": "ann" }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function metadataOf(issuer: string): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    code_challenge_methods_supported: ["S256"],
  };
}

/** Where the browser is sent back to. The code holds what the token must say and answer for, so that nothing is kept here. */
function placeOfCode(asked: URLSearchParams): string {
  const [nonce, challenge, audience] = ["nonce", "code_challenge", "client_id"].map((name) => asked.get(name));
  const back = new URL(asked.get("redirect_uri") ?? "");
  back.search = new URLSearchParams({
    code: base64({ nonce, challenge, audience }),
    state: asked.get("state") ?? "",
  }).toString();
  return back.href;
}

async function giveToken(
  question: IncomingMessage,
  reply: ServerResponse,
  { issuer, signed }: { issuer: string; signed: (claims: object) => string },
): Promise<void> {
  let form = "";
  for await (const chunk of question.setEncoding("latin1")) form += chunk;
  const given = new URLSearchParams(form);
  const { nonce, challenge, audience } = JSON.parse(Buffer.from(given.get("code") ?? "", "base64url").toString());
  const verifier = createHash("sha256").update(given.get("code_verifier") ?? "");
  if (verifier.digest("base64url") !== challenge) return sendJson(reply, { error: "invalid_grant" }, 400);
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: issuer, sub: "ann", aud: audience, nonce, iat: now, exp: now + 300 };
  sendJson(reply, { access_token: "a", token_type: "Bearer", expires_in: 300, id_token: signed(claims) });
}

function sendJson(reply: ServerResponse, value: object, status = 200): void {
  reply.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}
