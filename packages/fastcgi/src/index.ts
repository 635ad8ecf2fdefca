// @gw/fastcgi: serve apps over FastCGI, and FastCGI backends as apps. Named exports only.
export { type AuthorizerOptions, authorizer, type RunningAuthorizer, serveAuthorizer } from "./authorizer.ts";
export { FastcgiError, type FastcgiErrorCode } from "./client/errors.ts";
export { fastcgi } from "./client/fastcgi.ts";
export type { FastcgiClientOptions, FastcgiOptions } from "./client/options.ts";
export { type FilterData, filterData } from "./filter-data.ts";
export type { FastcgiServerOptions, RunningFastcgiServer } from "./options.ts";
export type { PhpFpmOptions, PhpStartOptions } from "./php/options.ts";
export { phpFpm } from "./php/php-fpm.ts";
export { fastcgiPool } from "./pool/fastcgi-pool.ts";
export type { FastcgiPoolOptions } from "./pool/options.ts";
export { serveFastcgi } from "./serve.ts";
