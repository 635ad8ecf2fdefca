// The model's public names, for the package's entry.
export type { Address, PeerCertificate, TlsInfo } from "./address.ts";
export type { App, AppSource, Description, Handler, Lifecycle, Middleware, Status } from "./app.ts";
export type { Backend, BackendProcess, BackendSpec, BackendState, Backends } from "./backend.ts";
export { emptyBody, type RequestBody, type ResponseBody } from "./body.ts";
export type {
  AppContext,
  Counter,
  CounterReading,
  Counters,
  Gauge,
  Histogram,
  MetricLabels,
  MetricOptions,
  Metrics,
} from "./context.ts";
export { GatewayError, type GatewayErrorOptions, type HeaderPairs, isGatewayError } from "./errors.ts";
export { type HeaderInit, HeaderList } from "./headers.ts";
export { type Logger, type LogMethod, silentLogger } from "./log.ts";
export type { MaybePromise } from "./maybe-promise.ts";
export type { PermitPool, Permits } from "./permits.ts";
export type { Principal } from "./principal.ts";
export { repeatSeparator } from "./repeat.ts";
export type { Exchange, GatewayRequest, HttpRequest, Outcome, RequestHead, WebSocketRequest } from "./request.ts";
export type { Answer, HttpResponse, WebSocketAccept, WebSocketMessage, WebSocketPeer } from "./response.ts";
export { emptyState, type RequestState, type StateKey, stateKey } from "./state.ts";
