// What the head of a program's answer asks of the gateway (RFC 3875 §6.2).
import { contentLength } from "../headers/content-length.ts";
import { withoutHopByHop } from "../headers/hop-by-hop.ts";
import { isBodilessStatus } from "../headers/status.ts";
import type { HeaderList } from "../model/headers.ts";
import { HeaderBlockError } from "./error.ts";

/**
 * What a header block asks of the gateway.
 *
 * `"document"`: send it with its body (§6.2.1). `"client-redirect"`: the same, and it has a `Location` (§6.2.3, §6.2.4).
 * `"local-redirect"`: run this target through the gateway, as GET with no body, and drop what the program still says (§6.2.2).
 */
export type BlockKind =
  | { readonly kind: "document" | "client-redirect"; readonly status: number; readonly headers: HeaderList }
  | { readonly kind: "local-redirect"; readonly target: string };

/**
 * Says what a header block asks of the gateway. `Status` and hop-by-hop fields are gone from the headers it gives (R-C10).
 *
 * A `Location` that starts with one slash is local if there is no `Status` and no other field but Content-Type and
 * Content-Length: with more, a cookie for example, the client has to see it, and gets a 302. `//host` is never local (R-C8).
 * Content-Length lines that agree become one.
 *
 * @param hasBody whether a byte is known to follow; asked only if there is neither Content-Type nor Location
 * @throws HeaderBlockError (502) `GW_CGI_REPEATED`, `GW_CGI_BAD_STATUS`, `GW_CGI_BAD_LOCATION`, `GW_CGI_NO_TYPE`
 * @throws GatewayError `GW_CONTENT_LENGTH` (502) if lengths are malformed or differ
 */
export function classifyBlock(headers: HeaderList, hasBody: boolean): BlockKind {
  const type = single(headers, "content-type");
  const location = single(headers, "location");
  const status = readStatus(single(headers, "status"));
  const rest = withOneLength(withoutHopByHop(headers.without("status")));
  if (location !== null) {
    if (location === "") throw new HeaderBlockError("GW_CGI_BAD_LOCATION", "Location is empty");
    if (status === null && isLocal(location) && isLone(rest)) return { kind: "local-redirect", target: location };
    return { kind: "client-redirect", status: status ?? 302, headers: rest };
  }
  if (type === null && status === null) {
    throw new HeaderBlockError(
      "GW_CGI_NO_TYPE",
      "expected Content-Type, Location or Status (RFC 3875 §6.3), found none",
    );
  }
  if (type === null && hasBody && !isBodilessStatus(status ?? 200)) {
    throw new HeaderBlockError("GW_CGI_NO_TYPE", "there is a body, but no Content-Type (RFC 3875 §6.3.1)");
  }
  return { kind: "document", status: status ?? 200, headers: rest };
}

/** The value of a field that RFC 3875 §6.3 allows once. */
function single(headers: HeaderList, name: string): string | null {
  const [value = null, ...more] = headers.getAll(name);
  if (more.length > 0) throw new HeaderBlockError("GW_CGI_REPEATED", `${name} is there ${more.length + 1} times`);
  return value;
}

function readStatus(value: string | null): number | null {
  if (value === null) return null;
  const match = STATUS.exec(value);
  if (match === null) {
    // R-C10: a 1xx is no final answer.
    throw new HeaderBlockError(
      "GW_CGI_BAD_STATUS",
      `expected a status from 200 to 599 and a phrase, found ${JSON.stringify(value.slice(0, 80))}`,
    );
  }
  return Number(match[1]);
}

const STATUS = /^([2-5][0-9]{2})(?:[ \t].*)?$/;

function isLocal(location: string): boolean {
  return location.startsWith("/") && !location.startsWith("//");
}

const LONE: ReadonlySet<string> = new Set(["location", "content-type", "content-length"]);

function isLone(headers: HeaderList): boolean {
  return headers.toFlat().every((text, at) => at % 2 === 1 || LONE.has(text.toLowerCase()));
}

function withOneLength(headers: HeaderList): HeaderList {
  const length = contentLength(headers, 502);
  if (length === null || headers.get("content-length") === String(length)) return headers;
  return headers.with("Content-Length", String(length));
}
