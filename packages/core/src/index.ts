// @gw/core: the request model and the pipeline. Named exports only.
export {
  byteStringToBytes,
  bytesToByteString,
  decodeText,
  encodeText,
  toBytes,
  toText,
  toTextStrict,
} from "./bytes/byte-string.ts";
export { isBodilessStatus, reasonPhrase } from "./headers/status.ts";
export type { Address, PeerCertificate, TlsInfo } from "./model/address.ts";
export type { App, AppSource, Description, Handler, Lifecycle, Middleware, Status } from "./model/app.ts";
export { emptyBody, type RequestBody, type ResponseBody } from "./model/body.ts";
export type {
  AppContext,
  Backend,
  BackendSpec,
  BackendState,
  Backends,
  Counter,
  CounterReading,
  Counters,
  Gauge,
  Histogram,
  MetricLabels,
  MetricOptions,
  Metrics,
} from "./model/context.ts";
export { GatewayError, type GatewayErrorOptions, isGatewayError } from "./model/errors.ts";
export type { Exchange, Outcome } from "./model/exchange.ts";
export { type HeaderInit, HeaderList } from "./model/headers.ts";
export { type Logger, type LogMethod, silentLogger } from "./model/log.ts";
export type { MaybePromise } from "./model/maybe-promise.ts";
export type { Principal } from "./model/principal.ts";
export { repeatSeparator } from "./model/repeat.ts";
export type { GatewayRequest, HttpRequest, RequestHead, WebSocketRequest } from "./model/request.ts";
export type { Answer, HttpResponse, WebSocketAccept, WebSocketMessage, WebSocketPeer } from "./model/response.ts";
export { emptyState, type RequestState, type StateKey, stateKey } from "./model/state.ts";
export { andCatch, andThen, isPromise } from "./pipeline/and-then.ts";
export { toApp } from "./pipeline/app-source.ts";
export { asyncOrigin } from "./pipeline/async-origin.ts";
export { compose, describeApp, describeLayer } from "./pipeline/compose.ts";
export { discard } from "./pipeline/discard.ts";
export { OpenExchange } from "./pipeline/exchange.ts";
export { errorAnswer, guard } from "./pipeline/guard.ts";
export { type LayerOptions, layer } from "./pipeline/layer.ts";
export { lifecycleOf, startOnce, stopOnce } from "./pipeline/lifecycle.ts";
export { type ExchangeNotes, notesIfAny, notesOf, withPrincipal } from "./pipeline/notes.ts";
export { DEFAULT_MAX_BODY_BYTES, Runtime, type RuntimeOptions } from "./pipeline/runtime.ts";
