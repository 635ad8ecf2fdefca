// Asks another server for a JSON document, within limits: https, no redirects, bounded in time and size (R-M4).
import { GatewayError } from "@gw/core";

/** What one question may cost. */
export interface AskLimits {
  /** Longest wait for the whole answer, milliseconds. */
  readonly timeoutMs: number;
  /** Most bytes of the answer, after decoding. */
  readonly maxBytes: number;
}

/**
 * The URL of another server that decides who users are.
 *
 * @param allowHttp takes `http:` for this machine's own addresses, where nobody can stand in between
 * @throws GatewayError `GW_OUTBOUND_URL` for anything but https.
 */
export function checkedUrl(text: string, allowHttp = false): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw badUrl(text, "is no URL");
  if (url.username !== "" || url.password !== "") throw badUrl(url.origin, "carries a password");
  const isOwn = allowHttp && url.protocol === "http:" && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "https:" && !isOwn) throw badUrl(text, "is not https (allowHttp: only for this machine)");
  return url;
}

function badUrl(found: string, why: string): GatewayError {
  return new GatewayError("GW_OUTBOUND_URL", 500, `${JSON.stringify(found)} ${why}`);
}

/** Fetches a JSON document. Rejects for a redirect, a status other than 200, too much, too late, and what is no JSON. */
export async function readJson(url: URL, { timeoutMs, maxBytes }: AskLimits): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs);
  const answer = await fetch(url, { redirect: "error", signal, headers: { Accept: "application/json" } });
  const text = await boundedText(answer, maxBytes);
  if (answer.status !== 200) throw new Error(`${url.host} answered ${answer.status}`);
  return JSON.parse(text) as unknown;
}

/** The body of an answer as text; cancels it and throws when it is larger than `maxBytes`. */
export async function boundedText(answer: Response, maxBytes: number): Promise<string> {
  return new TextDecoder().decode(await boundedBytes(answer, maxBytes));
}

/** The body of an answer; cancels it and throws when it is larger than `maxBytes`. */
export async function boundedBytes(answer: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`); // leaving the loop cancels it
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
