// Layers for some requests only.
import type { Handler, Middleware } from "../model/app.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { GatewayRequest } from "../model/request.ts";
import { splitMount } from "../target/mount.ts";
import { isPromise } from "./and-then.ts";
import { markAsync } from "./async-origin.ts";
import { every, groupLife } from "./every.ts";
import { hostOf, isInHost, type Place, parsePlace } from "./place.ts";

/** Which requests: those in a place (as for `mount`: `/admin`, `*.example.com`), in one of several places, or those a function accepts. */
export type RequestTest = string | readonly string[] | ((request: GatewayRequest) => MaybePromise<boolean>);

/**
 * Layers around the requests that the test accepts; others pass by them.
 *
 * @throws GatewayError `GW_PLACE` for a text that is no place.
 */
export function when(test: RequestTest, ...layers: readonly Middleware[]): Middleware {
  return conditional("when", test, layers, true);
}

/**
 * Layers around all requests but those that the test accepts: `except("/healthz", requireUser())`.
 *
 * @throws GatewayError `GW_PLACE` for a text that is no place.
 */
export function except(test: RequestTest, ...layers: readonly Middleware[]): Middleware {
  return conditional("except", test, layers, false);
}

function conditional(
  name: "when" | "except",
  test: RequestTest,
  layers: readonly Middleware[],
  isWanted: boolean,
): Middleware {
  const accepts = typeof test === "function" ? test : placeTest(typeof test === "string" ? [test] : test);
  const group = every(...layers);
  const wrap = (next: Handler): Handler => {
    const inside = group(next);
    return (request) => {
      const result = accepts(request);
      if (!isPromise(result)) return result === isWanted ? inside(request) : next(request);
      return markAsync(
        result.then((one) => (one === isWanted ? inside(request) : next(request))),
        name,
      );
    };
  };
  const title = typeof test === "function" ? name : `${name} ${typeof test === "string" ? test : test.join(", ")}`;
  return Object.assign(wrap, groupLife(title, layers));
}

function placeTest(texts: readonly string[]): (request: GatewayRequest) => boolean {
  const places = texts.map(parsePlace);
  return (request) => places.some((place) => isInPlace(place, request));
}

function isInPlace(place: Place, request: GatewayRequest): boolean {
  if (place.host !== null && !isInHost(place, hostOf(request))) return false;
  return splitMount(request.path, place.path) !== null;
}
