// The request a CGI program was started for (RFC 3875 §4).
import {
  type Exchange,
  emptyState,
  fromProcessEnvironment,
  type HttpRequest,
  incomingBody,
  parseEnvironmentBlock,
  type ReadVariablesOptions,
  readVariables,
} from "@gw/core";
import { fs } from "./builtins.ts";
import { CgiError } from "./errors.ts";
import type { ProgramInput } from "./program-input.ts";
import { withoutQuirks } from "./server-quirks.ts";

/**
 * Reads the request from the environment. Standard input is left alone until the app reads the body.
 *
 * @throws CgiError `GW_CGI_REQUEST` if no web server started us; what `readVariables` throws.
 */
export function programRequest(
  input: ProgramInput,
  exchange: Exchange,
  signal: AbortSignal,
  options: ReadVariablesOptions,
): HttpRequest {
  const variables = withoutQuirks(ownEnvironment());
  if (!variables.has("REQUEST_METHOD")) {
    throw new CgiError(
      "GW_CGI_REQUEST",
      "a CGI program is started by a web server; the environment has no REQUEST_METHOD",
    );
  }
  const { contentLength, headers, ...head } = readVariables(variables, options);
  // Apache hands over a chunked body without CONTENT_LENGTH, ended by the end of the input, and says so here.
  const isUnknown = contentLength === null && variables.has("HTTP_TRANSFER_ENCODING");
  const length = isUnknown ? null : (contentLength ?? 0);
  input.expect(length);
  const body = incomingBody({
    length,
    exchange,
    open: () => input.chunks(),
    readSync: (maxBytes) => input.readSync(maxBytes),
  });
  return { ...head, headers: headers.without("transfer-encoding"), body, state: emptyState, signal, exchange };
}

/** The environment we were started with, byte for byte: Node's `process.env` has lost what is not UTF-8. */
function ownEnvironment(): ReadonlyMap<string, string> {
  try {
    return parseEnvironmentBlock(fs.readFileSync("/proc/self/environ", "latin1"));
  } catch {
    return fromProcessEnvironment(process.env); // no /proc: not Linux
  }
}
