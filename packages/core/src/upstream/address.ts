// Where an upstream listens, as people write it: host:port, unix:/path.
import type { Address } from "../model/address.ts";
import { GatewayError } from "../model/errors.ts";

/**
 * Reads the address of an upstream: `"127.0.0.1:9000"`, `"[::1]:9000"`, `"php:9000"`, `"unix:/run/app.sock"`.
 *
 * @throws GatewayError `GW_UPSTREAM_ADDRESS` naming what was found and what is allowed
 */
export function parseUpstreamAddress(text: string): Address {
  const unix = /^unix:(?:\/\/)?([^\0]+)$/.exec(text);
  if (unix !== null) return { path: unix[1] as string };
  const tcp = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(tcp?.[3]);
  if (tcp === null || port < 1 || port > 65_535) {
    throw new GatewayError(
      "GW_UPSTREAM_ADDRESS",
      500,
      `not the address of an upstream: ${JSON.stringify(text)}; expected "127.0.0.1:9000" or "unix:/path"`,
    );
  }
  return { host: (tcp[1] ?? tcp[2]) as string, port };
}

/** An address as text that `parseUpstreamAddress` reads back. */
export function upstreamAddressText(address: Address): string {
  if ("path" in address) return `unix:${address.path}`;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
