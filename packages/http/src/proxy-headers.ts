// The fields an upstream gets: the client's, without what concerns the connection, and what only we may say.
import {
  encodePath,
  type GatewayRequest,
  HeaderList,
  isFieldValue,
  mountVariables,
  peerList,
  rawPath,
  readForwarded,
  scrubIdentity,
  toBytes,
  withoutHopByHop,
} from "@gw/core";
import { ProxyError } from "./proxy-error.ts";
import type { ProxySettings } from "./proxy-options.ts";
import type { ProxyTarget } from "./proxy-target.ts";

/** Nobody's forwarding fields are let pass: what was believed of them is in the request by now (R-H17). */
const NOBODY = { proxies: peerList([]) };

/** Fields that we write anew, or that were answered already. */
const REWRITTEN = /^(?:host|content-length|expect|sec-websocket-(?:key|version|extensions|protocol|accept))$/i;

/** The path and query to ask an upstream for. */
export function upstreamPath(request: GatewayRequest, { prefix }: ProxyTarget, { stripMount }: ProxySettings): string {
  const { mount, path, query, target, method } = request;
  if (method === "OPTIONS" && target === "*") return "*";
  const rest = stripMount ? rawPath(request) : rawPath({ target, mount: "", path: mount + path });
  return `${`${prefix}${rest}` || "/"}${query === "" ? "" : `?${query}`}`;
}

/** What the mount is for clients: answers that point below the upstream's prefix point here again. */
export function publicBase({ mount }: GatewayRequest, { stripMount }: ProxySettings): string {
  return stripMount ? encodePath(mount) : "";
}

/** Host and port as the client asked for them. */
export function publicAuthority({ server, scheme, headers }: GatewayRequest): string | null {
  if ("path" in server) return headers.get("host");
  const host = server.host.includes(":") ? `[${server.host}]` : server.host;
  return server.port === (scheme === "https" ? 443 : 80) ? host : `${host}:${server.port}`;
}

/**
 * The fields of the request to an upstream, `Host` first; without those that frame a body.
 *
 * @throws ProxyError `GW_PROXY_IDENTITY` for a user or group that no field can carry; GatewayError `GW_VARIABLE`
 */
export function upstreamHeaders(
  request: GatewayRequest,
  { authority }: ProxyTarget,
  settings: ProxySettings,
): HeaderList {
  const publicHost = publicAuthority(request);
  const fields: string[] = ["Host", (settings.keepHost ? publicHost : null) ?? authority];
  const kept = withoutOurs(withoutHopByHop(request.headers), settings);
  let via = "1.1 gw"; // RFC 9110 §7.6.3
  for (const [name, value] of kept) {
    if (REWRITTEN.test(name) || (!settings.authorization && name.toLowerCase() === "authorization")) continue;
    if (name.toLowerCase() === "via") via = `${value}, ${via}`;
    else fields.push(name, value);
  }
  fields.push("Via", via, ...forwardingFields(request, publicHost, settings), ...identityFields(request, settings));
  return HeaderList.fromWire(fields);
}

/** Trailers of a request that may go on: nothing that says who asks, in any spelling. */
export function upstreamTrailers(trailers: HeaderList, settings: ProxySettings): HeaderList {
  return withoutOurs(withoutHopByHop(trailers), settings).without("Host", "Content-Length", "Authorization", "Cookie");
}

/** Identity fields (R-H18), those we write, `Proxy` (R-C2) and forwarding fields go, in every spelling. */
function withoutOurs(headers: HeaderList, { ownNames }: ProxySettings): HeaderList {
  return scrubIdentity(readForwarded(headers, null, NOBODY).headers, ownNames);
}

function forwardingFields(
  { client, scheme }: GatewayRequest,
  host: string | null,
  { forwarding }: ProxySettings,
): string[] {
  const address = client !== null && "host" in client ? client.host : null;
  const fields: string[] = [];
  if (forwarding === "x-forwarded" || forwarding === "both") {
    if (address !== null) fields.push("X-Forwarded-For", address);
    fields.push("X-Forwarded-Proto", scheme);
    if (host !== null) fields.push("X-Forwarded-Host", host);
  }
  if (forwarding === "forwarded" || forwarding === "both") {
    const node = address === null ? "unknown" : address.includes(":") ? `"[${address}]"` : address;
    fields.push("Forwarded", `for=${node}${host === null ? "" : `;host="${host}"`};proto=${scheme}`);
  }
  return fields;
}

function identityFields(request: GatewayRequest, settings: ProxySettings): string[] {
  const { principal } = request;
  const { userHeader, groupsHeader, variableHeaders } = settings;
  const fields: string[] = [];
  if (principal !== null && userHeader !== null) fields.push(userHeader, fieldText("user", principal.user));
  if (principal !== null && groupsHeader !== null) {
    const groups = principal.groups.map((group) => fieldText("group", group));
    // Read back, "a,b" would be two groups.
    const odd = groups.find((group) => group.includes(","));
    if (odd !== undefined) throw badIdentity("group", odd);
    fields.push(groupsHeader, groups.join(","));
  }
  if (variableHeaders.length === 0) return fields;
  const variables = mountVariables(request);
  for (const [variable, header] of variableHeaders) {
    const value = variables[variable];
    if (value !== undefined) fields.push(header, carried(`variable ${variable}`, value));
  }
  return fields;
}

function fieldText(what: string, text: string): string {
  if (text === "") throw badIdentity(what, text);
  return carried(what, toBytes(text));
}

/** Readers drop blanks at the ends: " root" would be "root". */
function carried(what: string, value: string): string {
  if (isFieldValue(value) && value === value.trim()) return value;
  throw badIdentity(what, value);
}

function badIdentity(what: string, value: string): ProxyError {
  return new ProxyError("GW_PROXY_IDENTITY", `no field can carry the ${what} ${JSON.stringify(value.slice(0, 80))}`);
}
