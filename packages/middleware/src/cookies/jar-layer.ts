// The layer under every kind of cookies: one jar per exchange, whose lines go out with the outermost answer.
import { type GatewayRequest, layer, type Middleware, type RequestHead, type StateKey, stateKey } from "@gw/core";
import { isThrown } from "../pages/thrown.ts";
import { CookieJar } from "./jar.ts";

const jarKey: StateKey<CookieJar> = stateKey("gw.cookies");

/** Inputs of `jarLayer`. */
export interface JarLayerOptions {
  readonly name: string;
  /** What the layer does with the jar, or leaves in the request beside it. */
  readonly enter: (request: GatewayRequest, jar: CookieJar) => GatewayRequest;
}

/**
 * A layer that makes the jar of the exchange, or goes on with the one that is there.
 *
 * Layers around each other, and passes of one exchange by `dispatch`, share the jar: the lines go out once, in order.
 */
export function jarLayer({ name, enter }: JarLayerOptions): Middleware {
  return layer({
    name,
    onRequest(request) {
      const found = request.state.get(jarKey);
      const jar = (found ?? new CookieJar(request)).enter();
      if (found !== undefined) return enter(request, jar);
      return enter({ ...request, state: request.state.with(jarKey, jar) }, jar);
    },
    onResponse: (answer, request) => (jarOf(request) as CookieJar).leave(answer, isThrown(answer, request)),
    onError(error, request) {
      jarOf(request)?.fail();
      throw error;
    },
  });
}

/** The jar of the exchange, or `undefined`. */
export function jarOf(request: RequestHead): CookieJar | undefined {
  return request.state.get(jarKey);
}
