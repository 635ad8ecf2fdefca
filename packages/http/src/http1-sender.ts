// The answer of one HTTP/1.x exchange on its way out, and what becomes of a request body nobody wanted.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import {
  type HeaderList,
  type HttpResponse,
  hasExclusiveChunks,
  isBodilessStatus,
  pumpBody,
  type TlsInfo,
} from "@gw/core";
import { giveBack } from "@gw/core/node";
import { HttpExchange, peerGone } from "./exchange.ts";
import type { Generation } from "./generation.ts";
import type { HttpLimits } from "./limits.ts";
import { refuse } from "./refusal.ts";
import { linesOf } from "./sendable-head.ts";
import type { StreamBody } from "./stream-body.ts";

/** The connection as its exchange sees it. */
export interface Http1Link {
  readonly limits: HttpLimits;
  readonly socket: Socket;
  readonly tls: TlsInfo | null;
  /** Whether node:http's objects are in no other hands than ours. */
  readonly isOurs: boolean;
  /** Whether the answer under way is to be the last one. */
  readonly isLast: boolean;
  /** The answer under way says that it is the last one: what else arrives is no request. */
  takeNoMore(): void;
  /** Gives the head to node:http; `lines` as `[name, value, …]`. */
  writeHead(res: ServerResponse, status: number, lines: readonly string[]): void;
  /** The exchange is over. */
  next(): void;
  /** From now on the client is cut off if it takes nothing for `writeTimeoutMs`. */
  watchWrites(): void;
  /** The client has taken everything. */
  unwatchWrites(): void;
  /** What arrives from now on is thrown away. */
  beginDrain(): void;
  /** The request's body ends here, in an error. */
  failBody(error: unknown): void;
  /** Ends our side, and leaves the client a moment to read what was sent. */
  closeGently(): void;
  /** Cuts the connection. */
  cut(): void;
}

/** Up to this size a body is sent as one string with its head: Node joins strings, but not bytes, into one write. */
const JOINED_BYTES = 16_384;

/** What of a body may be left unread without a second thought: one read of the socket. */
const NEGLIGIBLE_BYTES = 65_536;

/** How far an exchange is: with the app, sending chunks, throwing away the rest of the request, all handed over. */
type Step = "asking" | "streaming" | "draining" | "written";

/** What an HTTP/1.x exchange works on. */
export interface Http1Parts {
  readonly link: Http1Link;
  readonly generation: Generation;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** The sending half of an HTTP/1.x exchange. */
export abstract class Http1Sender extends HttpExchange {
  protected readonly link: Http1Link;
  protected req: IncomingMessage;
  protected res: ServerResponse;
  /** Bytes of the request's body; `null`: chunked. */
  protected readonly bodyLength: number | null;
  /** The body, if there is one. */
  protected body: StreamBody | null = null;
  /** The client sends its body only when asked to (R-H8). */
  protected isUnasked: boolean;
  protected step: Step = "asking";
  #status = 0;
  #bytesSent = 0;

  constructor({ link, generation, req, res }: Http1Parts, bodyLength: number | null, isUnasked: boolean) {
    super(generation);
    this.link = link;
    this.req = req;
    this.res = res;
    this.bodyLength = bodyLength;
    this.isUnasked = isUnasked;
  }

  /** Looks at the time limits; `forMs` since the connection's present phase began. */
  abstract check(nowMs: number, forMs: number): void;

  /** The peer is gone. */
  abort(): void {
    if (this.isOver) return;
    this.controller.abort(peerGone());
    // With the app or in the pump the end comes by itself; afterwards there is nobody left to bring it.
    if (this.step === "draining") this.endSent(this.#status, this.#bytesSent);
    else if (this.step === "written") this.#endEarly("gone", null);
  }

  /** The request's body ends here, in an error. */
  failBody(error: unknown): void {
    this.body?.fail(error);
    if (this.step === "draining") this.link.closeGently();
  }

  /** Sends an answer that was checked. */
  protected send(answer: HttpResponse): void {
    this.#status = answer.status;
    if (this.isGone) {
      this.closeAnswer(answer);
      this.#endEarly("gone", null);
      return;
    }
    if (this.link.isLast || this.body?.hasFailed === true) {
      this.res.shouldKeepAlive = false;
      this.link.takeNoMore();
    }
    const { body } = answer;
    if (this.req.method === "HEAD" || isBodilessStatus(answer.status)) this.#sendWhole(withoutTrailers(answer), null);
    else if (answer.trailers !== undefined)
      this.#sendStream(this.#canSendTrailers(answer) ? answer : withoutTrailers(answer));
    else if (body === null || body instanceof Uint8Array) this.#sendWhole(answer, body);
    else this.#sendStream(answer);
  }

  /** Trailers need chunks (RFC 9112 §7.1.2): not in HTTP/1.0, not with a length. */
  #canSendTrailers({ headers }: HttpResponse): boolean {
    return this.req.httpVersionMinor === 1 && !headers.has("content-length");
  }

  /** Sending failed where it must not: the client gets a 500, or sees that the answer is not whole. */
  protected breakOff(error: unknown): void {
    this.log.error({ err: error }, "the answer could not be sent");
    if (!this.isOver) this.#endEarly("cut", error);
    if (this.res.headersSent) this.link.cut();
    else refuse(this.res, error);
  }

  #sendWhole(answer: HttpResponse, body: Uint8Array | null): void {
    const { res } = this;
    const isUnread = this.bodyLength !== 0 && this.#leavesMuchUnread();
    if (isUnread) res.shouldKeepAlive = false;
    this.link.writeHead(res, answer.status, linesOf(answer, this.req.method === "HEAD"));
    this.#bytesSent = body === null ? 0 : body.length;
    if (isUnread) this.#endAfterDrain(body);
    else {
      if (body === null || body.length === 0) res.end();
      else if (body.length <= JOINED_BYTES) res.end(latin1Slice.call(body, 0, body.length), "latin1");
      else res.end(body);
      this.#settle();
    }
    if (answer.close !== undefined) this.closeAnswer(answer);
  }

  /** Whether what is left of the request's body may be more than is thrown away as a matter of course. */
  #leavesMuchUnread(): boolean {
    if (this.isUnasked || this.req.complete || this.body?.hasFailed === true) return false; // these close the connection anyway
    return this.bodyLength === null || this.bodyLength - (this.body?.receivedBytes ?? 0) > NEGLIGIBLE_BYTES;
  }

  /**
   * Sends an answer to a request whose body nobody wants, then reads that body and throws it away, within limits (R-H8).
   *
   * Closing at once would reset the connection under the client's hands, and it might never see the answer (RFC 9112 §9.6).
   */
  #endAfterDrain(body: Uint8Array | null): void {
    const { res, link } = this;
    this.step = "draining";
    if (body !== null && body.length > 0) res.write(body);
    else res.flushHeaders();
    const maxBytes = link.limits.maxUnreadBodyBytes;
    if (this.bodyLength !== null && this.bodyLength - (this.body?.receivedBytes ?? 0) > maxBytes) {
      link.closeGently();
      return;
    }
    link.beginDrain();
    this.body?.drain({
      maxBytes,
      onEnd: () => {
        res.end();
        this.#settle();
      },
      onTooLong: () => link.closeGently(),
    });
  }

  #sendStream(answer: HttpResponse): void {
    const { res } = this;
    this.step = "streaming";
    this.link.writeHead(res, answer.status, answer.headers.toFlat());
    setImmediate(() => {
      // A first chunk that takes its time must not hold back the head.
      if (this.#bytesSent === 0 && !this.isOver) res.flushHeaders();
    });
    const isExclusive = this.link.isOurs && hasExclusiveChunks(answer.body as object | null);
    pumpBody(answer, { write: (chunk) => this.#write(chunk, isExclusive), signal: this.controller.signal }).then(
      ({ trailers }) => this.#endStream(trailers),
      (error: unknown) => this.#cut(error, answer),
    );
  }

  #write(chunk: Uint8Array, isExclusive: boolean): void | Promise<void> {
    this.#bytesSent += chunk.length;
    const hasRoom = isExclusive
      ? this.res.write(chunk, (error) => error == null && giveBack(chunk))
      : this.res.write(chunk);
    if (hasRoom) return;
    this.link.watchWrites();
    return new Promise((resolve) => {
      this.res.once("drain", () => {
        this.link.unwatchWrites();
        resolve();
      });
    });
  }

  #endStream(trailers: HeaderList | null): void {
    const { res } = this;
    if (trailers !== null && res.chunkedEncoding) res.addTrailers([...trailers] as [string, string][]);
    const isUnread = this.bodyLength !== 0 && this.#leavesMuchUnread();
    res.end();
    if (isUnread) res.once("finish", () => this.link.closeGently());
    this.#settle();
  }

  /** The answer broke off after its head: the client must see that it is not whole (R-W5). */
  #cut(error: unknown, { headers }: HttpResponse): void {
    if (this.isGone) {
      this.#endEarly("gone", null);
      return;
    }
    this.log.error({ err: error }, "the answer broke off");
    this.#endEarly("cut", error);
    // With a length or chunks, what was written may still leave: the end is missing all the same. Without either, the
    // end of the connection would look like the end of the body.
    if (this.res.chunkedEncoding || headers.has("content-length")) this.link.closeGently();
    else this.link.cut();
  }

  /** Ends the exchange once the system has taken all bytes: for small answers, at once. */
  #settle(): void {
    this.step = "written";
    const { socket } = this.link;
    if (this.res.socket === socket && socket.writableLength === 0 && !socket.destroyed) {
      this.endSent(this.#status, this.#bytesSent);
      this.link.next();
      return;
    }
    this.link.watchWrites();
    this.res.once("finish", () => {
      // Node 20 says so even when the socket was destroyed before all was written.
      if (socket.destroyed && !socket.writableFinished) return this.#endEarly("gone", null);
      this.link.unwatchWrites();
      this.endSent(this.#status, this.#bytesSent);
      this.link.next();
    });
  }

  #endEarly(result: "cut" | "gone", error: unknown): void {
    this.end({ status: this.#status, bytesSent: this.#bytesSent, result, error });
  }
}

function withoutTrailers(answer: HttpResponse): HttpResponse {
  if (answer.trailers === undefined) return answer;
  const { trailers: _unsent, ...rest } = answer;
  return { ...rest, headers: answer.headers.without("trailer") };
}

type Latin1Slice = (this: Uint8Array, start: number, end: number) => string;
const latin1Slice = (Buffer.prototype as unknown as { latin1Slice: Latin1Slice }).latin1Slice;
