// The steps of a login at a provider: to it, back from it, and out again, here or there.
import {
  type Answer,
  andThen,
  type GatewayRequest,
  HeaderList,
  type HttpRequest,
  type HttpResponse,
  localTarget,
  notesOf,
  readForm,
  redirect,
} from "@gw/core";
import { NEXT_FIELD } from "../form-login/place.ts";
import type { JwtClaims } from "../jwt.ts";
import type { KeyOwner } from "../keys/key-table.ts";
import { requestOrigin } from "../origin/own-origin.ts";
import { refusal } from "../pages/refusal.ts";
import type { ActiveSession } from "../session/active.ts";
import { activeOf } from "../session/active-of.ts";
import { failureOf, failurePage, type LoginFailure, type OidcTexts } from "./failure.ts";
import { changeLogin, type Granted, loginFrom, loginOf, oidcPrincipal } from "./login.ts";
import { verifyLogoutToken } from "./logout-token.ts";
import { isPending, notePending, takePending } from "./pending.ts";
import type { Provider } from "./provider.ts";
import { revoke } from "./revocations.ts";

/** What the steps are told by the layer's options. Paths are percent-encoded, below the mount. */
export interface FlowSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly origin: string;
  readonly loginPath: string;
  readonly callbackPath: string;
  readonly afterLogin: string | null;
  readonly afterLogout: string | null;
  readonly algorithm: string;
  readonly clockSkewMs: number;
  readonly texts: OidcTexts;
  ownerOf(claims: JwtClaims, request: GatewayRequest): KeyOwner | null | Promise<KeyOwner | null>;
  encodedMount(request: GatewayRequest): string;
}

const MAX_TOKEN_BYTES = 65_536;
const noStore = (answer: HttpResponse): HttpResponse => ({
  ...answer,
  headers: answer.headers.with("Cache-Control", "no-store"),
});
const forbidden = refusal(403);

/** Sends the browser to the provider, and remembers in its session what it must come back with. */
export async function toProvider(request: HttpRequest, provider: Provider, settings: FlowSettings): Promise<Answer> {
  const session = activeOf(request);
  await session.load();
  const next = nextOf(request, settings);
  if (session.principal !== null) return noStore(redirect(next ?? home(request, settings), 303));
  const { url, state, verifier, nonce } = await provider.begin(absolute(request, settings, settings.callbackPath));
  notePending(session, state, { verifier, nonce, next, atMs: Date.now() });
  return noStore(redirect(url, 302));
}

/** Takes the browser back from the provider: whatever it brings counts once, and only where the login began (R-M15). */
export async function fromProvider(request: HttpRequest, provider: Provider, settings: FlowSettings): Promise<Answer> {
  const session = activeOf(request);
  await session.load();
  const states = new URLSearchParams(request.query).getAll("state");
  const [state = ""] = states;
  const isKnown = states.length === 1 && isPending(session, state);
  const login = isKnown ? await takePending(session, state, Date.now()) : null;
  if (login === null) {
    // A page loaded again, or the back button: who is logged in needs no new login.
    return session.principal === null
      ? failed(request, "expired", settings)
      : noStore(redirect(home(request, settings), 303));
  }
  const callback = new URL(absolute(request, settings, settings.callbackPath));
  callback.search = request.query;
  let granted: Granted;
  try {
    granted = await provider.exchange(callback, state, login);
  } catch (error) {
    request.exchange.log.info({ err: error, client: request.client }, "a login at the provider failed");
    return failed(request, failureOf(error), settings);
  }
  return enter(request, session, granted, login.next, settings);
}

async function enter(
  request: HttpRequest,
  session: ActiveSession,
  granted: Granted,
  next: string | null,
  settings: FlowSettings,
): Promise<Answer> {
  const principal = oidcPrincipal(await settings.ownerOf(granted.claims, request), granted.claims);
  if (principal === null) {
    request.exchange.log.info({ sub: granted.claims.sub }, "the provider's user may not log in here");
    return failed(request, "stranger", settings);
  }
  session.logIn(principal);
  changeLogin(session, () => loginFrom(settings.issuer, granted, Date.now()));
  notesOf(request.exchange).principal = principal;
  return noStore(redirect(next ?? home(request, settings), 303));
}

/** Ends the session here, everywhere with `?everywhere=1`, and then at the provider. */
export async function logOut(request: HttpRequest, provider: Provider, settings: FlowSettings): Promise<Answer> {
  if (requestOrigin(request, [settings.origin]) === "cross") return forbidden;
  const session = activeOf(request);
  await session.load();
  notesOf(request.exchange).principal = session.principal;
  const login = loginOf(session, settings.issuer);
  const isEverywhere = new URLSearchParams(request.query).get("everywhere") === "1";
  session.end({ everywhere: isEverywhere });
  const target = settings.afterLogout ?? `${settings.encodedMount(request)}/`;
  const there = login === null ? null : provider.endSessionUrl(login.idToken, new URL(target, settings.origin).href);
  return noStore(redirect(there ?? target, 303));
}

/** Takes the provider's word that a login has ended (Back-Channel Logout 1.0 §2.5 to §2.8). */
export async function logOutFromProvider(
  request: HttpRequest,
  provider: Provider,
  settings: FlowSettings,
): Promise<Answer> {
  const { issuer, clientId, algorithm, clockSkewMs } = settings;
  const form = await readForm(request, { maxBytes: MAX_TOKEN_BYTES });
  const rules = {
    issuer,
    audience: clientId,
    algorithms: [algorithm],
    types: ["logout+jwt", "JWT"],
    clockSkewMs,
    maxAgeMs: MAX_LOGOUT_AGE_MS,
  };
  const verdict = await verifyLogoutToken(form.get("logout_token") ?? "", rules, await provider.keys());
  if ("problem" in verdict) {
    request.exchange.log.warn({ problem: verdict.problem, client: request.client }, "a logout token was refused");
    return answerTo(400, '{"error":"invalid_request"}');
  }
  // The token may come again within its life: ending what has ended changes nothing.
  await andThen(revoke(activeOf(request), issuer, verdict.ended, Date.now()), () => {});
  return answerTo(200, "{}");
}

const MAX_LOGOUT_AGE_MS = 600_000;

function answerTo(status: number, json: string): HttpResponse {
  const headers = HeaderList.from({ "Content-Type": "application/json", "Cache-Control": "no-store" });
  return { kind: "response", status, headers, body: new TextEncoder().encode(json) };
}

function failed(request: HttpRequest, failure: LoginFailure, settings: FlowSettings): HttpResponse {
  return failurePage(failure, settings.encodedMount(request) + settings.loginPath, settings.texts);
}

/** Where to go after the login: only places of this site (R-M12), and not the steps of a login again. */
function nextOf(request: HttpRequest, settings: FlowSettings): string | null {
  const given = new URLSearchParams(request.query).get(NEXT_FIELD);
  const next = given === null ? null : localTarget(given);
  const path = next?.split(/[?#]/, 1)[0] ?? "";
  const mount = settings.encodedMount(request);
  return path === mount + settings.loginPath || path === mount + settings.callbackPath ? null : next;
}

function home(request: HttpRequest, settings: FlowSettings): string {
  return settings.afterLogin ?? `${settings.encodedMount(request)}/`;
}

function absolute(request: HttpRequest, settings: FlowSettings, path: string): string {
  return settings.origin + settings.encodedMount(request) + path;
}
