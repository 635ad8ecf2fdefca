// The apps that benchmarks serve: one answer, in every shape.

import type { RequestListener } from "node:http";
import { fromAsgi } from "@gw/asgi";
import { type AppSource, compose, type HeaderInit, HeaderList, layer, type Middleware } from "@gw/core";
import { fromWsgi } from "@gw/wsgi";

const text = "Hello, World!\n";
const body: Uint8Array = Buffer.from(text);
const fields: HeaderInit = { "Content-Type": "text/plain", "Content-Length": String(body.length) };
const headers = HeaderList.from(fields);

/** The same answer from bare node:http: what everything is compared with. */
export const raw: RequestListener = (_request, response) => {
  response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": body.length });
  response.end(text);
};

/** A handler that makes its answer for each request. */
export const plain: AppSource = () => ({ kind: "response", status: 200, headers, body });

/** A layer whose steps look at the request and the answer and change neither. */
function passing(name: string): Middleware {
  return layer({
    name,
    onRequest: (request) => request,
    onResponse: (answer) => answer,
  });
}

/** The plain handler inside six sync layers. */
export const sixLayers: AppSource = compose(["a", "b", "c", "d", "e", "f"].map(passing), plain);

/** The plain handler inside six layers that are async. */
export const sixAsyncLayers: AppSource = compose(
  ["a", "b", "c", "d", "e", "f"].map((name) => layer({ name, onRequest: async (request) => request })),
  plain,
);

/** A WSGI-shaped app. */
export const wsgi: AppSource = fromWsgi((_environ, startResponse) => {
  startResponse("200 OK", [
    ["Content-Type", "text/plain"],
    ["Content-Length", String(body.length)],
  ]);
  return [body];
});

const pairs = [
  [Buffer.from("content-type"), Buffer.from("text/plain")],
  [Buffer.from("content-length"), Buffer.from(String(body.length))],
] as const;

/** An ASGI-shaped app. */
export const asgi: AppSource = fromAsgi(
  async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: pairs });
    await send({ type: "http.response.body", body });
  },
  { lifespan: "off" },
);
