// One HTTP/2 request and its answer: a stream of node:http2 on one side, the model on the other (RFC 9113 §8).
import { constants, type ServerHttp2Stream } from "node:http2";
import {
  type Answer,
  checkResponseHead,
  emptyBody,
  emptyState,
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
import { HttpExchange, peerGone } from "./exchange.ts";
import { noParams } from "./http1-exchange.ts";
import type { Http2Connection } from "./http2-connection.ts";
import { fieldsOf, fromFields, type Http2Head, toFields } from "./http2-head.ts";
import type { RequestFacts } from "./request-rules.ts";
import { StreamBody } from "./stream-body.ts";

/** Larger bodies go out in slices of this size, so that a client that stops reading is noticed. */
const SLICE_BYTES = 65_536;

/** The exchange of one HTTP/2 stream. It ends when the stream closes. */
export class Http2Exchange extends HttpExchange {
  readonly #connection: Http2Connection;
  readonly #stream: ServerHttp2Stream;
  #request: HttpRequest | null = null;
  #body: StreamBody | null = null;
  #bodyTimer: BodyTimer | null = null;
  #trailers: HeaderList = HeaderList.empty;
  #status = 0;
  #bytesSent = 0;
  #error: unknown = null;
  #isPumping = false;
  #isAnswered = false;
  /** When the client was first seen not to take what was written. */
  #stalledMs: number | null = null;
  #isStalled = false;

  constructor(connection: Http2Connection, stream: ServerHttp2Stream) {
    super(connection.state.generation);
    this.#connection = connection;
    this.#stream = stream;
  }

  /** Asks the app and sends its answer. */
  run(head: Http2Head, { path, query, scheme, headers, client, server }: RequestFacts, hasBody: boolean): void {
    const request: HttpRequest = {
      kind: "http",
      method: head.method,
      scheme,
      target: head.target,
      mount: "",
      path,
      query,
      protocol: "HTTP/2.0",
      headers,
      body: hasBody ? this.#incomingBody(head) : emptyBody,
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

  /** Sends 103 Early Hints; nothing once the head is out. */
  inform(headers: HeaderList): void {
    if (this.#stream.headersSent || this.#stream.closed) return;
    checkResponseHead({ kind: "response", status: 200, headers, body: null });
    this.#stream.additionalHeaders({ ":status": 103, ...toFields(headers) });
  }

  /** The stream has closed, one way or the other. */
  onClose(): void {
    if (this.isOver) return;
    const isWhole =
      this.#isAnswered && this.#stream.writableFinished && this.#stream.rstCode === constants.NGHTTP2_NO_ERROR;
    if (isWhole) {
      this.endSent(this.#status, this.#bytesSent);
      return;
    }
    this.#body?.fail(new GatewayError("GW_BODY_CUT", 400, "the client went away inside the request body"));
    if (this.#error === null) this.controller.abort(peerGone());
    if (this.#status !== 0 && !this.#isPumping) this.#endEarly();
  }

  /** Cuts the stream: the client sees that the answer is not whole. */
  cut(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  /** Looks at the time limits. */
  check(nowMs: number): void {
    const { limits } = this.#connection.state;
    if (this.#isStalled) {
      this.#stalledMs ??= nowMs;
      if (nowMs - this.#stalledMs > limits.writeTimeoutMs) this.#stream.close(constants.NGHTTP2_CANCEL);
    } else this.#stalledMs = null;
    if (this.#body?.isOpen !== true) return;
    this.#bodyTimer ??= new BodyTimer(nowMs);
    const tooSlow = this.#bodyTimer.check(this.#body, nowMs, limits);
    if (tooSlow !== null) this.#body.fail(tooSlow);
  }

  #incomingBody({ contentLength, expectsContinue }: Http2Head): RequestBody {
    const stream = this.#stream;
    const body = new StreamBody(stream);
    this.#body = body;
    stream.once("trailers", (fields) => {
      this.#trailers = fromFields(fields);
    });
    return incomingBody({
      length: contentLength,
      exchange: this,
      open: () => {
        if (expectsContinue && !stream.headersSent && !stream.closed) stream.additionalHeaders({ ":status": 100 });
        return body;
      },
      trailers: async () => this.#trailers,
    });
  }

  #send(given: Answer): void {
    const answer = this.sendable(given, this.#request as HttpRequest);
    const { status, body } = answer;
    this.#status = status;
    if (this.#stream.closed || this.#stream.destroyed) {
      this.closeAnswer(answer);
      this.#endEarly();
      return;
    }
    const isHead = this.#request?.method === "HEAD";
    if (
      isHead ||
      isBodilessStatus(status) ||
      body === null ||
      (body instanceof Uint8Array && body.length <= SLICE_BYTES)
    ) {
      if (answer.trailers === undefined || isHead || isBodilessStatus(status)) {
        this.#sendWhole(answer, isHead || isBodilessStatus(status) ? null : (body as Uint8Array | null), isHead);
        return;
      }
    }
    this.#sendStream(body instanceof Uint8Array ? { ...answer, body: slices(body) } : answer, body);
  }

  #sendWhole(answer: HttpResponse, body: Uint8Array | null, isHead: boolean): void {
    const stream = this.#stream;
    const isEmpty = body === null || body.length === 0;
    stream.respond(fieldsOf(answer, isHead), { endStream: isEmpty });
    if (!isEmpty) {
      this.#bytesSent = body.length;
      this.#isStalled = true; // until the stream closes
      stream.end(body);
    }
    this.#finish();
    if (answer.close !== undefined) this.closeAnswer(answer);
  }

  #sendStream(answer: HttpResponse, given: HttpResponse["body"]): void {
    const stream = this.#stream;
    stream.respond(fieldsOf({ ...answer, body: given ?? emptyStream }, false), {
      waitForTrailers: answer.trailers !== undefined,
    });
    this.#isPumping = true;
    pumpBody(answer, { write: (chunk) => this.#write(chunk), signal: this.controller.signal }).then(
      ({ trailers }) => {
        this.#isPumping = false;
        if (answer.trailers !== undefined)
          stream.once("wantTrailers", () => stream.sendTrailers(toFields(trailers ?? HeaderList.empty)));
        stream.end();
        this.#finish();
        if (stream.destroyed) this.#endEarly();
      },
      (error: unknown) => this.#cutShort(error),
    );
  }

  /** The answer is complete. A request body that nobody reads to its end is not wanted any more (RFC 9113 §8.1). */
  #finish(): void {
    this.#isAnswered = true;
    const stream = this.#stream;
    if (this.#body === null || stream.readableEnded) return;
    const stop = (): void => stream.close(constants.NGHTTP2_NO_ERROR);
    if (stream.writableFinished) stop();
    else stream.once("finish", stop);
  }

  #write(chunk: Uint8Array): void | Promise<void> {
    this.#bytesSent += chunk.length;
    if (this.#stream.write(chunk)) return;
    this.#isStalled = true;
    return new Promise((resolve) => {
      this.#stream.once("drain", () => {
        this.#isStalled = false;
        resolve();
      });
    });
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

const emptyStream: Iterable<Uint8Array> = [];

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}
