// Numbers about exchanges, in the registry of the gateway.
import {
  type AppContext,
  createMetrics,
  type GatewayRequest,
  layer,
  type Middleware,
  type Outcome,
  watchPhases,
} from "@gw/core";
import { Meters } from "./metrics/meters.ts";

/** Settings of `metrics`. */
export interface MetricsOptions {
  /** Beginning of the names. @default "gw_http" */
  prefix?: string;
  /** Upper bounds of the duration's buckets, seconds. @default 5 ms to 10 s */
  buckets?: readonly number[];
  /** A further label, `app`: few values, chosen by you and never by a client. @default none */
  label?: (request: GatewayRequest) => string;
  /** Values of `label` whose gauges are there before their first request. @default none */
  labels?: readonly string[];
}

/** Methods that get a label of their own; clients could make up any number of others. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]);

/**
 * Counts exchanges when they have ended, sockets too: `…_requests_total`, `…_request_bytes_total` and
 * `…_response_bytes_total` by method, status and result (`sent`, `cut`, `gone`), `…_request_duration_seconds` by method;
 * at any moment `…_requests_in_flight`; and what they wait for on their way, by phase (`queue`, `spawn`, `connect`):
 * `…_requests_waiting` and `…_wait_seconds`.
 *
 * Put it outermost. The command shows the registry; elsewhere it is `context.metrics.toText()`.
 */
export function metrics(options: MetricsOptions = {}): Middleware {
  let meters = new Meters(createMetrics(), options);
  return layer({
    name: "metrics",
    oncePerExchange: true,
    start(context: AppContext) {
      meters = new Meters(context.metrics, options);
    },
    onRequest(request) {
      request.exchange.onEnd(begin(request, meters, options.label));
      return request;
    },
  });
}

/** Counts a request as begun; what it gives counts the end. */
function begin(request: GatewayRequest, meters: Meters, label: MetricsOptions["label"]): (outcome: Outcome) => void {
  const startedMs = performance.now();
  const { kind, body, exchange } = request;
  const method = METHODS.has(request.method) ? request.method : "other";
  const place = meters.place(label?.(request));
  place.inFlight.add(1);
  watchPhases(exchange, place.watcher);
  return ({ status, result, bytesSent }) => {
    place.inFlight.add(-1);
    const { requests, received, sent } = place.ended(method, status, result);
    requests.add(1);
    received.add(body.bytesRead ?? body.length ?? 0);
    sent.add(bytesSent);
    place.times(kind === "websocket" ? "websocket" : method).observe((performance.now() - startedMs) / 1_000);
  };
}
