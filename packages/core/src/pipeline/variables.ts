// The variables a mount adds: the only way claims, session values and params reach CGI, FastCGI, WSGI and ASGI.
import { toBytes } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";
import type { RequestHead } from "../model/request.ts";
import { type StateKey, stateKey } from "../model/state.ts";

/** Gives the variables of a request, as text. Called when an interface writes its variables: the principal is known then. */
export type VariablesFunction = (request: RequestHead) => Readonly<Record<string, string>>;

const variablesKey: StateKey<VariablesFunction> = stateKey("gw.mount-variables");

/** A copy of the request to whose variables this function adds; where names meet, the inner mount's value counts. */
export function withVariables<R extends RequestHead>(request: R, variables: VariablesFunction): R {
  const outer = request.state.get(variablesKey);
  const both: VariablesFunction = outer === undefined ? variables : (one) => ({ ...outer(one), ...variables(one) });
  return { ...request, state: request.state.with(variablesKey, both) };
}

/** A copy of the request without mount variables. */
export function withoutVariables<R extends RequestHead>(request: R): R {
  if (request.state.get(variablesKey) === undefined) return request;
  return { ...request, state: request.state.with(variablesKey, () => ({})) };
}

/**
 * The variables of the mounts a request went through, values as byte strings; `{}` if there are none.
 *
 * @throws GatewayError `GW_VARIABLE` for a name the interfaces own (`REMOTE_USER`, `HTTP_…`, `SCRIPT_FILENAME`: R-C6, R-F10),
 *   a name that is no variable's, or a value that is no string or holds NUL.
 */
export function mountVariables(request: RequestHead): Readonly<Record<string, string>> {
  const variables = request.state.get(variablesKey);
  if (variables === undefined) return NONE;
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables(request))) {
    if (!NAME.test(name)) throw badVariable(name, "letters, digits and _ only, not starting with a digit");
    if (isProtectedVariable(name)) throw badVariable(name, "the name belongs to the interface");
    if (typeof value !== "string")
      throw badVariable(name, `a value is a string, found ${value === null ? "null" : typeof value}`);
    if (value.includes("\0")) throw badVariable(name, "a value holds no NUL");
    checked[name] = toBytes(value);
  }
  return checked;
}

const NONE: Readonly<Record<string, string>> = Object.freeze({});
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether a name is one that gw or the server of an interface writes itself; in any case of letters. */
export function isProtectedVariable(name: string): boolean {
  const upper = name.toUpperCase();
  return PROTECTED.has(upper) || PREFIXES.some((prefix) => upper.startsWith(prefix));
}

const PREFIXES = ["HTTP_", "SERVER_", "FCGI_", "GATEWAY_", "ORIG_", "LD_", "DYLD_"];
const PROTECTED = new Set([
  // RFC 3875 §4.1 and what servers add to it.
  "AUTH_TYPE",
  "CONTENT_LENGTH",
  "CONTENT_TYPE",
  "CONTEXT_DOCUMENT_ROOT",
  "CONTEXT_PREFIX",
  "DOCUMENT_ROOT",
  "DOCUMENT_URI",
  "HTTPS",
  "PATH_INFO",
  "PATH_TRANSLATED",
  "PHP_ADMIN_VALUE",
  "PHP_AUTH_DIGEST",
  "PHP_AUTH_PW",
  "PHP_AUTH_USER",
  "PHP_SELF",
  "PHP_VALUE",
  "QUERY_STRING",
  "REDIRECT_STATUS",
  "REMOTE_ADDR",
  "REMOTE_HOST",
  "REMOTE_IDENT",
  "REMOTE_PORT",
  "REMOTE_USER",
  "REQUEST_METHOD",
  "REQUEST_SCHEME",
  "REQUEST_URI",
  "SCRIPT_FILENAME",
  "SCRIPT_NAME",
  // What would change how a program is run, not what it is told.
  "BASH_ENV",
  "ENV",
  "IFS",
  "LD_LIBRARY_PATH",
  "LD_PRELOAD",
  "NODE_OPTIONS",
  "PATH",
  "PERL5LIB",
  "PERL5OPT",
  "PYTHONPATH",
  "PYTHONSTARTUP",
  "RUBYOPT",
]);

function badVariable(name: string, why: string): GatewayError {
  return new GatewayError("GW_VARIABLE", 500, `mount variable ${JSON.stringify(name)} is refused: ${why}`);
}
