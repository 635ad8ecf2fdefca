// A FastCGI backend as an app.
import {
  type App,
  type GatewayRequest,
  type HttpRequest,
  parseUpstreamAddress,
  toBytes,
  upstreamAddressText,
} from "@gw/core";
import { FastcgiClient } from "./client.ts";
import { FastcgiError } from "./errors.ts";
import type { FastcgiOptions } from "./options.ts";

/**
 * Sends every request under the mount to a FastCGI backend: SCRIPT_NAME is the mount, PATH_INFO what follows it.
 *
 * @throws GatewayError `GW_UPSTREAM_ADDRESS`; FastcgiError `GW_FCGI_OPTION` without an address
 */
export function fastcgi({ address, addresses = [], variables = {}, ...options }: FastcgiOptions): App {
  const all = [...(address === undefined ? [] : [address]), ...addresses].map(parseUpstreamAddress);
  if (all.length === 0) throw new FastcgiError("GW_FCGI_OPTION", 'fastcgi() needs an "address" or "addresses"');
  const own = byteVariables(variables);
  const client = new FastcgiClient(all, options);
  const name = all.map(upstreamAddressText).join(", ");
  return {
    handle(request) {
      refuseSocket(request);
      return client.answer(request, { own });
    },
    stop: (deadline) => client.stop(deadline),
    describe: () => ({ kind: "fastcgi", name }),
    status: () => client.status(name),
  };
}

/** Variables that an operator wrote, as byte strings. @throws FastcgiError `GW_FCGI_OPTION` for a NUL */
export function byteVariables(variables: Readonly<Record<string, string>>): Record<string, string> {
  const bytes: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (name === "" || `${name}${value}`.includes("\0")) {
      throw new FastcgiError("GW_FCGI_OPTION", `not a variable: ${JSON.stringify(name)}`);
    }
    bytes[name] = toBytes(value);
  }
  return bytes;
}

/** @throws FastcgiError `GW_FCGI_NO_UPGRADE` (501): FastCGI has no way to carry a WebSocket. */
export function refuseSocket(request: GatewayRequest): asserts request is HttpRequest {
  if (request.kind === "websocket") {
    throw new FastcgiError("GW_FCGI_NO_UPGRADE", "a FastCGI backend cannot take part in a WebSocket");
  }
}
