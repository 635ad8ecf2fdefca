// One HTTP/1.x request and its answer: node:http's objects on one side, the model on the other.
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type Answer,
  checkResponseHead,
  discard,
  emptyBody,
  emptyState,
  errorAnswer,
  GatewayError,
  HeaderList,
  type HttpRequest,
  type HttpResponse,
  incomingBody,
  isBodilessStatus,
  isPromise,
  pumpBody,
  type RequestBody,
} from "@gw/core";
import { BodyTimer } from "./body-timer.ts";
import { HttpExchange } from "./exchange.ts";
import { Http1Body } from "./http1-body.ts";
import type { Http1Connection } from "./http1-connection.ts";
import type { RequestFacts } from "./request-rules.ts";
import { linesWithLength } from "./sendable-head.ts";

/** Up to this size a body is sent as one string with its head: Node joins strings, but not bytes, into one write. */
const JOINED_BYTES = 16_384;

/** What of a body may be left unread without a second thought: one read of the socket. */
const NEGLIGIBLE_BYTES = 65_536;

/** How far an exchange is: with the app, sending chunks, throwing away the rest of the request, all handed over. */
type Step = "asking" | "streaming" | "draining" | "written";

/** The exchange of one HTTP/1.x request. */
export class Http1Exchange extends HttpExchange {
  readonly #connection: Http1Connection;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  /** Bytes of the request's body; `null`: chunked. */
  readonly #length: number | null;
  /** The client sends its body only when asked to (R-H8). */
  #isUnasked: boolean;
  #body: Http1Body | null = null;
  #bodyTimer: BodyTimer | null = null;
  #request: HttpRequest | null = null;
  #step: Step = "asking";
  #status = 0;
  #bytesSent = 0;

  constructor(
    connection: Http1Connection,
    req: IncomingMessage,
    res: ServerResponse,
    length: number | null,
    isUnasked: boolean,
  ) {
    super(connection.state.generation);
    this.#connection = connection;
    this.#req = req;
    this.#res = res;
    this.#length = length;
    this.#isUnasked = isUnasked;
  }

  /** Asks the app and sends its answer. */
  run({ path, query, scheme, headers, client, server }: RequestFacts): void {
    const req = this.#req;
    const request: HttpRequest = {
      kind: "http",
      method: req.method as string,
      scheme,
      target: req.url as string,
      mount: "",
      path,
      query,
      protocol: req.httpVersionMinor === 1 ? "HTTP/1.1" : "HTTP/1.0",
      headers,
      body: this.#length === 0 ? emptyBody : this.#incomingBody(),
      client,
      server,
      tls: this.#connection.tls,
      principal: null,
      params: noParams,
      state: emptyState,
      signal: this.controller.signal,
      exchange: this,
    };
    this.#request = request;
    const answer = this.generation.runtime.answer(request);
    if (isPromise(answer)) answer.then((value) => this.#send(value));
    else this.#send(answer);
  }

  /** Sends 103 Early Hints; does nothing once the head is out, or for HTTP/1.0, which knows no 1xx (RFC 9110 §15.2). */
  inform(headers: HeaderList): void {
    const res = this.#res;
    if (this.#req.httpVersionMinor !== 1 || res.headersSent || this.controller.signal.aborted) return;
    checkResponseHead({ kind: "response", status: 200, headers, body: null });
    const hints: Record<string, string | string[]> = {};
    for (const [name] of headers) hints[name.toLowerCase()] = headers.getAll(name);
    res.writeEarlyHints(hints as Parameters<ServerResponse["writeEarlyHints"]>[0]);
  }

  /** The peer is gone. */
  abort(): void {
    if (this.isOver) return;
    this.failBody(new GatewayError("GW_BODY_CUT", 400, "the client went away inside the request body"));
    this.controller.abort(new GatewayError("GW_HTTP_GONE", 499, "the client went away"));
    // With the app or in the pump the end comes by itself; afterwards there is nobody left to bring it.
    if (this.#step === "draining" || this.#step === "written") this.#endEarly("gone", null);
  }

  /** The request's body ends here, in an error. */
  failBody(error: unknown): void {
    this.#body?.fail(error);
  }

  /** Looks at the time limits; `forMs` since the connection's present phase began. */
  check(nowMs: number, forMs: number): void {
    const { limits } = this.#connection.state;
    const body = this.#body;
    if (this.#step === "draining") {
      if (forMs > limits.bodyTimeoutMs) this.#connection.closeGently();
    } else if (body?.isOpen === true) {
      this.#bodyTimer ??= new BodyTimer(nowMs);
      const tooSlow = this.#bodyTimer.check(body, nowMs, limits);
      if (tooSlow !== null) this.#connection.failBody(tooSlow);
    }
  }

  #incomingBody(): RequestBody {
    const body = new Http1Body(this.#req);
    this.#body = body;
    return incomingBody({
      length: this.#length,
      exchange: this,
      open: () => {
        if (this.#isUnasked && !this.#res.headersSent) this.#res.writeContinue();
        this.#isUnasked = false;
        return body;
      },
      ...(this.#length === null && { trailers: async () => HeaderList.fromWire(this.#req.rawTrailers) }),
    });
  }

  #send(given: Answer): void {
    const answer = this.#sendable(given);
    this.#status = answer.status;
    if (this.controller.signal.aborted) {
      this.#close(answer);
      return this.#endEarly("gone", null);
    }
    if (this.#connection.isLast) this.#res.shouldKeepAlive = false;
    const { body, status } = answer;
    const hasBody = this.#req.method !== "HEAD" && !isBodilessStatus(status);
    if (!hasBody) this.#sendWhole(answer, null);
    else if (body === null || body instanceof Uint8Array) this.#sendWhole(answer, body);
    else this.#sendStream(answer);
  }

  /** The answer, or a 500 in its place if it cannot be sent (R-H5). */
  #sendable(answer: Answer): HttpResponse {
    try {
      if (answer.kind !== "response") throw notASocket();
      checkResponseHead(answer);
      return answer;
    } catch (error) {
      this.#close(answer);
      return errorAnswer(error, this.#request as HttpRequest);
    }
  }

  #sendWhole(answer: HttpResponse, body: Uint8Array | null): void {
    const res = this.#res;
    const isUnread = this.#length !== 0 && this.#leavesMuchUnread();
    if (isUnread) res.shouldKeepAlive = false;
    res.writeHead(answer.status, linesOf(answer, this.#req.method === "HEAD") as string[]);
    this.#bytesSent = body === null ? 0 : body.length;
    if (isUnread) this.#endAfterDrain(body);
    else {
      if (body === null || body.length === 0) res.end();
      else if (body.length <= JOINED_BYTES) res.end(latin1Slice.call(body, 0, body.length), "latin1");
      else res.end(body);
      this.#settle();
    }
    if (answer.close !== undefined) this.#close(answer);
  }

  /** Whether what is left of the request's body may be more than is thrown away as a matter of course. */
  #leavesMuchUnread(): boolean {
    if (this.#isUnasked || this.#req.complete) return false; // unasked: node:http closes the connection after the answer
    return this.#length === null || this.#length - (this.#body?.receivedBytes ?? 0) > NEGLIGIBLE_BYTES;
  }

  /**
   * Sends an answer to a request whose body nobody wants, then reads that body and throws it away, within limits.
   *
   * Closing at once would reset the connection under the client's hands, and it might never see the answer (RFC 9112 §9.6).
   */
  #endAfterDrain(body: Uint8Array | null): void {
    const res = this.#res;
    const connection = this.#connection;
    this.#step = "draining";
    if (body !== null && body.length > 0) res.write(body);
    else res.flushHeaders();
    connection.beginDrain();
    this.#body?.drain({
      maxBytes: connection.state.limits.maxUnreadBodyBytes,
      onEnd: () => {
        res.end();
        this.#settle();
      },
      onTooLong: () => connection.closeGently(),
    });
  }

  #sendStream(answer: HttpResponse): void {
    const res = this.#res;
    this.#step = "streaming";
    res.writeHead(answer.status, answer.headers.toFlat() as string[]);
    setImmediate(() => {
      // A first chunk that takes its time must not hold back the head.
      if (this.#bytesSent === 0 && !this.isOver) res.flushHeaders();
    });
    pumpBody(answer, { write: (chunk) => this.#write(chunk), signal: this.controller.signal }).then(
      ({ trailers }) => this.#endStream(trailers),
      (error: unknown) => this.#cut(error),
    );
  }

  #write(chunk: Uint8Array): void | Promise<void> {
    this.#bytesSent += chunk.length;
    if (this.#res.write(chunk)) return;
    this.#connection.watchWrites();
    return new Promise((resolve) => {
      this.#res.once("drain", () => {
        this.#connection.unwatchWrites();
        resolve();
      });
    });
  }

  #endStream(trailers: HeaderList | null): void {
    const res = this.#res;
    if (trailers !== null && res.chunkedEncoding) res.addTrailers([...trailers] as [string, string][]);
    const isUnread = this.#length !== 0 && this.#leavesMuchUnread();
    res.end();
    if (isUnread) res.once("finish", () => this.#connection.closeGently());
    this.#settle();
  }

  /** The answer broke off after its head: the client must see that it is not whole (R-W5). */
  #cut(error: unknown): void {
    if (this.controller.signal.aborted) return this.#endEarly("gone", null);
    this.log.error({ err: error }, "the answer broke off");
    this.#endEarly("cut", error);
    this.#connection.cut();
  }

  #close(answer: Answer): void {
    const failed = (error: unknown): void => this.log.error({ err: error }, "closing an answer failed");
    try {
      const closing = discard(answer);
      if (isPromise(closing)) this.generation.runtime.track(closing.catch(failed));
    } catch (error) {
      failed(error);
    }
  }

  /** Ends the exchange once the system has taken all bytes: for small answers, at once. */
  #settle(): void {
    this.#step = "written";
    const { socket } = this.#connection;
    if (this.#res.socket === socket && socket.writableLength === 0 && !socket.destroyed) {
      this.endSent(this.#status, this.#bytesSent);
      this.#connection.next();
      return;
    }
    this.#connection.watchWrites();
    this.#res.once("finish", () => {
      this.#connection.unwatchWrites();
      this.endSent(this.#status, this.#bytesSent);
      this.#connection.next();
    });
  }

  #endEarly(result: "cut" | "gone", error: unknown): void {
    this.end({ status: this.#status, bytesSent: this.#bytesSent, result, error });
  }
}

const noParams: ReadonlyMap<string, string> = new Map();

/** The field lines to write. A length is added where we know it; HEAD may only be told the length GET would have. */
function linesOf({ status, headers, body }: HttpResponse, isHead: boolean): readonly string[] {
  if (isBodilessStatus(status)) return headers.toFlat();
  if (body instanceof Uint8Array) return linesWithLength(headers, body.length);
  return body === null && !isHead ? linesWithLength(headers, 0) : headers.toFlat();
}

function notASocket(): GatewayError {
  return new GatewayError("GW_HTTP_NOT_A_SOCKET", 500, "the answer accepts a WebSocket, but the request opened none");
}

type Latin1Slice = (this: Uint8Array, start: number, end: number) => string;
const latin1Slice = (Buffer.prototype as unknown as { latin1Slice: Latin1Slice }).latin1Slice;
