// @gw/http: the HTTP carrier. Named exports only.
export { fromNodeHandler, type NodeFunction, requestOf } from "./from-node-handler.ts";
export type { FrontIdentityOptions } from "./front-identity.ts";
export { DEFAULT_LIMITS, type HttpLimits } from "./limits.ts";
export type { RunningServer, ServeOptions } from "./options.ts";
export { proxy } from "./proxy.ts";
export type { ProxyOptions, ProxyTlsOptions, ProxyWebSocketOptions } from "./proxy-options.ts";
export { serve } from "./serve.ts";
export { type NodeHandler, type NodeHandlerOptions, toNodeHandler } from "./to-node-handler.ts";
export type { CertificateOptions, TlsOptions } from "./tls.ts";
export type { WebSocketOptions } from "./websocket-options.ts";
