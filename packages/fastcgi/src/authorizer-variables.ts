// What a web server tells an Authorizer (FastCGI 1.0 §6.3), as variables of a request.
import { parseTarget } from "@gw/core";

type Variables = ReadonlyMap<string, string>;

/** An Authorizer gets no input, so nothing may speak of a body. */
const OF_A_BODY =
  /^(?:CONTENT_|HTTP_(?:CONTENT_(?:LENGTH|TYPE|ENCODING|LANGUAGE|RANGE)|TRANSFER_ENCODING|TRAILER|EXPECT)$)/;

/**
 * The variables as a responder would have got them, without a body.
 *
 * Web servers leave out SCRIPT_NAME and PATH_INFO, or put something of their own there: the path is that of
 * REQUEST_URI. Where Apache has taken Basic credentials apart, they are put together again (REMOTE_PASSWD comes from it
 * alone), so that the same layer works with and without its mod_auth_basic.
 *
 * @throws GatewayError `GW_BAD_TARGET` (400)
 */
export function authorizerVariables(told: Variables): Variables {
  const variables = new Map<string, string>();
  for (const [name, value] of told) if (!OF_A_BODY.test(name)) variables.set(name, value);
  const target = told.get("REQUEST_URI") ?? "";
  if (target !== "") {
    const { path, query } = parseTarget(target, told.get("REQUEST_METHOD") ?? "");
    variables.set("SCRIPT_NAME", "").set("PATH_INFO", path).set("QUERY_STRING", query);
  }
  const password = told.get("REMOTE_PASSWD");
  if (password === undefined) return variables;
  if (!told.has("HTTP_AUTHORIZATION")) {
    const credentials = Buffer.from(`${told.get("REMOTE_USER") ?? ""}:${password}`, "latin1").toString("base64");
    variables.set("HTTP_AUTHORIZATION", `Basic ${credentials}`);
  }
  // With a password beside it, the user is what we are asked about: nobody has checked it, and trust would let it pass.
  for (const name of ["REMOTE_USER", "REMOTE_PASSWD", "AUTH_TYPE"]) variables.delete(name);
  return variables;
}
