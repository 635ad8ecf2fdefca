// @gw/wsgi: WSGI-shaped apps for TypeScript (PEP 3333). Named exports only.
export { excInfo } from "./exc-info.ts";
export { type FromWsgiOptions, fromWsgi } from "./from-wsgi.ts";
export { type ValidatorOptions, validator } from "./lint/validator.ts";
export { type PythonWsgiOptions, pythonWsgi } from "./python.ts";
export { type ToWsgiOptions, toWsgi } from "./to-wsgi.ts";
export type {
  Environ,
  ExcInfo,
  FileLike,
  FileWrapper,
  StartResponse,
  Write,
  WsgiApp,
  WsgiErrorStream,
  WsgiInputStream,
  WsgiIterable,
} from "./types.ts";
export { type WsgiThreadsOptions, wsgiThreads } from "./wsgi-threads.ts";
