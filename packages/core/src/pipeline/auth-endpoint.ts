// Lets other servers ask our layers who a request is from: nginx auth_request, Traefik and Caddy forward-auth.
import type { App, Middleware } from "../model/app.ts";
import { emptyBody } from "../model/body.ts";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { GatewayRequest, RequestHead } from "../model/request.ts";
import type { Answer } from "../model/response.ts";
import { parseAuthority } from "../target/authority.ts";
import { parseTarget } from "../target/parse.ts";
import { andThen } from "./and-then.ts";
import { authDecision, identityFields } from "./auth-decision.ts";
import { BODY_FIELDS } from "./dispatch.ts";

/** What `authEndpoint` may be told. */
export interface AuthEndpointOptions {
  /**
   * `"forward-auth"`: refusals go out as they are, redirects to a login page too (Traefik, Caddy).
   * `"auth_request"`: nginx knows 2xx, 401 and 403 only, so a redirect becomes 401 with its Location, other 4xx become 403. @default "forward-auth"
   */
  style?: Style;
}

/**
 * What is not known goes out empty: a server that copies fields would else leave a client's own (later Caddy), or write
 * its placeholder's name (Caddy 2.6).
 */
const EMPTY_FIELDS: readonly (readonly [string, string])[] = ["User", "Groups", "Name", "Email"].map(
  (name) => [`Remote-${name}`, ""] as const,
);

type Style = "forward-auth" | "auth_request";

/**
 * An app that runs the layers and answers 200 with `Remote-User`, `Remote-Groups`, `Remote-Name` and `Remote-Email`,
 * empty where not known, or the layers' refusal; 401 if they let the request through without a user, or answered it themselves (a login page).
 *
 * The layers see the request that the other server was asked: method and target from `X-Forwarded-Method` and `-Uri`
 * (forward-auth; our carrier must be told to let them pass, see docs/fastcgi.md) or from `X-Original-Method` and `-URI`
 * or `-URL` (auth_request), the host from `X-Forwarded-Host`. Fields of the other style are the client's word and count
 * for nothing. A client that calls the endpoint itself learns who it is, no more.
 */
export function authEndpoint(layers: readonly Middleware[], { style = "forward-auth" }: AuthEndpointOptions = {}): App {
  const decision = authDecision(layers, (principal) => ({
    kind: "response",
    status: 200,
    headers: HeaderList.from([...new Map([...EMPTY_FIELDS, ...identityFields(principal)])]),
    body: null,
  }));
  return {
    ...decision,
    handle: (request) => {
      const answer = decision.handle(originalRequest(request, style));
      return style === "auth_request" ? andThen(answer, nginxAnswer) : answer;
    },
    describe: () => ({ kind: "auth-endpoint", name: style, children: decision.describe?.().children ?? [] }),
  };
}

/** The request that the other server was asked, as far as its fields say. */
function originalRequest(request: GatewayRequest, style: Style): RequestHead & { readonly kind: "http" } {
  const { headers } = request;
  const method = headers.get(style === "auth_request" ? "x-original-method" : "x-forwarded-method") ?? request.method;
  const target = style === "auth_request" ? originalTarget(headers, method) : headers.get("x-forwarded-uri");
  const scheme = schemeOf(headers.get("x-forwarded-proto")) ?? request.scheme;
  const plain = {
    ...request,
    kind: "http" as const,
    method,
    scheme,
    body: emptyBody,
    headers: headers.without(...BODY_FIELDS),
  };
  if (target === null) return plain;
  const { path, query, authority } = parseTarget(target, method);
  const host = headers.get("x-forwarded-host") ?? authority;
  const moved = { ...plain, target, mount: "", path, query };
  if (host === null) return moved;
  return { ...moved, server: parseAuthority(host, scheme), headers: plain.headers.with("Host", host) };
}

/** nginx is told to send one of two fields; what a client adds as the other one must not count. */
function originalTarget(headers: HeaderList, method: string): string | null {
  const uri = headers.get("x-original-uri");
  const url = headers.get("x-original-url");
  if (uri === null || url === null) return uri ?? url;
  const [one, other] = [parseTarget(uri, method), parseTarget(url, method)];
  if (one.path === other.path && one.query === other.query) return url;
  throw new GatewayError("GW_BAD_TARGET", 400, "X-Original-URI and X-Original-URL name different targets");
}

function schemeOf(value: string | null): "http" | "https" | null {
  return value === "http" || value === "https" ? value : null;
}

/** What nginx understands: 2xx, 401, 403. */
function nginxAnswer(answer: Answer): Answer {
  if (answer.kind === "accept" || answer.status < 300 || answer.status >= 500) return answer;
  if (answer.status === 401 || answer.status === 403) return answer;
  return { ...answer, status: answer.status < 400 ? 401 : 403 };
}
