// What needs a user: browsers are sent to the login, everything else is told 401.
import {
  encodePath,
  GatewayError,
  type GatewayRequest,
  type HttpResponse,
  layer,
  type Middleware,
  type Principal,
  type RequestHead,
  rawPath,
  redirect,
  toText,
} from "@gw/core";
import { cookieChallenge, loginPlace, loginUrl } from "./form-login/place.ts";
import { refusal } from "./pages/refusal.ts";

/** Settings of `requireUser`. */
export interface RequireUserOptions {
  /** Names of users who may pass; with `groups`, either is enough. @default anybody who is logged in */
  users?: readonly string[];
  /** Groups whose members may pass; with `users`, either is enough. @default anybody who is logged in */
  groups?: readonly string[];
  /** Which requests need a user; the others pass. @default all */
  when?: (request: GatewayRequest) => boolean;
  /** Path of a login page of your own, percent-encoded; gets `?next=`. `false`: never redirect. @default the page of `formLogin` around */
  login?: string | false;
}

/**
 * Lets through requests and sockets with a principal that may pass.
 *
 * Without one, page navigations are redirected to the login; anything else,
 * a socket, a script's fetch or a program, gets 401. With one that may not pass: 403.
 */
export function requireUser(options: RequireUserOptions = {}): Middleware {
  const { when, login } = options;
  const forbidden = refusal(403);
  return layer({
    name: "requireUser",
    onRequest(request) {
      if (when !== undefined && !when(request)) return request;
      if (request.principal !== null) return mayPass(request.principal, options) ? request : forbidden;
      const place = login ?? request.state.get(loginPlace) ?? false;
      return place !== false && isNavigation(request) ? toLogin(request, place) : unauthorized(place);
    },
  });
}

/** Whether a principal is one of the users or in one of the groups; with neither list, anybody is. */
export function mayPass({ user, groups }: Principal, options: Pick<RequireUserOptions, "users" | "groups">): boolean {
  const { users, groups: allowed } = options;
  if (users === undefined && allowed === undefined) return true;
  return (users?.includes(user) ?? false) || groups.some((group) => allowed?.includes(group) ?? false);
}

/**
 * Whether a browser is loading a page, so that a redirect to a login page helps.
 *
 * `Sec-Fetch-Mode` says so; browsers leave it out on plain HTTP, there a GET that wants HTML counts.
 */
export function isNavigation(request: GatewayRequest): boolean {
  if (request.kind === "websocket") return false;
  const mode = request.headers.get("sec-fetch-mode");
  if (mode !== null) return mode === "navigate";
  return isRead(request) && /\btext\/html\b/i.test(request.headers.get("accept") ?? "");
}

function isRead({ method }: GatewayRequest): boolean {
  return method === "GET" || method === "HEAD";
}

function toLogin(request: GatewayRequest, place: string): HttpResponse {
  // A form that was posted cannot be sent again after the login.
  const next = isRead(request) ? toText(pathAndQuery(request)) : null;
  const answer = redirect(loginUrl(place, next), isRead(request) ? 302 : 303);
  return { ...answer, headers: answer.headers.append("Cache-Control", "no-store") };
}

function pathAndQuery(request: GatewayRequest): string {
  const { mount, query } = request;
  return encodePath(mount) + rawPath(request) + (query === "" ? "" : `?${query}`);
}

const challenges: Map<string | false, HttpResponse> = new Map();

/** The 401, made once per login page. */
function unauthorized(place: string | false): HttpResponse {
  let made = challenges.get(place);
  if (made === undefined) {
    made = refusal(401, { "WWW-Authenticate": cookieChallenge(place) });
    if (challenges.size < MAX_CHALLENGES) challenges.set(place, made);
  }
  return made;
}

const MAX_CHALLENGES = 100;

/**
 * The user of a request behind `requireUser()`; say what its claims are where you know it.
 *
 * @throws GatewayError `GW_NO_USER` (500) for a request from nobody: `requireUser()` is missing.
 */
export function userOf<C extends object = Readonly<Record<string, unknown>>>(
  request: Pick<RequestHead, "principal">,
): Omit<Principal, "claims"> & { readonly claims: Readonly<C> } {
  const { principal } = request;
  if (principal !== null) return principal as Principal & { readonly claims: Readonly<C> };
  throw new GatewayError("GW_NO_USER", 500, "the request is from nobody: put requireUser() around this app");
}
