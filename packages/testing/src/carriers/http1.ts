// HTTP/1.1: our server, Node's client.

import { once } from "node:events";
import { type IncomingMessage, type ClientRequest as NodeRequest, request as nodeRequest } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HeaderList } from "@gw/core";
import { type ServeOptions, serve } from "@gw/http";
import type { Carrier, ClientAnswer, ClientRequest } from "../carrier.ts";

/** `serve` on a free port of 127.0.0.1, asked by node:http. */
export function http1Carrier(options: ServeOptions = {}): Carrier {
  return {
    name: "HTTP/1.1",
    abilities: new Set(["same-process", "stream-up", "stream-down", "abort", "cut-visible", "early-hints", "trailers"]),
    async open({ app }) {
      const server = serve(app, { bind: "127.0.0.1:0", ...options });
      await server.ready;
      const { port } = new URL(server.url);
      return { send: (request) => sendHttp1(Number(port), request), close: () => server.close() };
    },
  };
}

/** Asks a server on 127.0.0.1, and gives its answer as it comes. */
export async function sendHttp1(
  port: number,
  { method = "GET", target = "/", headers = [], body }: ClientRequest,
): Promise<ClientAnswer> {
  const lengths = body instanceof Uint8Array ? ["Content-Length", String(body.length)] : [];
  const outgoing = nodeRequest({
    host: "127.0.0.1",
    port,
    method,
    path: target,
    agent: false,
    headers: ["Host", "localhost", ...headers.flat(), ...lengths],
  });
  const earlyHints: HeaderList[] = [];
  outgoing.on("information", ({ rawHeaders }) => earlyHints.push(HeaderList.fromWire(rawHeaders)));
  const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
  sendBody(outgoing, body);
  const [incoming] = await answered;
  return {
    status: incoming.statusCode as number,
    headers: HeaderList.fromWire(incoming.rawHeaders),
    earlyHints,
    body: incoming,
    trailers: () => (incoming.rawTrailers.length > 0 ? HeaderList.fromWire(incoming.rawTrailers) : null),
    abort: () => outgoing.destroy(),
  };
}

function sendBody(outgoing: NodeRequest, body: ClientRequest["body"]): void {
  // A server may answer and close before it has read everything: the answer counts.
  outgoing.on("error", () => {});
  if (body === undefined || body instanceof Uint8Array) outgoing.end(body);
  else pipeline(Readable.from(body), outgoing).catch(() => {});
}
