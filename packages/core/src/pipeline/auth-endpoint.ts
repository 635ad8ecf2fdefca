// Lets other servers ask our layers who a request is from: nginx auth_request, Traefik and Caddy forward-auth.
import { toBytes } from "../bytes/byte-string.ts";
import { isFieldValue } from "../headers/syntax.ts";
import type { App, Middleware } from "../model/app.ts";
import { emptyBody } from "../model/body.ts";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { Principal } from "../model/principal.ts";
import type { GatewayRequest, RequestHead } from "../model/request.ts";
import type { Answer, HttpResponse } from "../model/response.ts";
import { parseAuthority } from "../target/authority.ts";
import { parseTarget } from "../target/parse.ts";
import { andThen } from "./and-then.ts";
import { compose } from "./compose.ts";
import { BODY_FIELDS } from "./dispatch.ts";
import { guard } from "./guard.ts";

/** What `authEndpoint` may be told. */
export interface AuthEndpointOptions {
  /**
   * `"forward-auth"`: refusals go out as they are, redirects to a login page too (Traefik, Caddy).
   * `"auth_request"`: nginx knows 2xx, 401 and 403 only, so a redirect becomes 401 with its Location, other 4xx become 403. @default "forward-auth"
   */
  style?: "forward-auth" | "auth_request";
}

/**
 * An app that runs the layers and answers 200 with `Remote-User`, `Remote-Groups`, `Remote-Name` and `Remote-Email`,
 * or the layers' refusal; 401 if they let the request through without a user.
 *
 * The layers see the request that the other server was asked: method, target
 * and host from `X-Forwarded-Method/-Uri/-Host` (forward-auth) or
 * `X-Original-Method/-URI/-URL` (nginx). Let only that server reach the
 * endpoint's answer; a client that calls it learns who it is itself, no more.
 */
export function authEndpoint(layers: readonly Middleware[], { style = "forward-auth" }: AuthEndpointOptions = {}): App {
  const inner = compose(layers, (request) => (request.principal === null ? unknownUser : welcome(request.principal)));
  const ask = guard(inner.handle);
  return {
    ...inner,
    handle: (request) => {
      const answer = ask(originalRequest(request));
      return style === "auth_request" ? andThen(answer, nginxAnswer) : answer;
    },
    describe: () => ({ kind: "auth-endpoint", name: style, children: inner.describe?.().children ?? [] }),
  };
}

const unknownUser: HttpResponse = { kind: "response", status: 401, headers: HeaderList.empty, body: null };

function welcome({ user, groups, claims }: Principal): HttpResponse {
  const fields: [string, string][] = [["Remote-User", identityValue("user", user)]];
  for (const group of groups) {
    if (group.includes(",")) throw badIdentity("group", group);
  }
  if (groups.length > 0) fields.push(["Remote-Groups", identityValue("groups", groups.join(","))]);
  if (typeof claims.name === "string") fields.push(["Remote-Name", identityValue("name", claims.name)]);
  if (typeof claims.email === "string") fields.push(["Remote-Email", identityValue("email", claims.email)]);
  return { kind: "response", status: 200, headers: HeaderList.from(fields), body: null };
}

function identityValue(what: string, text: string): string {
  const value = toBytes(text);
  if (!isFieldValue(value)) throw badIdentity(what, text);
  return value;
}

function badIdentity(what: string, found: string): GatewayError {
  return new GatewayError(
    "GW_IDENTITY_VALUE",
    500,
    `the ${what} ${JSON.stringify(found.slice(0, 80))} cannot be sent in a header`,
  );
}

/** The request that the other server was asked, as far as its fields say. */
function originalRequest(request: GatewayRequest): RequestHead & { readonly kind: "http" } {
  const { headers } = request;
  const method = headers.get("x-forwarded-method") ?? headers.get("x-original-method") ?? request.method;
  const target = headers.get("x-forwarded-uri") ?? headers.get("x-original-uri") ?? headers.get("x-original-url");
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

function schemeOf(value: string | null): "http" | "https" | null {
  return value === "http" || value === "https" ? value : null;
}

/** What nginx understands: 2xx, 401, 403. */
function nginxAnswer(answer: Answer): Answer {
  if (answer.kind === "accept" || answer.status < 300 || answer.status >= 500) return answer;
  if (answer.status === 401 || answer.status === 403) return answer;
  return { ...answer, status: answer.status < 400 ? 401 : 403 };
}
