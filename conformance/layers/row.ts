// What a row of the matrix of layers is, and what rows are made of.
import { createHmac } from "node:crypto";
import { bufferBody, GatewayError, type GatewayRequest, layer, type Middleware, withPrincipal } from "@gw/core";
import type { ClientRequest } from "@gw/testing";
import type { Step } from "./steps.ts";

/** What must be seen. */
export interface Expected {
  readonly status: number;
  /** Parts of the app's report; without it, the app must not have been asked. */
  readonly report?: string;
  /** Fields of the answer: a value, a pattern, or `null` for none. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
}

/** One layer, and what it does to one request, which others may have to come before. */
export interface LayerRow {
  /** Subpath of `@gw/middleware`. */
  readonly layer: string;
  readonly does: string;
  /** Made anew for each kind of app, so that no cell sees another's state. */
  readonly layers: () => readonly Middleware[];
  /** Requests that come before, each with what it gives those after it. @default none */
  readonly before?: readonly Step[];
  readonly request?: Omit<ClientRequest, "target">;
  /** Whether the request counts only once, so that to repeat it the steps before it are repeated. @default false */
  readonly isOnce?: boolean;
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
  /** What `startAuthServer` serves: an authorization server, and a provider of logins. */
  readonly authUrl: string;
  /** A folder with `page.txt`. */
  readonly folder: string;
}

export const sha = { ann: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=" };
export const basic = (password: string): readonly [name: string, value: string] => [
  "Authorization",
  `Basic ${btoa(`ann:${password}`)}`,
];
export const form: readonly [name: string, value: string] = ["Content-Type", "application/x-www-form-urlencoded"];
export const secret = "a secret of at least thirty-two bytes";
export const between: { issuer: string; audience: string; keys: { id: string; secret: string }[] } = {
  issuer: "front",
  audience: "back",
  keys: [{ id: "1", secret }],
};
export const MULTIPART = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n';

export const inside = (name: string, onRequest: (request: GatewayRequest) => GatewayRequest): Middleware =>
  layer({ name, onRequest });
export const marks = (name: string, change: (request: GatewayRequest) => string): Middleware =>
  inside(name, (request) => ({ ...request, headers: request.headers.with("X-Seen", change(request)) }));
export const ann: Middleware = inside("ann", (request) =>
  withPrincipal(request, { user: "ann", type: "x", groups: [], claims: {} }),
);
export const nobody: Middleware = inside("nobody", (request) => ({ ...request, principal: null }));
/** Keeps the body for whoever reads it again. */
export const held: Middleware = layer({ name: "held", onRequest: (request) => bufferBody(request) });
export const failing: Middleware = layer({
  name: "failing",
  onRequest() {
    throw new GatewayError("GW_TEST", 503, "not now");
  },
});

export function token(): string {
  const parts = [
    { alg: "HS256", typ: "JWT" },
    { sub: "ann", iss: "https://i.example", aud: "app", exp: 4_000_000_000 },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return [...parts, createHmac("sha256", secret).update(parts.join(".")).digest("base64url")].join(".");
}
