// @gw/fastcgi: serve apps over FastCGI. Named exports only.
export type { FastcgiServerOptions, RunningFastcgiServer } from "./options.ts";
export { serveFastcgi } from "./serve.ts";
