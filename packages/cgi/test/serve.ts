// A bare HTTP carrier for tests that need a real client: curl, git, a socket that goes away.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import {
  type AppContext,
  type AppSource,
  createContext,
  emptyState,
  HeaderList,
  type HttpRequest,
  incomingBody,
  OpenExchange,
  type Outcome,
  parseTarget,
  pumpBody,
  Runtime,
} from "@gw/core";
import { onTestFinished } from "vitest";

/** A server on 127.0.0.1 that ends with the test. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** How the exchanges ended, in that order. */
  readonly outcomes: readonly Outcome[];
}

/** Serves an app until the test is finished. */
export async function serveApp(app: AppSource, context: AppContext = createContext()): Promise<TestServer> {
  const runtime = new Runtime(app, { context });
  await runtime.start();
  const outcomes: Outcome[] = [];
  const server = createServer((incoming, outgoing) => void exchangeOf(runtime, incoming, outgoing, outcomes));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await runtime.stop(AbortSignal.timeout(1_000));
  });
  return { url: `http://127.0.0.1:${port}`, port, outcomes };
}

async function exchangeOf(
  runtime: Runtime,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  outcomes: Outcome[],
): Promise<void> {
  const gone = new AbortController();
  outgoing.on("close", () => {
    if (!outgoing.writableFinished) gone.abort(new Error("the client left"));
  });
  const exchange = new OpenExchange(runtime);
  const answer = await runtime.answer(toRequest(incoming, exchange, gone.signal));
  if (answer.kind === "accept") throw new TypeError("no sockets here");
  const outcome = (result: Outcome["result"], error: unknown = null): void => {
    const ended: Outcome = { status: answer.status, bytesSent: 0, result, error };
    outcomes.push(ended);
    exchange.end(ended);
  };
  outgoing.writeHead(answer.status, [...answer.headers.toFlat()]);
  outgoing.flushHeaders();
  try {
    if (incoming.method === "HEAD" || answer.body === null) await answer.close?.();
    else await pumpBody(answer, { write: (chunk) => write(outgoing, chunk), signal: gone.signal });
    await pipeline([], outgoing);
    outcome("sent");
  } catch (error) {
    outgoing.destroy();
    outcome(gone.signal.aborted ? "gone" : "cut", error);
  }
}

function write(outgoing: ServerResponse, chunk: Uint8Array): undefined | Promise<void> {
  if (outgoing.write(chunk)) return undefined;
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off("drain", done).off("close", done);
      resolve();
    };
    outgoing.on("drain", done).on("close", done);
  });
}

function toRequest(incoming: IncomingMessage, exchange: OpenExchange, signal: AbortSignal): HttpRequest {
  const { path, query } = parseTarget(incoming.url ?? "/", incoming.method ?? "GET");
  const headers = HeaderList.fromWire(incoming.rawHeaders);
  const announced = headers.get("content-length");
  const length = headers.has("transfer-encoding") ? null : Number(announced ?? 0);
  return {
    kind: "http",
    method: incoming.method ?? "GET",
    scheme: "http",
    target: incoming.url ?? "/",
    mount: "",
    path,
    query,
    protocol: `HTTP/${incoming.httpVersion}`,
    headers,
    body: incomingBody({ length, exchange, open: () => incoming }),
    client: { host: "127.0.0.1", port: incoming.socket.remotePort ?? 0 },
    server: { host: "127.0.0.1", port: incoming.socket.localPort ?? 0 },
    tls: null,
    principal: null,
    params: new Map(),
    state: emptyState,
    signal,
    exchange,
  };
}
