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
export { ByteQueue } from "./bytes/queue.ts";
export { fromProcessEnvironment, parseEnvironmentBlock, toProcessEnvironment } from "./environ/env-bytes.ts";
export { headerNameOf, variableName } from "./environ/names.ts";
export { type ReadVariablesOptions, readVariables, type VariablesHead } from "./environ/read.ts";
export { type WriteVariablesOptions, writeVariables } from "./environ/write.ts";
export { type BlockKind, classifyBlock } from "./header-block/classify.ts";
export { HeaderBlockError, type HeaderBlockErrorCode } from "./header-block/error.ts";
export { type HeaderBlock, HeaderBlockDecoder, type HeaderBlockOptions } from "./header-block/parse.ts";
export { writeHeaderBlock } from "./header-block/write.ts";
export { checkResponseHead } from "./headers/check.ts";
export { contentLength, parseContentLength } from "./headers/content-length.ts";
export { type Forwarded, type ForwardedField, type ForwardedTrust, readForwarded } from "./headers/forwarded.ts";
export { isHopByHop, withoutHopByHop } from "./headers/hop-by-hop.ts";
export { identityHeaders, isIdentityHeader, scrubIdentity } from "./headers/identity.ts";
export { type BufferBodyOptions, bufferBody, memoryBody, type Spool, type SpoolStore } from "./body/buffer.ts";
export { type IncomingBodyOptions, incomingBody } from "./body/incoming.ts";
export { type ChunkTransform, type MapBodyOptions, mapBody, type StreamTransform } from "./body/map.ts";
export { type PumpResult, type PumpTarget, pumpBody } from "./body/pump.ts";
export { type ReadJsonOptions, type ReadOptions, readBytes, readForm, readJson, readText } from "./body/readers.ts";
export { isBodilessStatus, reasonPhrase } from "./headers/status.ts";
export { isFieldValue, isToken } from "./headers/syntax.ts";
export type { Address, PeerCertificate, TlsInfo } from "./model/address.ts";
export type { App, AppSource, Description, Handler, Lifecycle, Middleware, Status } from "./model/app.ts";
export { emptyBody, type RequestBody, type ResponseBody } from "./model/body.ts";
export type { AppContext, Backend, BackendSpec, BackendState, Backends } from "./model/context.ts";
export type { Counter, CounterReading, Counters, Gauge, Histogram } from "./model/context.ts";
export type { MetricLabels, MetricOptions, Metrics } from "./model/context.ts";
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
export { type AnswerOptions, html, json, locationValue, redirect, text } from "./pipeline/answers.ts";
export { toApp } from "./pipeline/app-source.ts";
export { asyncOrigin, markAsync } from "./pipeline/async-origin.ts";
export { compose, describeApp, describeLayer } from "./pipeline/compose.ts";
export { createContext } from "./pipeline/context.ts";
export { type CountersOptions, createCounters } from "./pipeline/counters.ts";
export { discard } from "./pipeline/discard.ts";
export { redirectedRequest } from "./pipeline/dispatch.ts";
export { OpenExchange } from "./pipeline/exchange.ts";
export { type Gateway, gateway } from "./pipeline/gateway.ts";
export { errorAnswer } from "./pipeline/error-answer.ts";
export { guard } from "./pipeline/guard.ts";
export { type LayerOptions, layer } from "./pipeline/layer.ts";
export { lifecycleOf, startOnce, stopOnce } from "./pipeline/lifecycle.ts";
export { createMetrics } from "./pipeline/metrics.ts";
export { type MountOptions, mount } from "./pipeline/mount.ts";
export { type ExchangeNotes, notesIfAny, notesOf, withPrincipal } from "./pipeline/notes.ts";
export { DEFAULT_MAX_BODY_BYTES, Runtime, type RuntimeOptions } from "./pipeline/runtime.ts";
export { socketAnswer } from "./pipeline/socket-answer.ts";
export { isProtectedVariable, mountVariables, type VariablesFunction } from "./pipeline/variables.ts";
export { type Authority, parseAuthority } from "./target/authority.ts";
export { splitMount, underMount } from "./target/mount.ts";
export { type ParsedTarget, parseTarget } from "./target/parse.ts";
export { decodePercent, normalizePath, resolveSegments } from "./target/path.ts";
export { type PeerList, peerList } from "./target/peer-list.ts";
export { encodePath, pathText, queryText, rawPath } from "./target/raw.ts";
