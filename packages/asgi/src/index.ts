// @gw/asgi: ASGI-shaped apps for TypeScript (ASGI 3.0). Named exports only.
export { type AsgiToWsgiOptions, asgiToWsgi } from "./adapters/asgi-to-wsgi.ts";
export { type WsgiToAsgiOptions, wsgiToAsgi } from "./adapters/wsgi-to-asgi.ts";
export type { AsgiApp, Receive, Send } from "./app.ts";
export { type Communicator, communicator, type PartialScope } from "./communicator.ts";
export type {
  HttpDisconnectEvent,
  HttpRequestEvent,
  HttpResponseBodyEvent,
  HttpResponseDebugEvent,
  HttpResponseEarlyHintEvent,
  HttpResponsePathsendEvent,
  HttpResponseStartEvent,
  HttpResponseTrailersEvent,
  HttpResponseZerocopysendEvent,
  LifespanShutdownCompleteEvent,
  LifespanShutdownEvent,
  LifespanShutdownFailedEvent,
  LifespanStartupCompleteEvent,
  LifespanStartupEvent,
  LifespanStartupFailedEvent,
  ReceiveEvent,
  SendEvent,
  WebSocketAcceptEvent,
  WebSocketCloseEvent,
  WebSocketConnectEvent,
  WebSocketDisconnectEvent,
  WebSocketReceiveEvent,
  WebSocketResponseBodyEvent,
  WebSocketResponseStartEvent,
  WebSocketSendEvent,
} from "./events.ts";
export { type FromAsgiOptions, fromAsgi } from "./from-asgi.ts";
export type { LifespanMode } from "./lifespan.ts";
export type {
  AsgiVersions,
  EmptyExtension,
  Extensions,
  HeaderPair,
  HttpScope,
  LifespanScope,
  PrincipalExtension,
  Scope,
  TlsExtension,
  WebSocketScope,
} from "./scopes.ts";
export { type PythonAsgiOptions, pythonAsgi } from "./python.ts";
export { type ToAsgiOptions, toAsgi } from "./to-asgi.ts";
