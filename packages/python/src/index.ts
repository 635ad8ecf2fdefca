// @gw/python: Python worker processes for WSGI and ASGI apps. Named exports only.
export type { RequestEncoder } from "./answer-call.ts";
export type { MarshalValue, MarshalWriter } from "./codec/marshal-writer.ts";
export type { PythonInterface, PythonOptions } from "./options.ts";
export { pythonInterface } from "./which.ts";
export { PythonWorkers } from "./workers.ts";
