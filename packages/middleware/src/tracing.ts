// A span for each exchange, from the first look at it to the end of its answer, and what it waited for on the way.

import {
  type Answer,
  andThen,
  type GatewayRequest,
  type Handler,
  isGatewayError,
  type MaybePromise,
  type Middleware,
  mapBody,
  notesIfAny,
  type Outcome,
  type RequestHead,
  type StateKey,
  stateKey,
  watchPhases,
} from "@gw/core";
import {
  type Attributes,
  type Context,
  context,
  type Link,
  ProxyTracerProvider,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { knownMethod, requestAttributes } from "./tracing/attributes.ts";
import { carrying, contextFrom, globalPropagator, type Propagator } from "./tracing/carry.ts";

export type { Propagator } from "./tracing/carry.ts";

/** Settings of `tracing`. */
export interface TracingOptions {
  /** Makes the spans. @default the registered provider's tracer `@gw/middleware` */
  tracer?: Tracer;
  /** Reads and writes trace context. @default the registered one: `traceparent` and `tracestate` with every SDK */
  propagator?: Propagator;
  /**
   * What a trace of the client is to the span: its `"parent"`, a `"link"`, or nothing, `"ignore"`. Risk of `"parent"`:
   * clients choose trace ids, and whether a trace is sampled. @default "parent"
   */
  incoming?: "parent" | "link" | "ignore";
  /** Name of the span: few values, never a client's. @default the method */
  name?: (request: GatewayRequest) => string;
  /** Further attributes. @default none */
  attributes?: (request: GatewayRequest) => Attributes;
  /** Whether the user's name is an attribute, `user.name`. Risk: it leaves for wherever spans go. @default false */
  user?: boolean;
  /** Which requests get no span, health checks for example. @default none */
  skip?: (request: GatewayRequest) => boolean;
}

/** What is kept of an exchange that is traced. */
interface Traced {
  readonly span: Span;
  readonly context: Context;
}

const key: StateKey<Traced> = stateKey("gw.tracing");

/**
 * One span of kind SERVER for each exchange, sockets too: attributes by OpenTelemetry's conventions for HTTP, events
 * `gw.head` (the app's head is there) and `gw.first_byte`, and spans inside it for what the exchange waited for: `gw.queue`,
 * `gw.spawn`, `gw.connect`. It ends when the last byte has left, and says how it went.
 *
 * Whatever is inside runs in the span's context, and gets it as `traceparent`: in header fields (proxied HTTP, ASGI), so in
 * `HTTP_TRACEPARENT` (CGI, FastCGI, WSGI), and in the variable `TRACEPARENT`. Without an SDK nothing happens. Put it outermost.
 */
export function tracing(options: TracingOptions = {}): Middleware {
  const { propagator = globalPropagator, skip } = options;
  const tracer = options.tracer ?? trace.getTracer("@gw/middleware");
  const known = new WeakMap<object, Traced>(); // an exchange that is dispatched again keeps its span
  const wrap = (next: Handler): Handler => {
    const inside = (request: GatewayRequest, { span, context: own }: Traced): MaybePromise<Answer> => {
      const carried = carrying({ ...request, state: request.state.with(key, { span, context: own }) }, own, propagator);
      return context.with(own, () => next(carried));
    };
    return (request) => {
      const before = known.get(request.exchange);
      if (before !== undefined) return inside(request, before);
      if (skip?.(request) === true) return next(request);
      const traced = begin(request, { ...options, tracer, propagator });
      known.set(request.exchange, traced);
      return andThen(inside(request, traced), (answer) => answered(answer, traced.span));
    };
  };
  return Object.assign(wrap, { layerName: "tracing", stop: sendAll });
}

/** Spans wait to be sent together: without this a process that ends takes the last ones with it. */
async function sendAll(deadline: AbortSignal): Promise<void> {
  const registered: unknown = trace.getTracerProvider();
  const sdk = registered instanceof ProxyTracerProvider ? registered.getDelegate() : registered;
  const { forceFlush } = sdk as { forceFlush?: () => Promise<void> };
  if (forceFlush === undefined) return;
  const late = new Promise<void>((done) => {
    if (deadline.aborted) done();
    else deadline.addEventListener("abort", () => done(), { once: true });
  });
  await Promise.race([forceFlush.call(sdk).catch(() => {}), late]); // a collector that is down is the SDK's to complain of
}

/** The span of an exchange, to name it or to add attributes; one that does nothing without the layer. */
export function spanOf(request: RequestHead): Span {
  return request.state.get(key)?.span ?? trace.wrapSpanContext(NO_CONTEXT);
}

const NO_CONTEXT = { traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0 };

type Beginning = TracingOptions & { readonly tracer: Tracer; readonly propagator: Propagator };

function begin(request: GatewayRequest, options: Beginning): Traced {
  const { tracer, propagator, incoming = "parent", name = ({ method }) => knownMethod(method) } = options;
  const outer = context.active();
  const told = incoming === "ignore" ? outer : contextFrom(request, outer, propagator);
  const clients = trace.getSpanContext(told);
  const links: Link[] = incoming === "link" && clients !== undefined ? [{ context: clients }] : [];
  const parent = incoming === "parent" ? told : outer;
  const attributes = { ...requestAttributes(request), ...options.attributes?.(request) };
  const span = tracer.startSpan(name(request), { kind: SpanKind.SERVER, attributes, links }, parent);
  const own = trace.setSpan(parent, span);
  if (span.isRecording()) watchPhases(request.exchange, (phase) => waited(tracer.startSpan(`gw.${phase}`, {}, own)));
  request.exchange.onEnd((outcome) => end(span, request, outcome, options.user ?? false));
  return { span, context: own };
}

function waited(span: Span): (error?: unknown) => void {
  return (error) => {
    if (error !== undefined) failed(span, error);
    span.end();
  };
}

function answered(answer: Answer, span: Span): Answer {
  if (!span.isRecording()) return answer;
  span.addEvent("gw.head");
  if (answer.kind === "accept" || answer.body === null) return answer;
  if (answer.body instanceof Uint8Array) {
    if (answer.body.length > 0) span.addEvent("gw.first_byte"); // it came with the head
    return answer;
  }
  const steps = (): { chunk(bytes: Uint8Array): Uint8Array } => {
    let isFirst = true;
    return {
      chunk(bytes) {
        if (isFirst) span.addEvent("gw.first_byte");
        isFirst = false;
        return bytes;
      },
    };
  };
  return mapBody(answer, { steps }, { keepsLength: true });
}

function end(
  span: Span,
  { exchange }: RequestHead,
  { status, bytesSent, result, error }: Outcome,
  user: boolean,
): void {
  const principal = notesIfAny(exchange)?.principal;
  span.setAttributes({
    "http.response.status_code": status,
    "http.response.body.size": bytesSent,
    "gw.result": result,
    ...(user && principal && { "user.name": principal.user }),
  });
  if (error !== null && error !== undefined) failed(span, error);
  if (status >= 500 || result === "cut") {
    span.setAttribute("error.type", typeOf(error) ?? (result === "cut" ? "cut" : String(status)));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

function failed(span: Span, error: unknown): void {
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function typeOf(error: unknown): string | null {
  if (isGatewayError(error)) return error.code;
  return error instanceof Error ? error.name : null;
}
