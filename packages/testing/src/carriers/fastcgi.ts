// FastCGI: our responder, asked by a small web server made of the codec, so that every record is seen as it is.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ByteQueue, classifyBlock, HeaderBlockDecoder, type HeaderList } from "@gw/core";
import { type FastcgiServerOptions, serveFastcgi } from "@gw/fastcgi";
import {
  RecordType,
  RequesterConnection,
  streamRecords,
  writeBeginRequest,
  writeParams,
  writeRecord,
} from "@gw/fastcgi/codec";
import type { Carrier, ClientAnswer, ClientRequest } from "../carrier.ts";
import { cgiVariables } from "../cgi-variables.ts";

/** `serveFastcgi` on a unix socket of its own, one connection for each request. */
export function fastcgiCarrier(options: FastcgiServerOptions = {}): Carrier {
  return {
    name: "FastCGI",
    abilities: new Set(["same-process", "stream-up", "stream-down", "abort", "cut-visible"]),
    async open({ app }) {
      const folder = await mkdtemp(join(tmpdir(), "gw-carrier-"));
      const path = join(folder, "socket");
      const server = serveFastcgi(app, { listen: `unix:${path}`, ...options });
      await server.ready;
      return {
        send: (request) => send(path, request),
        async close() {
          await server.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

const nothing: Uint8Array = new Uint8Array(0);

async function send(path: string, request: ClientRequest): Promise<ClientAnswer> {
  const socket = connect(path);
  await once(socket, "connect");
  socket.on("error", () => {}); // "close" says all there is to do
  const machine = new RequesterConnection();
  const id = machine.begin();
  const output = outputOf(socket, machine);
  const variables = cgiVariables(request);
  if (request.body !== undefined && !(request.body instanceof Uint8Array)) {
    variables.set("HTTP_TRANSFER_ENCODING", "chunked"); // Apache says so, nginx is told to
  }
  socket.write(writeBeginRequest(id, "responder", false));
  socket.write(Buffer.concat(streamRecords(RecordType.params, id, writeParams(variables))));
  socket.write(writeRecord(RecordType.params, id, nothing));
  void sendInput(socket, id, request.body);
  return answerOf(output, socket);
}

async function sendInput(socket: Socket, id: number, body: ClientRequest["body"]): Promise<void> {
  const chunks = body instanceof Uint8Array ? [body] : (body ?? []);
  for await (const chunk of chunks) {
    if (socket.destroyed) return;
    for (const piece of streamRecords(RecordType.stdin, id, chunk)) {
      if (!socket.write(piece)) await drained(socket);
    }
  }
  if (!socket.destroyed) socket.write(writeRecord(RecordType.stdin, id, nothing));
}

/** Settles when more can be written, or nothing any more; leaves no listener behind. */
async function drained(socket: Socket): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race(["drain", "close"].map((event) => once(socket, event, { signal }).catch(() => {})));
  over.abort();
}

/** What the responder writes; throws if the connection ends before the request does. */
async function* outputOf(socket: Socket, machine: RequesterConnection): AsyncGenerator<Uint8Array> {
  for await (const chunk of socket as AsyncIterable<Uint8Array>) {
    for (const event of machine.feed(chunk)) {
      if (event.kind === "output") yield event.bytes;
      if (event.kind !== "end") continue;
      if (event.protocolStatus !== "complete" || event.appStatus !== 0) {
        throw new Error(`the request ended with ${event.protocolStatus}, status ${event.appStatus}`);
      }
      return;
    }
    if (machine.failure !== null) throw machine.failure;
  }
  throw new Error("the connection ended before FCGI_END_REQUEST");
}

async function answerOf(output: AsyncGenerator<Uint8Array>, socket: Socket): Promise<ClientAnswer> {
  const decoder = new HeaderBlockDecoder();
  const rest = new ByteQueue();
  let headers: HeaderList | null = null;
  while (headers === null) {
    const { done, value } = await output.next();
    if (done) return decoder.end();
    const block = decoder.feed(value);
    if (block === null) continue;
    headers = block.headers;
    rest.push(block.rest);
  }
  const kind = classifyBlock(
    headers.has("content-type") ? headers : headers.append("Content-Type", "text/plain"),
    true,
  );
  if (kind.kind === "local-redirect") throw new Error("a responder of ours has no local redirects");
  return {
    status: kind.status,
    headers: headers.has("content-type") ? kind.headers : kind.headers.without("content-type"),
    earlyHints: [],
    body: bodyOf(rest.takeAll(), output),
    trailers: () => null,
    abort: () => socket.destroy(),
  };
}

async function* bodyOf(first: Uint8Array, output: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  yield* output;
}
