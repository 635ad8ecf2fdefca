// One call of a (req, res) function: the request written to its socket, the answer read from it.
import { IncomingMessage, type ServerResponse } from "node:http";
import {
  byteStringToBytes,
  GatewayError,
  type HeaderList,
  type HttpRequest,
  type HttpResponse,
  isToken,
  rawPath,
  withoutHopByHop,
} from "@gw/core";
import { AnswerBody } from "./answer-body.ts";
import { MemorySocket } from "./memory-socket.ts";
import { type ResponseEvent, ResponseReader } from "./response-reader.ts";

/** A request under way in the inner server. */
export class NodeCall {
  /** The answer, once its head has been written; its body follows at the reader's pace. */
  readonly answer: Promise<HttpResponse>;
  readonly #request: HttpRequest;
  readonly #socket: MemorySocket;
  readonly #reader: ResponseReader;
  readonly #body: AnswerBody;
  #isBodyOpen = false;
  #trailers: HeaderList | null = null;
  #resolve: (answer: HttpResponse) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(request: HttpRequest) {
    this.#request = request;
    this.#reader = new ResponseReader(request.method === "HEAD");
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#socket = new MemorySocket(request, {
      onWrite: (bytes, done) => this.#onWrite(bytes, done),
      onEnd: () => this.#onEnd(),
      onClose: () => this.#onClose(),
    });
    this.#body = new AnswerBody(() => this.#socket.destroy());
  }

  /** Gives the request to the inner server. */
  start(connect: (socket: MemorySocket, call: NodeCall) => void): void {
    const { signal } = this.#request;
    const onAbort = (): void => void this.#socket.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#socket.once("close", () => signal.removeEventListener("abort", onAbort));
    connect(this.#socket, this);
    this.#socket.push(byteStringToBytes(headOf(this.#request)));
  }

  /** Sets what frameworks expect beside the message itself. */
  describe(req: IncomingMessage, res: ServerResponse): void {
    const { target, mount } = this.#request;
    Object.assign(req, { originalUrl: target }, mount !== "" && { baseUrl: mount });
    // The client is told to send its body when the function reads it (R-H8). On the message itself: Express changes its prototype.
    req._read = (size) => {
      this.#openBody();
      IncomingMessage.prototype._read.call(req, size);
    };
    res.once("finish", () => this.#socket.destroy()); // one request for each socket
  }

  /** The function reads the body: begin to send it. */
  #openBody(): void {
    if (this.#isBodyOpen || this.#request.body.length === 0 || this.#reader.isDone) return;
    this.#isBodyOpen = true;
    this.#sendBody().catch((error: unknown) => this.fail(error));
  }

  /** Something went wrong: before the head it is the answer's error, after it the body's. */
  fail(error: unknown): void {
    if (this.#reader.isDone) {
      this.#request.exchange.log.error({ err: error }, "a node handler failed after its answer");
      return;
    }
    this.#reject(error);
    this.#body.fail(error);
    this.#socket.destroy();
  }

  async #sendBody(): Promise<void> {
    const { body } = this.#request;
    const socket = this.#socket;
    const isChunked = body.length === null;
    for await (const chunk of body) {
      if (socket.destroyed || this.#reader.isDone) return;
      if (chunk.length === 0) continue;
      if (isChunked) socket.push(`${chunk.length.toString(16)}\r\n`, "latin1");
      let isWanted = socket.push(chunk);
      if (isChunked) isWanted = socket.push("\r\n", "latin1");
      if (!isWanted) await socket.wanted();
    }
    if (isChunked && !socket.destroyed) socket.push("0\r\n\r\n", "latin1");
  }

  #onWrite(bytes: Uint8Array, done: () => void): void {
    for (const event of this.#reader.feed(bytes)) this.#onEvent(event);
    this.#body.whenRead(done);
  }

  #onEvent(event: ResponseEvent): void {
    if (event.type === "data") this.#body.push(event.bytes);
    else if (event.type === "end") {
      this.#trailers = event.trailers;
      this.#body.end();
    } else if (event.status >= 200) this.#answer(event.status, event.headers);
    else if (event.status === 103) this.#request.exchange.inform?.(withoutHopByHop(event.headers));
  }

  #answer(status: number, headers: HeaderList): void {
    const trailers = headers.has("trailer") ? { trailers: () => this.#trailers } : {};
    const kept = withoutHopByHop(headers);
    // What has come by the next turn of the microtasks came in one write: most answers are whole then.
    queueMicrotask(() => {
      const isWhole = this.#reader.isDone && !headers.has("trailer");
      const body = isWhole ? this.#body.takeAll() : this.#body;
      this.#resolve({
        kind: "response",
        status,
        headers: kept,
        body: body instanceof Uint8Array && body.length === 0 ? null : body,
        ...trailers,
        ...(!isWhole && { close: () => void this.#socket.destroy() }),
      });
    });
  }

  #onEnd(): void {
    try {
      for (const event of this.#reader.end()) this.#onEvent(event);
    } catch (error) {
      this.fail(error);
    }
  }

  #onClose(): void {
    if (!this.#reader.isDone)
      this.fail(
        new GatewayError("GW_HTTP_ANSWER_CUT", 502, "the node handler closed its connection inside its answer"),
      );
  }
}

/** The head as the inner server reads it: the path under the mount, one clear framing, nothing of the outer connection. */
function headOf(request: HttpRequest): string {
  const { method, query, headers, body } = request;
  if (!isToken(method)) throw new GatewayError("GW_HTTP_METHOD", 405, `${JSON.stringify(method)} is no method`);
  const url = `${rawPath(request) || "/"}${query === "" ? "" : `?${query}`}`;
  let head = `${method} ${url} HTTP/1.1\r\n`;
  for (const [name, value] of withoutHopByHop(headers)) {
    const isOurs = /^(?:content-length|expect)$/i.test(name);
    if (!isOurs && isToken(name)) head += `${name}: ${value}\r\n`;
  }
  if (body.length === null) head += "Transfer-Encoding: chunked\r\n";
  else if (body.length > 0 || headers.has("content-length")) head += `Content-Length: ${body.length}\r\n`;
  return `${head}\r\n`;
}
