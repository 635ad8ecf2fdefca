// One HTTP/2 request and its answer: a stream of node:http2 on one side, the model on the other (RFC 9113 §8).
import {
  type Answer,
  BodyTimer,
  checkResponseHead,
  emptyBody,
  emptyState,
  HeaderList,
  type HttpRequest,
  incomingBody,
  isPromise,
  type RequestBody,
} from "@gw/core";
import { fromFields, type Http2Head, toFields } from "./http2-head.ts";
import { Http2Sender } from "./http2-sender.ts";
import type { RequestFacts } from "./request-rules.ts";
import { StreamBody } from "./stream-body.ts";

/** The exchange of one HTTP/2 request. */
export class Http2Exchange extends Http2Sender {
  #request: HttpRequest | null = null;
  #bodyTimer: BodyTimer | null = null;
  #trailers: HeaderList = HeaderList.empty;

  /** Asks the app and sends its answer. */
  run(
    head: Http2Head,
    { target, mount, path, query, scheme, headers, client, server, params }: RequestFacts,
    hasBody: boolean,
  ): void {
    const request: HttpRequest = {
      kind: "http",
      method: head.method,
      scheme,
      target,
      mount,
      path,
      query,
      protocol: "HTTP/2.0",
      headers,
      body: hasBody ? this.#incomingBody(head) : emptyBody,
      client,
      server,
      tls: this.connection.tls,
      principal: null,
      params,
      state: emptyState,
      signal: this.controller.signal,
      exchange: this,
    };
    this.#request = request;
    const answer = this.generation.runtime.answer(request);
    if (isPromise(answer)) answer.then((value) => this.#answered(value));
    else this.#answered(answer);
  }

  /** Sends 103 Early Hints; nothing once the head is out. */
  inform(headers: HeaderList): void {
    if (this.stream.headersSent || this.stream.closed) return;
    checkResponseHead({ kind: "response", status: 200, headers, body: null });
    try {
      this.stream.additionalHeaders({ ":status": 103, ...toFields(headers) });
    } catch (error) {
      this.log.warn({ err: error }, "early hints that node:http2 does not send"); // a field that may come once only; hints may be lost
    }
  }

  override check(nowMs: number): void {
    super.check(nowMs);
    if (this.body?.isOpen !== true) return;
    this.#bodyTimer ??= new BodyTimer(nowMs, "GW_HTTP_BODY_SLOW");
    const tooSlow = this.#bodyTimer.check(this.body, nowMs, this.connection.state.limits);
    if (tooSlow !== null) this.body.fail(tooSlow);
  }

  #answered(answer: Answer): void {
    const request = this.#request as HttpRequest;
    const sendable = this.sendable(answer, request);
    try {
      this.send(sendable, request.method === "HEAD");
    } catch (error) {
      this.closeAnswer(sendable);
      this.breakOff(error);
    }
  }

  #incomingBody({ contentLength, expectsContinue }: Http2Head): RequestBody {
    const { stream } = this;
    const body = new StreamBody(stream);
    this.body = body;
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
}
