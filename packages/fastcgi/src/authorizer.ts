// Auth layers for other web servers: the Authorizer role (FastCGI 1.0 §6.3).
import {
  type App,
  authDecision,
  GatewayError,
  type GatewayRequest,
  HeaderList,
  type HttpResponse,
  identityFields,
  identityValue,
  isProtectedVariable,
  type Middleware,
  type Principal,
} from "@gw/core";
import type { FastcgiServerOptions, RunningFastcgiServer } from "./options.ts";
import { serveFastcgi } from "./serve.ts";

/** What an authorizer tells the web server besides who the user is. */
export interface AuthorizerOptions {
  /**
   * Further variables for the web server and what runs behind it, `{ TENANT: "acme" }`; text. They go out as
   * `Variable-TENANT`. Names of CGI variables and of headers are refused. @default none
   */
  variables?: (principal: Principal, request: GatewayRequest) => Readonly<Record<string, string>>;
}

/** An Authorizer that runs, or is about to. */
export interface RunningAuthorizer extends Omit<RunningFastcgiServer, "reload"> {
  /** Gives all new questions to other layers, once those have started; without any, the layers reload themselves (R-O2). */
  reload(nextLayers?: Middleware | readonly Middleware[]): Promise<void>;
}

/**
 * Answers whether a request may pass by asking layers, and who it is from: 200 with `Variable-REMOTE_USER`,
 * `Variable-AUTH_TYPE`, and `Variable-REMOTE_GROUPS`, `-REMOTE_NAME` and `-REMOTE_EMAIL` as far as known.
 *
 * Any other answer of the layers is for the client; their own 2xx, a login page, becomes 401. Without a user it is 401.
 */
export function authorizer(layers: Middleware | readonly Middleware[], options: AuthorizerOptions = {}): App {
  const list = typeof layers === "function" ? [layers] : layers;
  const decision = authDecision(list, (principal, request) => allowed(principal, request, options));
  return {
    ...decision,
    describe: () => ({ kind: "authorizer", name: "authorizer", children: decision.describe?.().children ?? [] }),
  };
}

/**
 * Serves layers to web servers as a FastCGI Authorizer: Apache's mod_authnz_fcgi and mod_fcgid, lighttpd. Returns at once.
 *
 * The layers see the request that the client sent, without its body.
 *
 * @throws GatewayError as `serveFastcgi`
 */
export function serveAuthorizer(
  layers: Middleware | readonly Middleware[],
  { variables, ...options }: AuthorizerOptions & Omit<FastcgiServerOptions, "role"> = {},
): RunningAuthorizer {
  const appOf = (some: Middleware | readonly Middleware[]): App =>
    authorizer(some, variables === undefined ? {} : { variables });
  const server = serveFastcgi(appOf(layers), { ...options, role: "authorizer" });
  return {
    get addresses() {
      return server.addresses;
    },
    ready: server.ready,
    close: () => server.close(),
    reload: (next) => server.reload(next === undefined ? undefined : appOf(next)),
  };
}

function allowed(principal: Principal, request: GatewayRequest, { variables }: AuthorizerOptions): HttpResponse {
  const fields = identityFields(principal).map(([name, value]): [string, string] => [
    `Variable-${name.toUpperCase().replaceAll("-", "_")}`,
    value,
  ]);
  fields.push(["Variable-AUTH_TYPE", identityValue("type", principal.type)]);
  for (const [name, value] of Object.entries(variables?.(principal, request) ?? {})) {
    fields.push([`Variable-${checkedName(name)}`, identityValue(name, value)]);
  }
  return { kind: "response", status: 200, headers: HeaderList.from(fields), body: null };
}

function checkedName(name: string): string {
  if (/^(?!REMOTE_)[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !isProtectedVariable(name)) return name;
  throw new GatewayError(
    "GW_VARIABLE",
    500,
    `${JSON.stringify(name.slice(0, 80))} is no variable of an authorizer's own`,
  );
}
