// The request of a redirect that stays inside: what `exchange.dispatch` is given.
import { emptyBody } from "../model/body.ts";
import { GatewayError } from "../model/errors.ts";
import type { HttpRequest } from "../model/request.ts";
import { parseTarget } from "../target/parse.ts";
import { withoutVariables } from "./variables.ts";

/**
 * The request for a local redirect (RFC 3875 §6.2.2, R-C8): GET without a body, the new path and query,
 * outside all mounts. `target` stays as received; principal and state stay too, mount variables go.
 *
 * Only for targets that an app or program named, never for a client's.
 *
 * @param target path and query of this gateway, a byte string: `/other?x=1`
 * @throws GatewayError `GW_LOCAL_REDIRECT` (502) for anything else: `//host/…` is not local.
 */
export function redirectedRequest(request: HttpRequest, target: string): HttpRequest {
  if (!/^\/(?![/\\])/.test(target)) throw notLocal(target);
  let parsed: ReturnType<typeof parseTarget>;
  try {
    parsed = parseTarget(target, "GET");
  } catch (error) {
    throw notLocal(target, error);
  }
  return {
    ...withoutVariables(request),
    method: "GET",
    mount: "",
    path: parsed.path,
    query: parsed.query,
    headers: request.headers.without(...BODY_FIELDS),
    body: emptyBody,
  };
}

/** Fields that describe a body: a request without one must not have them. */
export const BODY_FIELDS: readonly string[] = [
  "content-length",
  "content-type",
  "content-encoding",
  "content-language",
  "content-range",
  "transfer-encoding",
  "trailer",
  "expect",
];

function notLocal(target: string, cause?: unknown): GatewayError {
  const found = JSON.stringify(target.slice(0, 80));
  return new GatewayError("GW_LOCAL_REDIRECT", 502, `expected a path of this gateway to redirect to, found ${found}`, {
    cause,
  });
}
