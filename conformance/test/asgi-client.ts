// A Python ASGI app behind our HTTP listener, and clients that talk to it over real sockets.
import { once } from "node:events";
import { join } from "node:path";
import { type PythonAsgiOptions, pythonAsgi } from "@gw/asgi";
import { gateway } from "@gw/core";
import { type RunningServer, type ServeOptions, serve } from "@gw/http";
import { listeningContext } from "@gw-private/listening-context";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";

/** Made by `.ci/run`; CONTRIBUTING.md says how by hand. */
export const frameworksPython: string = join(import.meta.dirname, "../../node_modules/.cache/python/bin/python");

/** An app under `/app` on a port of its own. */
export interface ServedApp {
  readonly server: RunningServer;
  /** What Python and the gateway have logged. */
  readonly log: readonly string[];
  /** A request below the mount. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Opens a WebSocket below the mount. */
  open(path: string, protocols?: readonly string[], headers?: Record<string, string>): Promise<Client>;
  /** The answer to an opening that was refused. */
  refused(
    path: string,
  ): Promise<{ readonly status: number; readonly body: string; readonly headers: Record<string, unknown> }>;
  close(): Promise<void>;
}

/** Serves an app of `conformance/python/asgi`; it is closed when the test ends. */
export async function serveApp(
  name: string,
  options: PythonAsgiOptions = {},
  http: ServeOptions = {},
): Promise<ServedApp> {
  const cwd = join(import.meta.dirname, "../python/asgi");
  const { context, log } = listeningContext();
  const app = pythonAsgi(name, { cwd, python: frameworksPython, workers: 1, ...options });
  const server = serve(gateway().mount("/app", app), { bind: "127.0.0.1:0", idleGraceMs: 0, context, ...http });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (!isClosed) await server.close();
    isClosed = true;
  };
  onTestFinished(close);
  await server.ready;
  const socketUrl = (path: string): string => `${server.url.replace("http", "ws")}/app${path}`;
  return {
    server,
    log,
    close,
    fetch: (path, init) => fetch(`${server.url}/app${path}`, { redirect: "manual", ...init }),
    async open(path, protocols = [], headers = {}) {
      const socket = new WebSocket(socketUrl(path), [...protocols], { headers });
      const client = new Client(socket);
      await once(socket, "open");
      return client;
    },
    async refused(path) {
      const socket = new WebSocket(socketUrl(path));
      socket.on("error", () => {});
      const [, answer] = await once(socket, "unexpected-response");
      let body = "";
      for await (const chunk of answer) body += chunk;
      return { status: answer.statusCode, body, headers: answer.headers };
    },
  };
}

/** The client's end of a WebSocket: messages in their order. */
export class Client {
  readonly socket: WebSocket;
  readonly #messages: (string | Uint8Array)[] = [];
  #wake: () => void = () => {};
  /** Code and reason of the end. */
  readonly closed: Promise<readonly [code: number, reason: string]>;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("message", (data, isBinary) => {
      this.#messages.push(isBinary ? new Uint8Array(data as Buffer) : String(data));
      this.#wake();
    });
    this.closed = new Promise((resolve) => socket.once("close", (code, reason) => resolve([code, String(reason)])));
  }

  send(message: string | Uint8Array): void {
    this.socket.send(message);
  }

  /** The next message; rejects when the socket closes before one comes. */
  async receive(): Promise<string | Uint8Array> {
    while (this.#messages.length === 0) {
      const message = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const end = await Promise.race([message, this.closed]);
      if (end !== undefined && this.#messages.length === 0) throw new Error(`closed with ${end.join(" ")}`);
    }
    return this.#messages.shift() as string | Uint8Array;
  }
}
