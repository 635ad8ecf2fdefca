// @gw/fastcgi: serve apps over FastCGI, and FastCGI backends as apps. Named exports only.
export { FastcgiError, type FastcgiErrorCode } from "./client/errors.ts";
export { fastcgi } from "./client/fastcgi.ts";
export type { FastcgiClientOptions, FastcgiOptions } from "./client/options.ts";
export type { FastcgiServerOptions, RunningFastcgiServer } from "./options.ts";
export { serveFastcgi } from "./serve.ts";
