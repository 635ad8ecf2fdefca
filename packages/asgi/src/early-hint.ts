// http.response.early_hint: a 103 answer with Link fields (RFC 8297).
import { bytesToByteString, type Exchange, HeaderList, isFieldValue } from "@gw/core";
import { eventError } from "./errors.ts";
import type { HttpResponseEarlyHintEvent } from "./events.ts";

/**
 * Sends the links of the event.
 *
 * @throws GatewayError `GW_ASGI_EVENT` if the carrier does not offer it, or for links that are no field values
 */
export function earlyHint(exchange: Exchange, { type, links }: HttpResponseEarlyHintEvent): void {
  if (exchange.inform === undefined) throw eventError(type, "the extension is not offered");
  if (typeof links?.[Symbol.iterator] !== "function") throw eventError(type, "links must be an iterable of Uint8Array");
  const flat: string[] = [];
  for (const link of links) {
    const value = link instanceof Uint8Array ? bytesToByteString(link) : null;
    if (value === null || !isFieldValue(value))
      throw eventError(type, "links must be values of Link fields, as Uint8Array");
    flat.push("Link", value);
  }
  if (flat.length > 0) exchange.inform(HeaderList.fromWire(flat));
}
