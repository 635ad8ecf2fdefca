// HTTP/2 without TLS (prior knowledge): our server, Node's client.
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HeaderList } from "@gw/core";
import { type ServeOptions, serve } from "@gw/http";
import type { Carrier, ClientAnswer, ClientRequest } from "../carrier.ts";

/** `serve` on a free port of 127.0.0.1, asked by node:http2. */
export function http2Carrier(options: ServeOptions = {}): Carrier {
  return {
    name: "HTTP/2",
    abilities: new Set(["same-process", "stream-up", "stream-down", "abort", "cut-visible", "early-hints", "trailers"]),
    async open({ app }) {
      const server = serve(app, { bind: "127.0.0.1:0", h2c: true, ...options });
      await server.ready;
      const session = connect(server.url);
      session.on("error", () => {}); // each stream reports its own end
      return {
        send: (request) => send(session, request),
        async close() {
          session.destroy();
          await server.close();
        },
      };
    },
  };
}

async function send(
  session: ClientHttp2Session,
  { method = "GET", target = "/", headers = [], body }: ClientRequest,
): Promise<ClientAnswer> {
  const stream = session.request(headersOf(method, target, headers, body), { endStream: body === undefined });
  const earlyHints: HeaderList[] = [];
  let trailers: HeaderList | null = null;
  stream.on("headers", (fields) => earlyHints.push(listOf(fields)));
  stream.on("trailers", (fields) => {
    trailers = listOf(fields);
  });
  const answered = once(stream, "response");
  sendBody(stream, body);
  const [fields] = (await answered) as [Record<string, string | string[] | number>];
  return {
    status: Number(fields[":status"]),
    headers: listOf(fields),
    earlyHints,
    body: chunksOf(stream),
    trailers: () => trailers,
    abort: () => stream.close(constants.NGHTTP2_CANCEL),
  };
}

function headersOf(
  method: string,
  target: string,
  headers: NonNullable<ClientRequest["headers"]>,
  body: ClientRequest["body"],
): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = {
    ":method": method,
    ":path": target,
    ":scheme": "http",
    ":authority": "localhost",
  };
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const before = fields[lower];
    fields[lower] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  if (body instanceof Uint8Array) fields["content-length"] = String(body.length);
  return fields;
}

function sendBody(stream: ClientHttp2Stream, body: ClientRequest["body"]): void {
  if (body === undefined) return;
  if (body instanceof Uint8Array) {
    stream.end(body);
    return;
  }
  pipeline(Readable.from(body), stream).catch(() => {});
}

async function* chunksOf(stream: ClientHttp2Stream): AsyncGenerator<Uint8Array> {
  yield* stream as AsyncIterable<Uint8Array>;
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR)
    throw new Error(`the stream was reset with code ${stream.rstCode}`);
}

function listOf(fields: Readonly<Record<string, unknown>>): HeaderList {
  const pairs = Object.entries(fields).filter(([name]) => !name.startsWith(":"));
  return HeaderList.from(
    pairs.flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, String(one)])),
  );
}
