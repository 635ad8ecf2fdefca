// The Python apps of the matrix, where carriers in another process can load them.
import { pythonAsgi } from "@gw/asgi";
import type { App } from "@gw/core";
import { pythonWsgi } from "@gw/wsgi";

const place = { cwd: import.meta.dirname, workers: 1 };

export const wsgi: App = pythonWsgi("echo:wsgi", place);
export const wsgiInline: App = pythonWsgi("echo:wsgi", { ...place, threads: 1, name: "python:inline" });
export const asgi: App = pythonAsgi("echo:asgi", place);
