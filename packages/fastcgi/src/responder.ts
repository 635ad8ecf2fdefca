// One request of a connection: variables and input in, answer out.
import {
  type Answer,
  type BodyPace,
  closeAnswer,
  emptyState,
  GatewayError,
  type HttpRequest,
  type HttpResponse,
  incomingBody,
  isBodiless,
  isPromise,
  type MaybePromise,
  notesIfAny,
  OpenExchange,
  type Outcome,
  pumpBody,
  type ReadVariablesOptions,
  type RequestState,
  type Runtime,
  readVariables,
  sendableResponse,
  withoutTrailers,
  writeAnswerBlock,
} from "@gw/core";
import { chunkPieces, endPiece, wholeAnswer } from "./answer.ts";
import { authorizerVariables } from "./authorizer-variables.ts";
import type { Role } from "./codec/constants.ts";
import { withFilterData } from "./filter-data.ts";
import { InputQueue, type Moment, type SpillOptions } from "./input-queue.ts";

/** The connection as its requests see it. */
export interface ResponderLink {
  readonly variables: ReadVariablesOptions;
  /** Writes pieces in order; a promise settles when the web server has taken enough of them. */
  write(pieces: readonly Uint8Array[]): MaybePromise<void>;
  /** Something of a request's input was read. */
  inputRead(): void;
  /** The request has been answered to its end. */
  finished(requestId: number): void;
  /** The answer broke off: makes that visible to the web server (R-F16). `isMeasured`: it has a Content-Length. */
  cut(requestId: number, isMeasured: boolean): void;
}

/** A request under way. */
export class Responder {
  readonly input: InputQueue;
  /** FCGI_DATA of a filter's request. */
  data: InputQueue | null = null;
  /** The runtime that answers it. */
  readonly runtime: Runtime;
  readonly #link: ResponderLink;
  readonly #requestId: number;
  readonly #exchange: OpenExchange;
  readonly #gone: AbortController = new AbortController();
  /** Bytes of input that the request has announced and that have not come. */
  #inputLeft = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(link: ResponderLink, requestId: number, runtime: Runtime) {
    this.#link = link;
    this.#requestId = requestId;
    this.runtime = runtime;
    this.#exchange = new OpenExchange(runtime);
    this.input = new InputQueue(() => link.inputRead());
  }

  /** Bytes of input that take memory. */
  get unreadBytes(): number {
    return this.input.unreadBytes + (this.data?.unreadBytes ?? 0);
  }

  /** Adds input; what comes after more than was announced is no app's, and is not kept. */
  takeInput(bytes: Uint8Array): void {
    if (this.#inputLeft < 0) return;
    this.#inputLeft -= bytes.length;
    this.input.push(bytes);
  }

  /** Lets input go to a file until the app has caught up. */
  spill(options: SpillOptions): void {
    this.input.spill(options);
    this.data?.spill(options);
  }

  /** What has not come of the input will not come. */
  failInput(reason: GatewayError): void {
    this.input.fail(reason);
    this.data?.fail(reason);
  }

  /** Ends input that comes too slowly (R-F8). */
  checkPace(pace: BodyPace, moment: Moment): void {
    this.input.checkPace(pace, moment);
    this.data?.checkPace(pace, moment);
  }

  /** Asks the app and sends its answer. */
  run(variables: ReadonlyMap<string, string>, role: Role): void {
    let request: HttpRequest;
    try {
      request = this.#requestOf(role === "authorizer" ? authorizerVariables(variables) : variables, role);
    } catch (error) {
      this.refuse(error);
      return;
    }
    const answer = this.runtime.answer(request);
    if (isPromise(answer)) void answer.then((value) => this.#send(value, request));
    else this.#send(answer, request);
  }

  /** Answers what is no request the app could be asked. */
  refuse(error: unknown): void {
    const status = error instanceof GatewayError && error.code === "GW_FCGI_LIMIT" ? 431 : 400;
    const body = new TextEncoder().encode(
      `${status} ${status === 431 ? "Request Header Fields Too Large" : "Bad Request"}\n`,
    );
    this.#exchange.log.warn({ err: error }, `a FastCGI request was answered ${status}`);
    const head = new TextEncoder().encode(`Status: ${status}\r\nContent-Type: text/plain\r\n\r\n`);
    this.#finish({ status, bytesSent: body.length, result: "sent", error }, wholeAnswer(this.#requestId, head, body));
  }

  /** The web server does not want the answer any more, or is gone (R-F5, R-F21). */
  abort(reason: GatewayError): void {
    this.failInput(reason);
    this.#gone.abort(reason);
  }

  #requestOf(variables: ReadonlyMap<string, string>, role: Role): HttpRequest {
    // Caddy 2 says -1 where it knows no length.
    const isMinusOne = variables.get("CONTENT_LENGTH") === "-1";
    const readable = isMinusOne ? new Map(variables).set("CONTENT_LENGTH", "") : variables;
    const { contentLength, headers, ...head } = readVariables(readable, this.#link.variables);
    // A body without a length announces itself by this; then its end is that of the stream.
    const isUnknown = contentLength === null && (isMinusOne || variables.has("HTTP_TRANSFER_ENCODING"));
    const length = isUnknown ? null : (contentLength ?? 0);
    this.#inputLeft = length ?? Number.POSITIVE_INFINITY;
    const body = incomingBody({ length, exchange: this.#exchange, open: () => this.input });
    const signal = this.#gone.signal;
    const state = role === "filter" ? this.#filterState(variables) : emptyState;
    return {
      ...head,
      headers: headers.without("transfer-encoding"),
      body,
      state,
      signal,
      exchange: this.#exchange,
    };
  }

  #filterState(variables: ReadonlyMap<string, string>): RequestState {
    const data = new InputQueue(() => this.#link.inputRead());
    this.data = data;
    return withFilterData(emptyState, variables, () => data);
  }

  #send(answer: Answer, request: HttpRequest): void {
    if (this.#gone.signal.aborted) {
      closeAnswer(answer, request, this.runtime);
      return this.#finish({ status: statusOf(answer), bytesSent: 0, result: "gone", error: null }, this.#emptyEnd());
    }
    const response = sendableResponse(answer, request, { runtime: this.runtime, noSocket });
    const { status, body } = response;
    const block = writeAnswerBlock(response);
    const isEmpty = body === null || isBodiless(request.method, status);
    if (isEmpty || body instanceof Uint8Array) {
      const sent = isEmpty ? null : (body as Uint8Array);
      const error = status >= 500 ? (notesIfAny(this.#exchange)?.error ?? null) : null;
      const outcome: Outcome = { status, bytesSent: sent?.length ?? 0, result: "sent", error };
      const pieces = wholeAnswer(this.#requestId, block, sent);
      if (response.close !== undefined) closeAnswer(response, request, this.runtime);
      return this.#finish(outcome, pieces);
    }
    void this.#stream(response, block);
  }

  async #stream(response: HttpResponse, block: Uint8Array): Promise<void> {
    const { status } = response;
    let bytesSent = 0;
    try {
      await this.#link.write(chunkPieces(this.#requestId, block));
      await pumpBody(withoutTrailers(response), {
        write: (chunk) => {
          bytesSent += chunk.length;
          return this.#link.write(chunkPieces(this.#requestId, chunk));
        },
        signal: this.#gone.signal,
      });
      this.#finish({ status, bytesSent, result: "sent", error: null }, [endPiece(this.#requestId, 0)]);
    } catch (error) {
      const isGone = this.#gone.signal.aborted;
      if (!isGone) this.#exchange.log.error({ err: error }, "an answer broke off");
      const outcome: Outcome = { status, bytesSent, result: isGone ? "gone" : "cut", error: isGone ? null : error };
      this.#finish(outcome, isGone ? this.#emptyEnd() : { isMeasured: response.headers.has("content-length") });
    }
  }

  /** FCGI_END_REQUEST is owed for an aborted request, too (§5.4). */
  #emptyEnd(): Uint8Array[] {
    return [endPiece(this.#requestId, 1)];
  }

  /** @param last the last pieces; or that the answer is cut, and whether its length shows that */
  #finish(outcome: Outcome, last: readonly Uint8Array[] | { readonly isMeasured: boolean }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.input.return();
    void this.data?.return();
    if ("isMeasured" in last) this.#link.cut(this.#requestId, last.isMeasured);
    else {
      void this.#link.write(last);
      this.#link.finished(this.#requestId);
    }
    this.#exchange.end(outcome);
  }
}

function statusOf(answer: Answer): number {
  return answer.kind === "response" ? answer.status : 101;
}

function noSocket(): GatewayError {
  return new GatewayError("GW_FCGI_NO_WEBSOCKET", 500, "FastCGI has no WebSocket to accept");
}
