// What the page says of a request, without its secrets.
import { type GatewayRequest, notesIfAny } from "@gw/core";
import { hideSecrets, SECRET_PARAMETERS } from "../access-log/escape.ts";

/** One line about a request. */
export type Fact = readonly [name: string, value: string];

const HIDDEN = "(hidden)";
/** Fields that carry secrets, or whose name says that they may: better one too many. */
const SECRET_NAME =
  /auth|cookie|token|secret|passw|credential|session|signature|identity|assertion|(?:^|[-_])(?:key|sid|jwt|csrf|otp)(?:$|[-_])|api-?key/i;

const hide = hideSecrets(SECRET_PARAMETERS);

/** Facts about a request as a developer wants them; the body is not among them. */
export function requestFacts(request: GatewayRequest): readonly Fact[] {
  const { method, target, mount, path, protocol, client, exchange } = request;
  const principal = request.principal ?? notesIfAny(exchange)?.principal ?? null; // a layer further in may have found it
  return [
    ["request", `${method} ${hide(target)} ${protocol}`],
    ["mount and path", `${mount === "" ? "(none)" : mount} ${path}`],
    ["client", client === null ? "(not known)" : "host" in client ? `${client.host}:${client.port}` : client.path],
    ["user", principal === null ? "(nobody)" : `${principal.user} (${principal.type})`],
    ["id", exchange.id],
  ];
}

/** The header fields; the values of those that may be secret are hidden, and so are secret parameters of URLs. */
export function headerFacts({ headers }: Pick<GatewayRequest, "headers">): readonly Fact[] {
  return [...headers].map(([name, value]): Fact => [name, SECRET_NAME.test(name) ? HIDDEN : hide(value)]);
}
