// A login at an OpenID Connect provider: code flow with PKCE; the session's user becomes the principal (R-M15).
import {
  type Answer,
  andThen,
  encodePath,
  GatewayError,
  type GatewayRequest,
  HeaderList,
  type HttpRequest,
  layer,
  type MaybePromise,
  type Middleware,
  toBytes,
  withPrincipal,
} from "@gw/core";
import { loginPlace } from "./form-login/place.ts";
import { claimedOwner, type JwtAlgorithm, type JwtClaims, type KeyOwner } from "./jwt.ts";
import { englishOidcTexts, type OidcTexts } from "./oidc/failure.ts";
import { type FlowSettings, fromProvider, logOut, logOutFromProvider, toProvider } from "./oidc/flow.ts";
import { loginOf, type OidcLogin } from "./oidc/login.ts";
import { Provider } from "./oidc/provider.ts";
import { isDue, renew } from "./oidc/renewal.ts";
import { isRevoked } from "./oidc/revocations.ts";
import { formTargets } from "./pages/form-targets.ts";
import type { ActiveSession } from "./session/active.ts";
import { activeOf } from "./session/active-of.ts";

export type { JwtAlgorithm, JwtClaims, KeyOwner } from "./jwt.ts";
export type { OidcTexts } from "./oidc/failure.ts";

/** Settings of `oidc`. */
export interface OidcOptions {
  /** The provider's issuer, an https URL; everything else is asked of it. */
  issuer: string;
  /** What this site is called there. */
  clientId: string;
  /** Known to the provider and this site only. @default none: a public client, protected by PKCE alone */
  clientSecret?: string;
  /** How the secret is sent. @default "basic" */
  clientAuthentication?: "basic" | "post";
  /** This site as browsers see it, `https://app.example`; never taken from a request. The provider must know `origin` + `callbackPath`. */
  origin: string;
  /** What is asked for. `offline_access`, where the provider has it, gives tokens that are renewed. @default ["openid", "profile", "email"] */
  scopes?: readonly string[];
  /** Further parameters of the request for a login, such as `{ prompt: "login" }`. @default {} */
  parameters?: Readonly<Record<string, string>>;
  /** Algorithm of ID tokens and logout tokens. @default "RS256" */
  algorithm?: Exclude<JwtAlgorithm, `HS${string}`>;
  /** Also asks the provider's userinfo endpoint for claims. @default false */
  userInfo?: boolean;
  /** Claim with the user's name. Risk: of other claims than `sub` the provider must promise that no two users share one, ever. @default "sub" */
  userClaim?: string;
  /** Claim with the groups. @default "groups" */
  groupsClaim?: string;
  /** Says who a user is here, instead of the two claims; `null`: nobody, 403. Asked again when tokens are renewed. */
  owner?: (claims: JwtClaims) => KeyOwner | null | Promise<KeyOwner | null>;
  /** Path that begins a login, below the mount this layer is in. Text. @default "/login" */
  path?: string;
  /** Path that the provider sends browsers back to. Text. @default "/login/callback" */
  callbackPath?: string;
  /** Path that ends the session when a form is posted to it, here and at the provider; `?everywhere=1` on all devices. Text. @default "/logout" */
  logoutPath?: string;
  /** Path that the provider posts logout tokens to. Costs up to two reads of the session store with each request. Text. @default false: none */
  backChannelPath?: string | false;
  /** Where to go after a login that did not begin elsewhere. @default "/" below the mount */
  afterLogin?: string;
  /** Where to go after logging out; the provider must know `origin` + this. @default "/" below the mount */
  afterLogout?: string;
  /** Whether tokens are renewed when they end, if the provider gave a refresh token. @default true */
  renew?: boolean;
  /** Longest wait for one answer of the provider, milliseconds. @default 5_000 */
  timeoutMs?: number;
  /** Tolerance for clocks that differ, milliseconds, 60_000 at most. @default 30_000 */
  clockSkewMs?: number;
  /** Takes `http:` for a provider on this machine's own addresses (127.0.0.1, ::1, localhost). @default false */
  allowHttp?: boolean;
  /** What the page of a failed login says. @default English */
  texts?: Partial<OidcTexts>;
}

/**
 * Sends browsers to a provider to log in, and gives each request of a logged-in session its principal, of type `"oidc"`.
 *
 * Put it inside `session()`. It lets everybody through: `requireUser()` inside of it says what needs a user, and sends
 * browsers here and tells programs 401. While the provider is out, logins are 503 and those who are logged in go on.
 *
 * @throws GatewayError `GW_OIDC` for settings that cannot be, `GW_OUTBOUND_URL` for an issuer that is not https.
 */
export function oidc(options: OidcOptions): Middleware {
  const settings = settingsOf(options);
  const provider = new Provider(providerOptions(options));
  const visit = visitOf(options, settings, provider);
  const steps = stepsOf(options, settings, provider);
  return layer({
    name: "oidc",
    start: ({ log }) => provider.start(log),
    reload: () => provider.reload(),
    status: () => provider.status(),
    onRequest(request): MaybePromise<GatewayRequest | Answer> {
      const step = request.kind === "http" ? steps.get(request.path) : undefined;
      return step === undefined ? visit(request) : step(request as HttpRequest);
    },
  });
}

type Step = (request: HttpRequest) => Promise<Answer>;

/** The four paths that are ours, and what happens there. */
function stepsOf(options: OidcOptions, settings: FlowSettings, provider: Provider): ReadonlyMap<string, Step> {
  const {
    path = "/login",
    callbackPath = "/login/callback",
    logoutPath = "/logout",
    backChannelPath = false,
  } = options;
  const steps: [string | false, readonly string[], (...args: Parameters<typeof logOut>) => Promise<Answer>][] = [
    [path, ["GET", "HEAD"], toProvider],
    [callbackPath, ["GET"], fromProvider],
    [logoutPath, ["POST"], logOut],
    [backChannelPath, ["POST"], logOutFromProvider],
  ];
  const made = steps.flatMap(([place, methods, step]): [string, Step][] => {
    if (place === false) return [];
    const checked: Step = (request) => {
      checkMethod(request, methods);
      return step(request, provider, settings);
    };
    return [[toBytes(place), checked]];
  });
  return new Map(made);
}

/** What happens on every other path: the session's user is the request's. */
function visitOf(
  { renew: mayRenew = true, backChannelPath = false }: OidcOptions,
  settings: FlowSettings,
  provider: Provider,
): (request: GatewayRequest) => MaybePromise<GatewayRequest> {
  const { issuer } = settings;
  const renewal = {
    issuer,
    refresh: (token: string, sub: string) => provider.refresh(token, sub),
  };
  const pass = (request: GatewayRequest, session: ActiveSession): GatewayRequest => {
    const place = settings.encodedMount(request) + settings.loginPath;
    const target = provider.endSessionOrigin;
    let { state } = request;
    state = state.with(loginPlace, place);
    if (target !== null) state = state.with(formTargets, [...(state.get(formTargets) ?? []), target]);
    const { principal } = session;
    return principal === null ? { ...request, state } : withPrincipal({ ...request, state }, principal);
  };
  const check = (request: GatewayRequest, session: ActiveSession, login: OidcLogin): MaybePromise<GatewayRequest> =>
    andThen(backChannelPath === false ? false : isRevoked(session, issuer, login), (hasEnded) => {
      if (hasEnded) session.end();
      else if (mayRenew && isDue(login, Date.now())) {
        const ownerOf = (claims: JwtClaims): ReturnType<FlowSettings["ownerOf"]> => settings.ownerOf(claims, request);
        return renew(session, { ...renewal, ownerOf }, request.exchange.log).then(() => pass(request, session));
      }
      return pass(request, session);
    });
  return (request) => {
    const session = activeOf(request);
    return andThen(session.load(), () => {
      const login = session.principal === null ? null : loginOf(session, issuer);
      return login === null ? pass(request, session) : check(request, session, login);
    });
  };
}

function settingsOf(options: OidcOptions): FlowSettings {
  const { issuer, clientId, path = "/login", callbackPath = "/login/callback", clockSkewMs = 30_000 } = options;
  const { afterLogin = null, afterLogout = null, algorithm = "RS256", texts, owner = claimedOwner(options) } = options;
  if (clientId === "") throw bad("clientId is empty");
  if (!(clockSkewMs >= 0 && clockSkewMs <= 60_000)) throw bad("clockSkewMs is from 0 to 60000");
  if (options.scopes !== undefined && !options.scopes.includes("openid")) throw bad('scopes include "openid"');
  return {
    issuer,
    clientId,
    origin: checkedOrigin(options.origin),
    loginPath: encodePath(toBytes(path)),
    callbackPath: encodePath(toBytes(callbackPath)),
    afterLogin,
    afterLogout,
    algorithm,
    clockSkewMs,
    texts: { ...englishOidcTexts, ...texts },
    ownerOf: (claims) => owner(claims),
    encodedMount: ({ mount }) => (mount === "" ? "" : encodePath(mount)),
  };
}

function providerOptions(options: OidcOptions): ConstructorParameters<typeof Provider>[0] {
  const { issuer, clientId, clientSecret, clientAuthentication = "basic", parameters = {} } = options;
  const { scopes = ["openid", "profile", "email"], algorithm = "RS256", userInfo = false } = options;
  const { timeoutMs = 5_000, clockSkewMs = 30_000, allowHttp = false } = options;
  const client = { issuer, clientId, clientSecret, clientAuthentication, parameters };
  return { ...client, scopes, algorithm, userInfo, timeoutMs, clockSkewMs, allowHttp };
}

function checkedOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== text.replace(/\/$/, "")) {
    throw bad(`origin is this site's, such as https://app.example, found ${JSON.stringify(text)}`);
  }
  return url.origin;
}

function checkMethod({ method }: HttpRequest, allowed: readonly string[]): void {
  if (allowed.includes(method)) return;
  throw new GatewayError("GW_LOGIN_METHOD", 405, `this path takes ${allowed.join(", ")}`, {
    headers: HeaderList.from({ Allow: allowed.join(", ") }),
  });
}

function bad(message: string): GatewayError {
  return new GatewayError("GW_OIDC", 500, `oidc: ${message}`);
}
