// The kinds of app behind one login, each as the app of a CGI program of its own: `gw cgi programs.ts:syncApp`.
import { type App, compose } from "@gw/core";
import { lint, lintLayers } from "@gw/core/lint";
import { basicAuth } from "@gw/middleware/basic-auth";
import { appKinds } from "./kinds.ts";

const users = { ann: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=" };
const kinds = appKinds({ python: "/usr/bin/python3", responder: "127.0.0.1:9" });

function guarded(name: string): App {
  const kind = kinds.find((one) => one.name === name);
  if (kind === undefined) throw new Error(`no kind of app is called ${name}`);
  return compose(lintLayers([basicAuth({ users })]), lint(kind.app));
}

export const syncApp: App = guarded("sync app");
export const asyncApp: App = guarded("async app");
export const socketApp: App = guarded("WebSocket");
export const cgiMount: App = guarded("CGI mount");
export const pythonWsgiApp: App = guarded("Python WSGI");
export const pythonAsgiApp: App = guarded("Python ASGI");
