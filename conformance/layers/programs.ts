// The kinds of app behind one login, and one app behind rows of the matrix, each as the app of a CGI program of its own: `gw cgi programs.ts:syncApp`.
import { type App, compose } from "@gw/core";
import { lint, lintLayers } from "@gw/core/lint";
import { basicAuth } from "@gw/middleware/basic-auth";
import { appKinds } from "./kinds.ts";
import { loginRows } from "./login-rows.ts";

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

/** The layers of a row. */
function behind(layer: string, does: string): App {
  const row = loginRows().find((one) => one.layer === layer && one.does === does);
  const kind = kinds.find(({ name }) => name === "sync app");
  if (row === undefined || kind === undefined) throw new Error(`no row says ${layer} ${does}`);
  return compose(lintLayers(row.layers()), lint(kind.app));
}

export const digestLogin: App = behind("digest-auth", "lets in who answers its challenge");
export const formLogin: App = behind("form-login", "lets in who logged in at its page");
export const csrfToken: App = behind("csrf", "passes a form with the session's token");
export const frontServer: App = behind("remote-user", "takes the user from a listed front server");
