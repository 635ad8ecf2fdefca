// How deep in internal redirects a request is.
import type { RequestHead } from "../model/request.ts";
import { type StateKey, stateKey } from "../model/state.ts";

const depthKey: StateKey<number> = stateKey("gw.dispatch-depth");

/** 0 for a request as it came; one more for each `exchange.dispatch` it went through. */
export function dispatchDepth({ state }: Pick<RequestHead, "state">): number {
  return state.get(depthKey) ?? 0;
}

/** A copy of the request, one dispatch deeper. */
export function oneDeeper<R extends RequestHead>(request: R): R {
  return { ...request, state: request.state.with(depthKey, dispatchDepth(request) + 1) };
}
