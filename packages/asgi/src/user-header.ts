// The user as a field, for apps whose framework knows no other way (R-H18).
import { GatewayError, type Handler, isFieldValue, isToken, type RequestHead, scrubIdentity, toBytes } from "@gw/core";

/**
 * A handler whose requests carry the layer's user in a field, and nobody else's.
 *
 * @throws GatewayError `GW_PYTHON_OPTION` for a name that is none
 */
export function withUserHeader(name: string, handle: Handler): Handler {
  if (!isToken(name))
    throw new GatewayError("GW_PYTHON_OPTION", 500, `userHeader is ${JSON.stringify(name)}; allowed is a field's name`);
  return (request) => handle(identified(request, name));
}

function identified<R extends RequestHead>(request: R, name: string): R {
  const headers = scrubIdentity(request.headers, [name]);
  if (request.principal === null) return { ...request, headers };
  const value = toBytes(request.principal.user);
  // Readers drop blanks at the ends: " root" would be "root".
  if (value === "" || value !== value.trim() || !isFieldValue(value))
    throw new GatewayError("GW_ASGI_USER", 500, "no field can carry the user's name");
  return { ...request, headers: headers.with(name, value) };
}
