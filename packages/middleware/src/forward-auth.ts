// Asks another server who a request is from: Authelia, oauth2-proxy, or a gateway's own `authEndpoint`.
import {
  type Answer,
  encodePath,
  GatewayError,
  type GatewayRequest,
  HeaderList,
  type HttpResponse,
  isToken,
  layer,
  type Middleware,
  type Principal,
  rawPath,
  type StateKey,
  stateKey,
  withPrincipal,
} from "@gw/core";
import { withoutAuthorization } from "./basic-auth.ts";
import { type AuthServer, type AuthVerdict, askAuthServer } from "./forward-auth/ask.ts";
import { checkedUrl } from "./outbound/read-json.ts";
import { refusal } from "./pages/refusal.ts";
import { headerUser } from "./remote-user.ts";
import { isNavigation } from "./require-user.ts";

/** Settings of `forwardAuth`. */
export interface ForwardAuthOptions {
  /** Endpoint of the other server, https, such as `https://auth.example/api/authz/forward-auth`. */
  url: string;
  /** Field of its answer with the user's name. @default "Remote-User" */
  header?: string;
  /** Field of its answer with the groups, separated by commas. @default "Remote-Groups" */
  groupsHeader?: string;
  /** Fields of its answer that become claims. @default { name: "Remote-Name", email: "Remote-Email" } */
  claims?: Readonly<Record<string, string>>;
  /** Fields of the request that it is shown. @default Cookie, Authorization, Accept, Accept-Language, User-Agent, X-Requested-With, Sec-Fetch-Mode, Sec-Fetch-Dest */
  requestHeaders?: readonly string[];
  /** This site as browsers see it, which the other server is told. @default scheme and Host of the request */
  origin?: string;
  /** Page that navigations are sent to when the answer is 401 without a place of its own; gets `?rd=` with the page asked for, as oauth2-proxy's `/oauth2/start`. @default none */
  signIn?: string;
  /** What an answer of 2xx without a user means: `"refuse"` is 401, `"pass"` lets the request through as nobody's. @default "refuse" */
  anonymous?: "refuse" | "pass";
  /** Longest wait for the whole answer, milliseconds; then 503. @default 2_000 */
  timeoutMs?: number;
  /** Largest answer, bytes; beyond it 503. @default 262_144 */
  maxBytes?: number;
  /** The principal's type. @default "forwardAuth" */
  type?: string;
  /** Takes `http:` for this machine's own addresses (127.0.0.1, ::1, localhost). @default false */
  allowHttp?: boolean;
}

/** Fields of oauth2-proxy's answers (`--set-xauthrequest`): `forwardAuth({ url, ...oauth2ProxyFields })`. */
export const oauth2ProxyFields: Required<Pick<ForwardAuthOptions, "header" | "groupsHeader" | "claims">> = {
  header: "X-Auth-Request-User",
  groupsHeader: "X-Auth-Request-Groups",
  claims: { email: "X-Auth-Request-Email", preferred_username: "X-Auth-Request-Preferred-Username" },
};

/**
 * Lets through requests and sockets that the other server answers with 2xx, as the user it names; its refusals, login
 * pages and redirects go to the client.
 *
 * It is told method and URL in both customs, `X-Forwarded-*` and `X-Original-*`; what the client sent under these names
 * does not count. Fails closed: no answer, a late one, one that is too large or 5xx is 503.
 *
 * @throws GatewayError `GW_OUTBOUND_URL` for an endpoint that is not https, `GW_FORWARD_AUTH` for other settings that cannot be.
 */
export function forwardAuth(options: ForwardAuthOptions): Middleware {
  const { timeoutMs = 2_000, maxBytes = 262_144, allowHttp = false, anonymous = "refuse" } = options;
  checkNames(options);
  const server: AuthServer = { url: checkedUrl(options.url, allowHttp), timeoutMs, maxBytes };
  const ambiguous = refusal(400);
  const denied = refusal(401, { "WWW-Authenticate": 'Forward realm="login"' });
  return layer({
    name: "forwardAuth",
    async onRequest(request) {
      if (request.headers.getAll("authorization").length > 1) return ambiguous;
      const verdict = await askAuthServer(server, questionFields(request, options), request.signal);
      if (verdict.kind === "refused") return relayed(request, verdict, options);
      const principal = answeredUser(verdict.headers, options);
      if (principal === null && anonymous === "refuse") return denied;
      const noted = keepCookies(request, verdict.headers);
      return principal === null ? noted : withPrincipal(withoutAuthorization(noted), principal);
    },
    onResponse: (answer, request) => withCookies(answer, request),
  });
}

const SHOWN = [
  "Cookie",
  "Authorization",
  "Accept",
  "Accept-Language",
  "User-Agent",
  "X-Requested-With",
  "Sec-Fetch-Mode",
  "Sec-Fetch-Dest",
];

/** What the other server is told of a request. A pure step of `forwardAuth`. */
export function questionFields(
  request: GatewayRequest,
  { requestHeaders = SHOWN, origin }: Pick<ForwardAuthOptions, "requestHeaders" | "origin">,
): HeaderList {
  const { method, scheme, mount, query, headers, client } = request;
  const site = new URL(origin ?? `${scheme}://${headers.get("host") ?? "unknown.invalid"}`);
  const uri = encodePath(mount) + rawPath(request) + (query === "" ? "" : `?${query}`);
  const shown = requestHeaders.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  return HeaderList.from([
    ...shown,
    ["X-Forwarded-Method", method],
    ["X-Forwarded-Proto", site.protocol.slice(0, -1)],
    ["X-Forwarded-Host", site.host],
    ["X-Forwarded-Uri", uri],
    ...(client !== null && "host" in client ? [["X-Forwarded-For", client.host] as [string, string]] : []),
    ["X-Original-Method", method],
    ["X-Original-URL", site.origin + uri],
  ]);
}

/** The user that the other server's answer names, or `null`. A pure step of `forwardAuth`. */
export function answeredUser(
  headers: HeaderList,
  options: Pick<ForwardAuthOptions, "header" | "groupsHeader" | "claims" | "type">,
): Principal | null {
  const { header = "Remote-User", groupsHeader = "Remote-Groups", type = "forwardAuth" } = options;
  const { claims = { name: "Remote-Name", email: "Remote-Email" } } = options;
  if (headers.getAll(header).length > 1) return null; // two users are nobody
  return headerUser(headers, header, { groupsHeader, claims, type });
}

const RELAYED = [
  "Location",
  "Set-Cookie",
  "WWW-Authenticate",
  "Content-Type",
  "Content-Security-Policy",
  "Retry-After",
];

/** The other server's refusal, as the client gets it. */
function relayed(
  request: GatewayRequest,
  { status, headers, body }: Extract<AuthVerdict, { kind: "refused" }>,
  options: ForwardAuthOptions,
): Answer {
  const isPage = isNavigation(request);
  const kept = headers.filter((name) => RELAYED.some((one) => one.toLowerCase() === name.toLowerCase()));
  const fields = kept.with("Cache-Control", "no-store");
  const place = headers.get("location") ?? signInUrl(request, options);
  // nginx's custom is a 401 that carries the place to log in; a socket or a program cannot follow either.
  if (status === 401 && place !== null && isPage) return response(302, fields.with("Location", place), null);
  if (status < 400 && request.kind === "websocket") return response(401, fields.without("Location"), null);
  return response(status, status < 400 ? fields : fields.without("Location"), body);
}

function signInUrl(request: GatewayRequest, { signIn, origin }: ForwardAuthOptions): string | null {
  if (signIn === undefined) return null;
  const fields = questionFields(request, { requestHeaders: [], ...(origin !== undefined && { origin }) });
  return `${signIn}${signIn.includes("?") ? "&" : "?"}rd=${encodeURIComponent(fields.get("x-original-url") ?? "/")}`;
}

function response(status: number, headers: HeaderList, body: Uint8Array | null): HttpResponse {
  return { kind: "response", status, headers: body === null ? headers.without("Content-Type") : headers, body };
}

/** Cookies that the other server renewed with its 2xx; they go out with the app's answer. */
const renewedCookies: StateKey<readonly string[]> = stateKey("gw.forward-auth.cookies");

function keepCookies(request: GatewayRequest, headers: HeaderList): GatewayRequest {
  const cookies = headers.getAll("set-cookie");
  return cookies.length === 0 ? request : { ...request, state: request.state.with(renewedCookies, cookies) };
}

function withCookies(answer: Answer, { state }: GatewayRequest): Answer {
  let { headers } = answer;
  for (const line of state.get(renewedCookies) ?? []) headers = headers.append("Set-Cookie", line);
  return headers === answer.headers ? answer : { ...answer, headers };
}

function checkNames({
  header,
  groupsHeader,
  claims = {},
  requestHeaders = [],
  origin,
  timeoutMs = 1,
}: ForwardAuthOptions): void {
  for (const name of [header, groupsHeader, ...Object.values(claims), ...requestHeaders]) {
    if (name !== undefined && !isToken(name)) throw bad(`${JSON.stringify(name)} is no field name`);
  }
  if (origin !== undefined && !(URL.canParse(origin) && new URL(origin).origin === origin)) {
    throw bad(`origin is this site's, such as https://app.example, found ${JSON.stringify(origin)}`);
  }
  if (!(timeoutMs > 0)) throw bad("timeoutMs is a time in milliseconds");
}

function bad(message: string): GatewayError {
  return new GatewayError("GW_FORWARD_AUTH", 500, `forwardAuth: ${message}`);
}
