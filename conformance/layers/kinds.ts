// The kinds of app behind a layer. Each says the same of what it was asked, in the words of its own interface.
import { join } from "node:path";
import { pythonAsgi } from "@gw/asgi";
import { cgiProgram } from "@gw/cgi";
import { type AppSource, accept, type GatewayRequest, http, isPromise, readText, text } from "@gw/core";
import { fastcgi } from "@gw/fastcgi";
import { pythonWsgi } from "@gw/wsgi";

/** A kind of app. */
export interface AppKind {
  readonly name: string;
  readonly isSocket: boolean;
  readonly app: AppSource;
}

const line = (request: GatewayRequest, user: string, type: string, body: string): string => {
  const { method, headers } = request;
  const trace = headers.has("traceparent") ? "yes" : "";
  return `user=${user};type=${type};method=${method};seen=${headers.get("x-seen") ?? "-"};trace=${trace};body=${body}`;
};

const reportOf = (request: GatewayRequest, body: string): string =>
  line(request, request.principal?.user ?? "-", request.principal?.type ?? "-", body);

/** A sync app; only a body that has to be waited for makes it wait. */
const syncApp = http((request) => {
  if (request.body.length === 0) return text(reportOf(request, ""));
  const body = readText(request);
  return isPromise(body) ? body.then((read) => text(reportOf(request, read))) : text(reportOf(request, body));
});

const asyncApp = http(async (request) => {
  const body = request.body.length === 0 ? "" : await readText(request);
  return text(reportOf(request, body));
});

const socketApp = (request: GatewayRequest) =>
  request.kind === "http"
    ? text("a socket is needed", { status: 426 })
    : accept(async (peer) => {
        await peer.send(reportOf(request, ""));
        await peer.close(1000, "");
      });

/** A FastCGI application: what the gateway sends it in variables. */
export const fastcgiResponder = http(async (request) => {
  const body = request.body.length === 0 ? "" : await readText(request);
  const { params } = request;
  return text(line(request, params.get("REMOTE_USER") ?? "-", params.get("AUTH_TYPE") ?? "-", body));
});

/** Every kind of app. @param python the interpreter; @param responder where `fastcgiResponder` listens */
export function appKinds({ python, responder }: { python: string; responder: string }): readonly AppKind[] {
  const cwd = join(import.meta.dirname, "../python");
  const options = { cwd, python, workers: 1 };
  return [
    { name: "sync app", isSocket: false, app: syncApp },
    { name: "async app", isSocket: false, app: asyncApp },
    { name: "WebSocket", isSocket: true, app: socketApp },
    { name: "CGI mount", isSocket: false, app: cgiProgram({ command: join(import.meta.dirname, "report.sh") }) },
    { name: "FastCGI mount", isSocket: false, app: fastcgi({ address: responder }) },
    { name: "Python WSGI", isSocket: false, app: pythonWsgi("layer_report:wsgi", options) },
    { name: "Python ASGI", isSocket: false, app: pythonAsgi("layer_report:asgi", options) },
  ];
}
