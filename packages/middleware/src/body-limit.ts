// How large request bodies may be, for what is inside.
import { GatewayError, type GatewayRequest, layer, type Middleware } from "@gw/core";
import { refusal } from "./pages/refusal.ts";

/** Settings of `bodyLimit`. */
export interface BodyLimitOptions {
  /** Most bytes of a body, as it is sent; `Infinity`: any. A mount or a layer further in may say otherwise. */
  maxBytes: number;
}

/**
 * Sets the limit of request bodies; the carrier's is 10 MB.
 *
 * It acts when somebody reads: a body that is announced or turns out larger fails with 413 (`GW_BODY_TOO_LARGE`), and an
 * app that does not read its body is not disturbed. A body that a layer outside has read already is judged at once.
 *
 * @throws GatewayError `GW_BODY_LIMIT` if `maxBytes` is no count.
 */
export function bodyLimit({ maxBytes }: BodyLimitOptions): Middleware {
  if (!(maxBytes >= 0)) {
    throw new GatewayError("GW_BODY_LIMIT", 500, `maxBytes is a count of bytes, found ${maxBytes}`);
  }
  const tooLarge = refusal(413);
  return layer({
    name: "bodyLimit",
    onRequest(request) {
      request.exchange.maxBodyBytes = maxBytes;
      return isReadAlready(request) && (request.body.length as number) > maxBytes ? tooLarge : request;
    },
  });
}

function isReadAlready({ body }: GatewayRequest): boolean {
  return body.replayable && body.length !== null;
}
