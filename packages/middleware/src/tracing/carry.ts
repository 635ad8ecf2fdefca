// Trace context in and out of a request: the header fields of W3C Trace Context, and the variables of programs.

import { type GatewayRequest, type HeaderList, withVariables } from "@gw/core";
import {
  type Context,
  propagation,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from "@opentelemetry/api";

/** Reads and writes trace context; the one that is registered globally, or one of its own. */
export type Propagator = Pick<TextMapPropagator, "inject" | "extract" | "fields">;

/** The propagator that is registered when it is needed. */
export const globalPropagator: Propagator = propagation;

const getter: TextMapGetter<HeaderList> = {
  keys: (headers) => [...new Set([...headers].map(([name]) => name.toLowerCase()))],
  get: (headers, name) => headers.get(name) ?? undefined,
};
const setter: TextMapSetter<Map<string, string>> = { set: (fields, name, value) => void fields.set(name, value) };

/** The context that a client sends along. */
export function contextFrom(request: GatewayRequest, outer: Context, propagator: Propagator): Context {
  return propagator.extract(outer, request.headers, getter);
}

/**
 * The request with this context for whatever is inside: as header fields, which become `HTTP_TRACEPARENT` in CGI, FastCGI
 * and WSGI, and as the variables `TRACEPARENT` and `TRACESTATE` that OpenTelemetry names for processes.
 *
 * Fields of the client are gone, also those that the new context has no value for. Where nothing is registered, they stay.
 */
export function carrying(request: GatewayRequest, context: Context, propagator: Propagator): GatewayRequest {
  const fields = new Map<string, string>();
  propagator.inject(context, fields, setter);
  if (fields.size === 0) return request;
  let headers = request.headers.without(...propagator.fields());
  for (const [name, value] of fields) headers = headers.with(name, value);
  const variables = Object.fromEntries(
    [...fields].flatMap(([name, value]) => (VARIABLES.has(name) ? [[name.toUpperCase(), value]] : [])),
  );
  return withVariables({ ...request, headers }, () => variables);
}

const VARIABLES = new Set(["traceparent", "tracestate", "baggage"]);
