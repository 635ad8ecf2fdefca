// One question to the server that knows the users, within limits: whatever is no clear yes or no is 503.
import { GatewayError, HeaderList } from "@gw/core";
import { boundedBytes } from "../outbound/read-json.ts";

/** The other server, and what asking it may cost. */
export interface AuthServer {
  readonly url: URL;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** Yes, with the fields that say who; or no, with what the client is told. */
export type AuthVerdict =
  | { readonly kind: "passed"; readonly headers: HeaderList }
  | { readonly kind: "refused"; readonly status: number; readonly headers: HeaderList; readonly body: Uint8Array };

/** Asks with GET. @throws GatewayError `GW_FORWARD_AUTH_DOWN` (503) for no answer in time, one that is too large, and 5xx. */
export async function askAuthServer(server: AuthServer, fields: HeaderList, gone: AbortSignal): Promise<AuthVerdict> {
  const { url, timeoutMs, maxBytes } = server;
  try {
    const signal = AbortSignal.any([gone, AbortSignal.timeout(timeoutMs)]);
    const answer = await fetch(url, { redirect: "manual", signal, headers: pairsOf(fields) });
    const headers = HeaderList.from([...answer.headers]);
    const body = await boundedBytes(answer, maxBytes);
    if (answer.ok) return { kind: "passed", headers };
    if (answer.status >= 300 && answer.status < 500) return { kind: "refused", status: answer.status, headers, body };
    throw new Error(`${url.host} answered ${answer.status}`);
  } catch (cause) {
    throw new GatewayError("GW_FORWARD_AUTH_DOWN", 503, `nobody can be let in: ${url.host} gave no answer`, {
      cause,
      headers: [["Retry-After", "5"]],
    });
  }
}

function pairsOf(fields: HeaderList): [string, string][] {
  return [...fields].map(([name, value]) => [name, value]);
}
