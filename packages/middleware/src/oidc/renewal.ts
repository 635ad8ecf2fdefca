// Renews the tokens of a login beside its requests: rights that the provider took away end here, an outage changes nothing.
import { isGatewayError, type Logger, type Principal } from "@gw/core";
import type { JwtClaims } from "../jwt.ts";
import type { KeyOwner } from "../keys/key-table.ts";
import type { ActiveSession } from "../session/active.ts";
import { isFinal } from "./failure.ts";
import { changeLogin, type Granted, loginFrom, loginOf, type OidcLogin, oidcPrincipal } from "./login.ts";

/** What a renewal needs of its layer. */
export interface RenewalSettings {
  readonly issuer: string;
  refresh(refreshToken: string, sub: string): Promise<Granted>;
  ownerOf(claims: JwtClaims): KeyOwner | null | Promise<KeyOwner | null>;
}

/** How long other requests leave the tokens alone while one renews them, or after it failed to. */
const LEASE_MS = 30_000;

/** Whether it is time to renew a login's tokens. */
export function isDue(login: OidcLogin, nowMs: number): boolean {
  return login.refreshToken !== null && nowMs >= login.renewAtMs;
}

/**
 * Renews the tokens of a session that is due; of parallel requests, in other processes too, one does.
 *
 * A provider that answers `invalid_grant` has ended the login: the session ends. Any other failure leaves it as it is
 * until the next try, so that an outage of the provider logs nobody out (R-O7).
 */
export async function renew(session: ActiveSession, settings: RenewalSettings, log: Logger): Promise<void> {
  const login = await lease(session, settings.issuer);
  if (login?.refreshToken == null) return;
  let granted: Granted;
  try {
    granted = await settings.refresh(login.refreshToken, login.sub);
  } catch (error) {
    if (!isFinal(error)) return log.warn({ err: error }, "the tokens of a login were not renewed; it goes on");
    log.info({ user: session.principal?.user }, "the provider has ended a login");
    return session.end();
  }
  await accept(session, login, granted, settings);
}

async function accept(
  session: ActiveSession,
  login: OidcLogin,
  granted: Granted,
  settings: RenewalSettings,
): Promise<void> {
  const before = session.principal;
  if (granted.idToken !== "" && before !== null) {
    const after = oidcPrincipal(await settings.ownerOf(granted.claims), granted.claims);
    if (after === null || after.user !== before.user) return session.end();
    if (!isSame(before, after)) session.logIn(after); // rights may have grown: a new id (R-M8)
  }
  const renewed = loginFrom(login.issuer, granted, Date.now(), login);
  changeLogin(session, () => renewed);
}

/** The login, for whoever may renew it now; `null` for everybody else. */
async function lease(session: ActiveSession, issuer: string): Promise<OidcLogin | null> {
  let taken: OidcLogin | null = null;
  changeLogin(session, (before) => {
    taken = before !== null && isDue(before, Date.now()) ? before : null;
    return taken === null ? before : { ...taken, renewAtMs: Date.now() + LEASE_MS };
  });
  try {
    await session.save();
  } catch (error) {
    if (isGatewayError(error, "GW_SESSION_ENDED")) return null;
    throw error;
  }
  return loginOf(session, issuer) === null ? null : taken;
}

function isSame(one: Principal, other: Principal): boolean {
  return JSON.stringify([one.groups, one.claims]) === JSON.stringify([other.groups, other.claims]);
}
