// The answer of one HTTP/2 exchange on its way out: a stream of node:http2 and its end.
import { constants, type ServerHttp2Stream } from "node:http2";
import { GatewayError, HeaderList, type HttpResponse, isBodilessStatus, pumpBody } from "@gw/core";
import { LINGER_MS } from "./connection.ts";
import { HttpExchange, peerGone } from "./exchange.ts";
import type { Http2Connection, StreamExchange } from "./http2-connection.ts";
import { fieldsOf, toFields } from "./http2-head.ts";
import type { StreamBody } from "./stream-body.ts";

/** Stands for the reason, which is logged: node:http2 makes INTERNAL_ERROR of any. */
const CUT = new Error("the answer broke off");

/** Larger bodies go out in slices of this size, so that a client that stops reading is noticed. */
const SLICE_BYTES = 65_536;

/** The sending half of an HTTP/2 exchange. It ends when its stream closes. */
export class Http2Sender extends HttpExchange implements StreamExchange {
  protected readonly connection: Http2Connection;
  protected readonly stream: ServerHttp2Stream;
  /** The request's body, if there is one. */
  protected body: StreamBody | null = null;
  #isHead = false;
  #status = 0;
  #bytesSent = 0;
  #error: unknown = null;
  #isPumping = false;
  #isAnswered = false;
  /** Whether something is written that the client has not taken, and since when it was seen so. */
  #isStalled = false;
  #stalledMs: number | null = null;

  constructor(connection: Http2Connection, stream: ServerHttp2Stream) {
    super(connection.state.generation);
    this.connection = connection;
    this.stream = stream;
  }

  /** The stream has closed, one way or the other. */
  onClose(): void {
    if (this.isOver) return;
    if (this.#isAnswered && this.stream.writableFinished && this.stream.rstCode === constants.NGHTTP2_NO_ERROR) {
      this.endSent(this.#status, this.#bytesSent);
      return;
    }
    this.endBody();
    if (this.#error === null) this.controller.abort(peerGone());
    // With the app or in the pump the end comes by itself.
    if (this.#status !== 0 && !this.#isPumping) this.#endEarly();
  }

  /** No more of the request's body will come. */
  endBody(): void {
    this.body?.fail(new GatewayError("GW_BODY_CUT", 400, "the client went away inside the request body"));
  }

  /**
   * Cuts the stream: the client sees that the answer is not whole (R-W5).
   *
   * Not with `stream.close(code)`: that ends the stream first, and an ended stream is closed before it can be reset.
   */
  cut(): void {
    this.stream.destroy(CUT);
  }

  /** Looks at the time limits. */
  check(nowMs: number): void {
    if (!this.#isStalled) {
      this.#stalledMs = null;
      return;
    }
    const { writeTimeoutMs } = this.connection.state.limits;
    this.#stalledMs ??= nowMs;
    const forMs = nowMs - this.#stalledMs;
    // After an error of the peer's, Node 20 may leave the connection open and its streams stuck.
    if (forMs > writeTimeoutMs + LINGER_MS) this.connection.cut();
    else if (forMs > writeTimeoutMs) this.stream.close(constants.NGHTTP2_CANCEL);
  }

  /** Sends an answer that was checked. */
  protected send(answer: HttpResponse, isHead: boolean): void {
    const { status, body } = answer;
    this.#status = status;
    this.#isHead = isHead;
    if (this.stream.closed || this.stream.destroyed) {
      this.closeAnswer(answer);
      this.#endEarly();
      return;
    }
    if (isHead || isBodilessStatus(status)) this.#sendWhole(answer, null);
    else if (answer.trailers !== undefined) this.#sendStream(answer);
    else if (body === null) this.#sendWhole(answer, null);
    else if (body instanceof Uint8Array && body.length <= SLICE_BYTES) this.#sendWhole(answer, body);
    else this.#sendStream(answer);
  }

  /** Sending failed where it must not, over a field that may come once only for example: a 500, or a visible cut. */
  protected breakOff(error: unknown): void {
    this.log.error({ err: error }, "the answer could not be sent");
    if (this.stream.headersSent || this.stream.closed) {
      this.#error = error;
      this.cut();
      this.#endEarly();
      return;
    }
    this.stream.respond({ ":status": 500 }, END_STREAM);
    this.#status = 500;
    this.#finish();
  }

  #sendWhole(answer: HttpResponse, body: Uint8Array | null): void {
    const { stream } = this;
    const isEmpty = body === null || body.length === 0;
    stream.respond(fieldsOf(answer, this.#isHead), isEmpty ? END_STREAM : undefined);
    if (!isEmpty) {
      this.#bytesSent = body.length;
      this.#isStalled = true; // until the stream closes
      stream.end(body);
    }
    this.#finish();
    if (answer.close !== undefined) this.closeAnswer(answer);
  }

  #sendStream(answer: HttpResponse): void {
    const { stream } = this;
    const { body } = answer;
    stream.respond(fieldsOf(answer, false), { waitForTrailers: answer.trailers !== undefined });
    this.#isPumping = true;
    const sliced = body instanceof Uint8Array ? { ...answer, body: slices(body) } : answer;
    pumpBody(sliced, { write: (chunk) => this.#write(chunk), signal: this.controller.signal }).then(
      ({ trailers }) => this.#endStream(answer, trailers),
      (error: unknown) => this.#cutShort(error),
    );
  }

  #write(chunk: Uint8Array): void | Promise<void> {
    this.#bytesSent += chunk.length;
    if (this.stream.write(chunk)) return;
    this.#isStalled = true;
    return new Promise((resolve) => {
      this.stream.once("drain", () => {
        this.#isStalled = false;
        resolve();
      });
    });
  }

  #endStream(answer: HttpResponse, trailers: HeaderList | null): void {
    const { stream } = this;
    this.#isPumping = false;
    if (answer.trailers !== undefined) {
      stream.once("wantTrailers", () => this.#sendTrailers(trailers ?? HeaderList.empty));
    }
    this.#isStalled = true;
    stream.end();
    this.#finish();
    if (stream.destroyed) this.#endEarly();
  }

  /** node:http2 refuses more than our check does, such as a date that comes twice; nobody would catch it here. */
  #sendTrailers(trailers: HeaderList): void {
    try {
      this.stream.sendTrailers(toFields(trailers));
    } catch (error) {
      this.#error = error;
      this.log.error({ err: error }, "the trailers could not be sent");
      this.cut();
      this.#endEarly();
    }
  }

  /** The answer is complete. A request body that nobody reads to its end is not wanted any more (RFC 9113 §8.1). */
  #finish(): void {
    this.#isAnswered = true;
    const { stream, body } = this;
    if (body === null || stream.readableEnded) return;
    const stop = (): void => {
      void body.return();
      stream.close(constants.NGHTTP2_NO_ERROR);
      stream.resume(); // node:http2 closes a stream only once what had arrived of it was read
    };
    if (stream.writableFinished) stop();
    else stream.once("finish", stop);
  }

  /** The answer broke off after its head (R-W5). */
  #cutShort(error: unknown): void {
    this.#isPumping = false;
    if (!this.isGone) {
      this.#error = error;
      this.log.error({ err: error }, "the answer broke off");
      this.cut();
    }
    this.#endEarly();
  }

  #endEarly(): void {
    const result = this.#error === null ? "gone" : "cut";
    this.end({ status: this.#status, bytesSent: this.#bytesSent, result, error: this.#error });
  }
}

const END_STREAM = { endStream: true };

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}
