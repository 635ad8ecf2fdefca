// The user that a front server established: its REMOTE_USER variable, or a field that it sets (R-H18).
import {
  GatewayError,
  type GatewayRequest,
  type HeaderList,
  identityHeaders,
  isIdentityHeader,
  isToken,
  layer,
  type Middleware,
  type Principal,
  peerList,
  scrubIdentity,
  toText,
  withPrincipal,
} from "@gw/core";
import { refusal } from "./pages/refusal.ts";
import { equalSecrets } from "./passwords/equal-secrets.ts";

/** Settings of `remoteUser`. */
export interface RemoteUserOptions {
  /**
   * Field in which the front server names the user, such as `X-Proxy-User`. None of `Remote-User`, `X-Forwarded-User`
   * and their like: carriers remove those from every request. @default none: the variables REMOTE_USER and AUTH_TYPE of CGI and FastCGI
   */
  header?: string;
  /** Field with the user's groups, separated by commas. @default none */
  groupsHeader?: string;
  /** Fields that become claims: `{ email: "X-Proxy-Email" }`. @default none */
  claims?: Readonly<Record<string, string>>;
  /** Addresses of the front servers, as for `peerList`. Fields of anybody else are removed. Risk: with `"*"` everybody can be anybody. */
  peers?: readonly string[];
  /** A field and value that only the front server knows; for servers without a fixed address. With `peers`, both must be right. */
  secret?: { readonly header: string; readonly value: string };
  /** The principal's type, AUTH_TYPE inside. @default the variable AUTH_TYPE, else "remote" */
  type?: string;
}

/**
 * Takes the user from the front server, and removes what only it may say from everybody else's requests.
 *
 * Without `header` the user is REMOTE_USER of CGI and FastCGI, or what `identityFrom` of `serve` makes of a listed peer's
 * fields, which no client can set; REMOTE_GROUPS, REMOTE_NAME and REMOTE_EMAIL add to it. With it, the field counts from
 * listed `peers`, or with the `secret`; the fields never go on to the app. Everybody passes: `requireUser` inside says
 * who needs a user. A field that is there twice is refused with 400.
 *
 * @throws GatewayError `GW_REMOTE_USER` for settings under which anybody could name a user, or nobody.
 */
export function remoteUser(options: RemoteUserOptions = {}): Middleware {
  const { header } = options;
  if (header === undefined) {
    return layer({
      name: "remoteUser",
      onRequest: (request) => {
        const principal = variableUser(request, options.type);
        return principal === null ? request : withPrincipal(request, principal);
      },
    });
  }
  const names = checkedNames(header, options);
  const isFront = frontTest(options);
  const ambiguous = refusal(400);
  return layer({
    name: "remoteUser",
    onRequest(request) {
      const headers = scrubIdentity(request.headers, names);
      if (headers === request.headers || !isFront(request)) return withHeaders(request, headers);
      if (names.some((name) => request.headers.getAll(name).length > 1)) return ambiguous;
      const principal = headerUser(request.headers, header, options);
      const clean = withHeaders(request, headers);
      return principal === null ? clean : withPrincipal(clean, principal);
    },
  });
}

const CLAIM_VARIABLES = [
  ["name", "REMOTE_NAME"],
  ["email", "REMOTE_EMAIL"],
] as const;

/** The user that variables name (REMOTE_USER of RFC 3875 §4.1.11, REMOTE_GROUPS, REMOTE_NAME, REMOTE_EMAIL), or `null`. */
export function variableUser({ params }: Pick<GatewayRequest, "params">, type?: string): Principal | null {
  const user = toText(params.get("REMOTE_USER") ?? "");
  if (user === "") return null;
  const claims = CLAIM_VARIABLES.flatMap(([claim, name]) => {
    const value = params.get(name);
    return value === undefined ? [] : [[claim, toText(value)] as const];
  });
  return {
    user,
    type: type ?? (toText(params.get("AUTH_TYPE") ?? "") || "remote"),
    groups: listOf(params.get("REMOTE_GROUPS") ?? null),
    claims: Object.fromEntries(claims),
  };
}

/** The user that fields name, or `null`. Whether to believe them is not asked here. */
export function headerUser(
  headers: HeaderList,
  header: string,
  { groupsHeader, claims = {}, type = "remote" }: Pick<RemoteUserOptions, "groupsHeader" | "claims" | "type">,
): Principal | null {
  const user = toText(headers.get(header) ?? "").trim();
  if (user === "") return null;
  const groups = groupsHeader === undefined ? [] : listOf(headers.get(groupsHeader));
  const found = Object.entries(claims).flatMap(([claim, name]) => {
    const value = headers.get(name);
    return value === null || value === "" ? [] : [[claim, toText(value)] as const]; // empty: not known
  });
  return { user, type, groups, claims: Object.fromEntries(found) };
}

function listOf(value: string | null): string[] {
  return toText(value ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

function checkedNames(header: string, options: RemoteUserOptions): readonly string[] {
  const { groupsHeader, claims = {}, secret, peers } = options;
  if (peers === undefined && secret === undefined) {
    throw badSettings("a header needs peers or a secret: else every client could name its user");
  }
  if (secret !== undefined && secret.value.length < MIN_SECRET_CHARS) {
    throw badSettings(`the secret has fewer than ${MIN_SECRET_CHARS} characters`);
  }
  const names = [header, groupsHeader, ...Object.values(claims), secret?.header].filter((name) => name !== undefined);
  for (const name of names) {
    if (!isToken(name)) throw badSettings(`${JSON.stringify(name)} is no field name`);
    if (isIdentityHeader(name)) {
      throw badSettings(
        `carriers remove ${name} from every request (${identityHeaders.join(", ")}): let the front server use another name`,
      );
    }
  }
  return names;
}

const MIN_SECRET_CHARS = 16;

function frontTest({ peers, secret }: RemoteUserOptions): (request: GatewayRequest) => boolean {
  const list = peers === undefined ? null : peerList(peers);
  return ({ client, headers }) => {
    if (list !== null && !list.includes(client)) return false;
    return secret === undefined || equalSecrets(headers.get(secret.header) ?? "", secret.value);
  };
}

function withHeaders(request: GatewayRequest, headers: HeaderList): GatewayRequest {
  return headers === request.headers ? request : { ...request, headers };
}

function badSettings(message: string): GatewayError {
  return new GatewayError("GW_REMOTE_USER", 500, message);
}
