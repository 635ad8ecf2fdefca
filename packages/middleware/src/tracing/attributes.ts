// What a span says of a request, by the semantic conventions of OpenTelemetry for HTTP servers (stable since 1.23).

import type { Address, GatewayRequest } from "@gw/core";
import type { Attributes } from "@opentelemetry/api";
import { hideSecrets, SECRET_PARAMETERS } from "../access-log/escape.ts";

const KNOWN = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]);
const hide = hideSecrets(SECRET_PARAMETERS);

/** Method for a span's name and attribute: one of the nine, for clients could make up any number of others. */
export function knownMethod(method: string): string {
  return KNOWN.has(method) ? method : "_OTHER";
}

/** The attributes of a server's span at its start. No header field but the user agent is among them. */
export function requestAttributes(request: GatewayRequest): Attributes {
  const { method, scheme, mount, path, query, protocol, client, server, headers } = request;
  const known = knownMethod(method);
  const [network, version = ""] = protocol.split("/");
  return {
    "http.request.method": known,
    ...(known === "_OTHER" && { "http.request.method_original": method.slice(0, 32) }),
    "url.scheme": scheme,
    "url.path": mount + path,
    ...(query !== "" && { "url.query": hide(`?${query}`).slice(1) }),
    ...addressOf("server", server),
    ...(client !== null && addressOf("client", client)),
    "network.protocol.name": request.kind === "websocket" ? "websocket" : (network as string).toLowerCase(),
    "network.protocol.version": version.replace(/\.0$/, version.startsWith("1") ? ".0" : ""),
    ...(headers.has("user-agent") && { "user_agent.original": headers.get("user-agent") as string }),
  };
}

function addressOf(side: "server" | "client", address: Address): Attributes {
  if (!("host" in address)) return { [`${side}.address`]: address.path };
  return { [`${side}.address`]: address.host, [`${side}.port`]: address.port };
}
