// Users that a front server has logged in: fields of listed peers become variables beside the request, nobody else's do (R-H18).
import { type Address, GatewayError, type HeaderList, isToken, type PeerList, peerList } from "@gw/core";

/** Front servers that log users in, and the fields in which they say who. */
export interface FrontIdentityOptions {
  /** The front servers: addresses, CIDR blocks, `"unix"`. Risk: each must set or remove every named field on every request. */
  peers: readonly string[];
  /**
   * Fields by the variable that they become, `REMOTE_USER` for the layer `remoteUser`. Name all that the front server sets
   * and none that it lets pass. @default { REMOTE_USER: "Remote-User" }
   */
  variables?: Readonly<Record<string, string>>;
}

/** The settings, checked. */
export interface FrontIdentity {
  readonly peers: PeerList;
  readonly variables: readonly (readonly [variable: string, field: string])[];
}

/** Checks the settings. @throws GatewayError `GW_PEER_LIST`; `GW_HTTP_OPTION` for what is no field's or no variable's name. */
export function resolveFrontIdentity(options: FrontIdentityOptions): FrontIdentity {
  const variables = Object.entries(options.variables ?? { REMOTE_USER: "Remote-User" });
  for (const [variable, field] of variables) {
    if (!/^[A-Z][A-Z0-9_]*$/.test(variable) || variable.startsWith("HTTP_") || !isToken(field)) {
      throw new GatewayError("GW_HTTP_OPTION", 500, `identityFrom: ${variable}: ${field} is no variable and field`);
    }
  }
  return { peers: peerList(options.peers), variables };
}

/**
 * The variables that the fields of a listed peer become; the fields themselves are the caller's to remove.
 *
 * A field that is there twice is nobody's word: one of them may be the client's.
 */
export function readFrontIdentity(
  headers: HeaderList,
  peer: Address | null,
  { peers, variables }: FrontIdentity,
): ReadonlyMap<string, string> {
  if (!peers.includes(peer)) return noParams;
  const found = new Map<string, string>();
  for (const [variable, field] of variables) {
    const values = headers.getAll(field);
    if (values.length === 1 && values[0] !== "") found.set(variable, values[0] as string);
  }
  return found;
}

/** The params of a request that no front server has added to. */
export const noParams: ReadonlyMap<string, string> = new Map();
