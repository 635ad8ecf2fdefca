// @gw/core: the request model and the pipeline. Named exports only.
export { byteStringToBytes, bytesToByteString, decodeText, encodeText } from "./bytes/byte-string.ts";
export { toBytes, toText, toTextStrict } from "./bytes/byte-string.ts";
export { ByteQueue } from "./bytes/queue.ts";
export { fromProcessEnvironment, parseEnvironmentBlock, toProcessEnvironment } from "./environ/env-bytes.ts";
export { headerNameOf, variableName } from "./environ/names.ts";
export { type ReadVariablesOptions, readVariables, type VariablesHead } from "./environ/read.ts";
export { type WriteVariablesOptions, writeVariables } from "./environ/write.ts";
export { isBodiless, withoutTrailers, writeAnswerBlock } from "./header-block/answer.ts";
export { type BlockKind, classifyBlock } from "./header-block/classify.ts";
export { HeaderBlockError, type HeaderBlockErrorCode } from "./header-block/error.ts";
export { type HeaderBlock, HeaderBlockDecoder, type HeaderBlockOptions } from "./header-block/parse.ts";
export { writeHeaderBlock } from "./header-block/write.ts";
export { acceptedEncodings, checkResponseHead, contentLength, evaluatePreconditions } from "./headers/public.ts";
export { identityHeaders, isBodilessStatus, isFieldValue, isHopByHop, isIdentityHeader } from "./headers/public.ts";
export {
  isToken,
  parseContentLength,
  parseHttpDate,
  rangeApplies,
  readForwarded,
  reasonPhrase,
} from "./headers/public.ts";
export { scrubIdentity, selectRanges, withoutHopByHop, writeContentRange, writeHttpDate } from "./headers/public.ts";
export type { ByteRange, Forwarded, ForwardedTrust, Validators } from "./headers/public.ts";
export { bufferBody, incomingBody, mapBody, memoryBody, pumpBody, readBytes, readForm } from "./body/public.ts";
export { readJson, readText, type ReadJsonOptions, type ReadOptions, type Spool } from "./body/public.ts";
export type { BufferBodyOptions, ChunkTransform, IncomingBodyOptions, MapBodyOptions } from "./body/public.ts";
export type { PumpResult, PumpTarget, SpoolStore, StreamTransform } from "./body/public.ts";
export { fromFetch, toFetch } from "./faces/public.ts";
export type { FetchEnvironment, FetchExecution, FetchFunction, FetchSource } from "./faces/public.ts";
export type { FetchHandler, ToFetchOptions } from "./faces/public.ts";
export { emptyBody, emptyState, GatewayError, HeaderList, isGatewayError, repeatSeparator } from "./model/public.ts";
export { silentLogger, stateKey } from "./model/public.ts";
export type { Address, Answer, App, AppContext, AppSource, Backend, BackendProcess, Backends } from "./model/public.ts";
export type { BackendSpec, BackendState, Counter, CounterReading, Counters, Description } from "./model/public.ts";
export type { Exchange, GatewayErrorOptions, GatewayRequest, Gauge, Handler, HeaderInit } from "./model/public.ts";
export type { Histogram, HttpRequest, HttpResponse, Lifecycle, Logger, LogMethod } from "./model/public.ts";
export type { MaybePromise, MetricLabels, MetricOptions, Metrics, Middleware, Outcome } from "./model/public.ts";
export type { PeerCertificate, Principal, RequestBody, RequestHead, RequestState } from "./model/public.ts";
export type { ResponseBody, StateKey, Status, TlsInfo, WebSocketAccept, WebSocketMessage } from "./model/public.ts";
export type { WebSocketPeer, WebSocketRequest } from "./model/public.ts";
export { accept, afterResponse, andCatch, andThen, asyncOrigin, authEndpoint, cascade } from "./pipeline/public.ts";
export { closeAnswer, sendableResponse } from "./pipeline/public.ts";
export { compose, createContext, createCounters, createMetrics, DEFAULT_MAX_BODY_BYTES } from "./pipeline/public.ts";
export { describeApp, describeLayer, discard, errorAnswer, eventStream, every, except } from "./pipeline/public.ts";
export { fittingAnswer, gateway, guard, html, http, isPromise, isProtectedVariable, json } from "./pipeline/public.ts";
export { layer, lifecycleOf, localTarget, locationValue, markAsync, mount, mountVariables } from "./pipeline/public.ts";
export { notesIfAny, notesOf, OpenExchange, redirect, redirectedRequest, redirects } from "./pipeline/public.ts";
export { rewrite, Runtime, socketAnswer, some, startOnce, stopOnce, text, toApp } from "./pipeline/public.ts";
export { webSocket, when, withPrincipal } from "./pipeline/public.ts";
export type { AcceptOptions, AnswerOptions, AuthEndpointOptions, CascadeOptions } from "./pipeline/public.ts";
export type { CountersOptions, EventStreamOptions, ExchangeNotes, Gateway, LayerOptions } from "./pipeline/public.ts";
export type { MountOptions, PathRules, RedirectsOptions, RequestTest, RewriteFunction } from "./pipeline/public.ts";
export type { RuntimeOptions, ServerEvent, ServerEvents, VariablesFunction } from "./pipeline/public.ts";
export { type Authority, parseAuthority } from "./target/authority.ts";
export { splitMount, underMount } from "./target/mount.ts";
export { type ParsedTarget, parseTarget } from "./target/parse.ts";
export { decodePercent, normalizePath, resolveSegments } from "./target/path.ts";
export { parseIp, plainIp } from "./target/ip-address.ts";
export { type PeerList, peerList } from "./target/peer-list.ts";
export { encodePath, pathText, queryText, rawPath } from "./target/raw.ts";
