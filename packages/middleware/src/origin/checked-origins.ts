// Origins as settings name them.
import { GatewayError } from "@gw/core";

/**
 * The list, if every entry is an origin as browsers write it: `https://www.example.com`, no path, no default port.
 *
 * @throws GatewayError `GW_ORIGIN` for any other text.
 */
export function checkedOrigins(origins: readonly string[]): ReadonlySet<string> {
  for (const origin of origins) {
    if (URL.canParse(origin) && new URL(origin).origin === origin) continue;
    throw new GatewayError(
      "GW_ORIGIN",
      500,
      `expected an origin such as https://www.example.com, found ${JSON.stringify(origin)}`,
    );
  }
  return new Set(origins);
}
