// What a program's header block asks of the gateway (RFC 3875 §6.2).

import { withoutHopByHop } from "../headers/hop-by-hop.ts";
import type { HeaderList } from "../model/headers.ts";
import { HeaderBlockError } from "./error.ts";

/** What a header block asks of the gateway. */
export type BlockKind =
  /** Send this, with the body. Also a redirect that the client is to follow. */
  | { readonly kind: "document"; readonly status: number; readonly headers: HeaderList }
  | { readonly kind: "client-redirect"; readonly status: number; readonly headers: HeaderList }
  /** Run the request again with this path and query; the client never sees it (§6.2.2). */
  | { readonly kind: "local-redirect"; readonly target: string };

/**
 * Says what a header block asks of the gateway.
 *
 * @param hasBody whether any byte follows the block
 * @throws HeaderBlockError (502)
 */
export function classifyBlock(headers: HeaderList, hasBody: boolean): BlockKind {
  const location = headers.get("location");
  const statusText = headers.get("status");
  const status = statusText === null ? null : Number(statusText.slice(0, 3));
  const rest = withoutHopByHop(headers.without("status"));
  if (location === null) {
    if (hasBody && !headers.has("content-type"))
      throw new HeaderBlockError("GW_CGI_NO_TYPE", "a body, but no Content-Type");
    return { kind: "document", status: status ?? 200, headers: rest };
  }
  if (status === null && location.startsWith("/") && !location.startsWith("//")) {
    return { kind: "local-redirect", target: location };
  }
  return { kind: "client-redirect", status: status ?? 302, headers: rest };
}
