// One question to the server that knows the users, within limits: whatever is no clear yes or no is 503.
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { GatewayError, HeaderList } from "@gw/core";

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

const agents = {
  "http:": new HttpAgent({ keepAlive: true }),
  "https:": new HttpsAgent({ keepAlive: true }),
};

/** Asks with GET. @throws GatewayError `GW_FORWARD_AUTH_DOWN` (503) for no answer in time, one that is too large, and 5xx. */
export async function askAuthServer(server: AuthServer, fields: HeaderList, gone: AbortSignal): Promise<AuthVerdict> {
  const { url, timeoutMs, maxBytes } = server;
  try {
    const signal = AbortSignal.any([gone, AbortSignal.timeout(timeoutMs)]);
    const answer = await send(url, fields, signal);
    const body = await readBody(answer, maxBytes);
    const headers = HeaderList.fromWire(answer.rawHeaders);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return { kind: "passed", headers };
    if (status >= 300 && status < 500) return { kind: "refused", status, headers, body };
    throw new Error(`${url.host} answered ${status}`);
  } catch (cause) {
    throw new GatewayError("GW_FORWARD_AUTH_DOWN", 503, `nobody can be let in: ${url.host} gave no answer`, {
      cause,
      headers: [["Retry-After", "5"]],
    });
  }
}

/**
 * Not fetch: that says `Sec-Fetch-Mode: cors` of its own, and the other server would take every page for a script's request.
 *
 * A connection that was kept open may close just when it is used again; then the question is asked once more on a new one.
 */
function send(url: URL, fields: HeaderList, signal: AbortSignal, mayRepeat = true): Promise<IncomingMessage> {
  const isTls = url.protocol === "https:";
  const open = isTls ? requestHttps : requestHttp;
  const agent = mayRepeat ? agents[isTls ? "https:" : "http:"] : false;
  const headers = Object.fromEntries([...fields].map(([name, value]) => [name, value]));
  return new Promise((resolve, reject) => {
    const request = open(url, { agent, signal, headers });
    request.on("response", resolve).on("error", (error) => {
      if (request.reusedSocket && mayRepeat) resolve(send(url, fields, signal, false));
      else reject(error);
    });
    request.end();
  });
}

async function readBody(answer: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`); // leaving the loop ends it
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
