// @gw/core: the request model and the pipeline. Named exports only.
export { byteStringToBytes, bytesToByteString, decodeText, encodeText } from "./bytes/byte-string.ts";
export { toBytes, toText, toTextStrict } from "./bytes/byte-string.ts";
export { ByteQueue } from "./bytes/queue.ts";
export { fromProcessEnvironment, headerNameOf, parseEnvironmentBlock, readVariables } from "./environ/public.ts";
export { toProcessEnvironment, variableName, writeVariables } from "./environ/public.ts";
export type { ReadVariablesOptions, VariablesHead, WriteVariablesOptions } from "./environ/public.ts";
export { classifyBlock, HeaderBlockDecoder, HeaderBlockError, isBodiless } from "./header-block/public.ts";
export { withoutTrailers, writeAnswerBlock, writeHeaderBlock } from "./header-block/public.ts";
export type { BlockKind, HeaderBlock, HeaderBlockErrorCode, HeaderBlockOptions } from "./header-block/public.ts";
export { acceptedEncodings, checkResponseHead, checkTrailers, contentLength } from "./headers/public.ts";
export { evaluatePreconditions } from "./headers/public.ts";
export { identityHeaders, isBodilessStatus, isFieldValue, isHopByHop, isIdentityHeader } from "./headers/public.ts";
export { isToken, parseContentLength, parseHttpDate, rangeApplies } from "./headers/public.ts";
export { readForwarded, reasonPhrase } from "./headers/public.ts";
export { scrubIdentity, selectRanges, withoutHopByHop, writeContentRange, writeHttpDate } from "./headers/public.ts";
export type { ByteRange, Forwarded, ForwardedTrust, Validators } from "./headers/public.ts";
export { BodyTimer, bufferBody, incomingBody, mapBody, memoryBody, pumpBody, readBytes } from "./body/public.ts";
export { readForm, readJson, readText, type ReadJsonOptions, type ReadOptions, type Spool } from "./body/public.ts";
export type { ArrivingBody, BodyPace, BufferBodyOptions, ChunkTransform, IncomingBodyOptions } from "./body/public.ts";
export type { MapBodyOptions, PumpResult, PumpTarget, SpoolStore, StreamTransform } from "./body/public.ts";
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
export type { HeaderPairs, PermitPool, Permits, WebSocketPeer, WebSocketRequest } from "./model/public.ts";
export { type AllowedNumber, checkNumbers, countFrom, limitMs, type NumberTable } from "./options/public.ts";
export { shownValue, timerMs, wholeNumber } from "./options/public.ts";
export { accept, afterResponse, andCatch, andThen, asyncOrigin, authEndpoint, cascade } from "./pipeline/public.ts";
export { authDecision, closeAnswer, identityFields, identityValue, sendableResponse } from "./pipeline/public.ts";
export { compose, createContext, createCounters, createMetrics, createPermits } from "./pipeline/public.ts";
export { describeApp, describeLayer, discard, errorAnswer, eventStream, every, except } from "./pipeline/public.ts";
export {
  DEFAULT_MAX_BODY_BYTES,
  findPlace,
  fittingAnswer,
  gateway,
  guard,
  html,
  http,
  isPromise,
} from "./pipeline/public.ts";
export { layer, lifecycleOf, localTarget, locationValue, markAsync, mount, mountVariables } from "./pipeline/public.ts";
export { notesIfAny, notesOf, OpenExchange, redirect, redirectedRequest, redirects } from "./pipeline/public.ts";
export { rewrite, Runtime, socketAnswer, some, startOnce, stopOnce, text, toApp } from "./pipeline/public.ts";
export { beginPhase, inPhase, isProtectedVariable, json, watchPhases, webSocket, when } from "./pipeline/public.ts";
export { type Phase, type PhaseEnd, type PhaseWatcher, withPrincipal, withVariables } from "./pipeline/public.ts";
export type { AcceptOptions, AnswerOptions, AuthEndpointOptions, CascadeOptions } from "./pipeline/public.ts";
export type { CountersOptions, EventStreamOptions, ExchangeNotes, Gateway, LayerOptions } from "./pipeline/public.ts";
export type {
  MountOptions,
  PathRules,
  PermitsOptions,
  RedirectsOptions,
  RequestTest,
  RewriteFunction,
} from "./pipeline/public.ts";
export type { RuntimeOptions, ServerEvent, ServerEvents, VariablesFunction, Welcome } from "./pipeline/public.ts";
export { decodePercent, encodePath, normalizePath, parseAuthority, parseIp, parseTarget } from "./target/public.ts";
export { pathText, peerList, plainIp, queryText, rawPath, resolveSegments, splitMount } from "./target/public.ts";
export { addressKey, type Authority, type ParsedTarget, type PeerList, underMount } from "./target/public.ts";
export { Deadlines, Health, mayRetry, parseUpstreamAddress, UpstreamGroup } from "./upstream/public.ts";
export { upstreamAddressText, WaitQueue } from "./upstream/public.ts";
export type { ClientTurn, DeadlineOptions, HealthOptions, Lateness, UpstreamGroupOptions } from "./upstream/public.ts";
export type { UpstreamLease, WaitQueueOptions } from "./upstream/public.ts";
