// A key in a header of its own becomes the principal (R-M5).
import {
  andThen,
  GatewayError,
  type GatewayRequest,
  type HeaderList,
  isToken,
  layer,
  type Middleware,
  withPrincipal,
} from "@gw/core";
import { type KeysOptions, ownerFinder } from "./keys/key-table.ts";
import { refusal } from "./pages/refusal.ts";

export { hashKey, type KeyOwner, type KeysOptions, newKey } from "./keys/key-table.ts";

/** Settings of `apiKey`. */
export interface ApiKeyOptions extends KeysOptions {
  /** Field that carries the key; it goes no further. Never a query parameter: those end up in logs. @default "X-API-Key" */
  header?: string;
}

/**
 * Lets through requests and sockets with a known key, as principal of type `"apiKey"`; answers 401 to others, 400 to
 * several keys.
 *
 * Keys are stored as digests, can be revoked at any time, and are never logged: what a log says is the owner.
 *
 * @throws GatewayError `GW_KEYS` for settings that name no keys.
 */
export function apiKey(options: ApiKeyOptions): Middleware {
  const { header = "X-API-Key" } = options;
  if (!isToken(header)) throw new GatewayError("GW_KEYS", 500, `${JSON.stringify(header)} is no field name`);
  const ownerOf = ownerFinder(options);
  // There is no registered scheme; a 401 has a challenge all the same (RFC 9110 §15.5.2).
  const denied = refusal(401, { "WWW-Authenticate": `ApiKey header="${header}"` });
  const ambiguous = refusal(400);
  return layer({
    name: "apiKey",
    onRequest(request) {
      const key = keyIn(request.headers, header);
      if (key === null) return denied;
      if (key === "ambiguous") return ambiguous;
      return andThen(ownerOf(key.value, request), (owner) => {
        if (owner === null) return denied;
        return withPrincipal(withoutField(request, header), { ...owner, type: "apiKey" });
      });
    },
  });
}

const MAX_KEY_CHARS = 4_096;

function keyIn(headers: HeaderList, header: string): { value: string } | "ambiguous" | null {
  const values = headers.getAll(header);
  if (values.length > 1) return "ambiguous";
  const value = values[0]?.trim() ?? "";
  return value === "" || value.length > MAX_KEY_CHARS ? null : { value };
}

function withoutField(request: GatewayRequest, header: string): GatewayRequest {
  return { ...request, headers: request.headers.without(header) };
}
