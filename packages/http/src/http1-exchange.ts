// One HTTP/1.x request and its answer: node:http's objects on one side, the model on the other.
import type { ServerResponse } from "node:http";
import {
  type Answer,
  BodyTimer,
  checkResponseHead,
  emptyBody,
  emptyState,
  GatewayError,
  HeaderList,
  type HttpRequest,
  incomingBody,
  isPromise,
  type RequestBody,
} from "@gw/core";
import { tooManyLines } from "./http1-head.ts";
import { Http1Sender } from "./http1-sender.ts";
import type { RequestFacts } from "./request-rules.ts";
import { StreamBody } from "./stream-body.ts";

/** The exchange of one HTTP/1.x request. */
export class Http1Exchange extends Http1Sender {
  #request: HttpRequest | null = null;
  #bodyTimer: BodyTimer | null = null;

  /** Asks the app and sends its answer. */
  run({ target, mount, path, query, scheme, headers, client, server, params }: RequestFacts): void {
    const { req } = this;
    const request: HttpRequest = {
      kind: "http",
      method: req.method as string,
      scheme,
      target,
      mount,
      path,
      query,
      protocol: req.httpVersionMinor === 1 ? "HTTP/1.1" : "HTTP/1.0",
      headers,
      body: this.bodyLength === 0 ? emptyBody : this.#incomingBody(),
      client,
      server,
      tls: this.link.tls,
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

  /** Sends 103 Early Hints; nothing once the head is out, nor in HTTP/1.0, which knows no 1xx (RFC 9110 §15.2). */
  inform(headers: HeaderList): void {
    const { req, res } = this;
    if (req.httpVersionMinor !== 1 || res.headersSent || this.isGone) return;
    checkResponseHead({ kind: "response", status: 200, headers, body: null });
    const hints: Record<string, string | string[]> = {};
    for (const [name] of headers) hints[name.toLowerCase()] = headers.getAll(name);
    try {
      res.writeEarlyHints(hints as Parameters<ServerResponse["writeEarlyHints"]>[0]);
    } catch (error) {
      this.log.warn({ err: error }, "early hints that node:http does not send"); // it is strict about Link; hints may be lost
    }
  }

  override abort(): void {
    this.failBody(new GatewayError("GW_BODY_CUT", 400, "the client went away inside the request body"));
    super.abort();
  }

  check(nowMs: number, forMs: number): void {
    const { limits } = this.link;
    if (this.step === "draining") {
      if (forMs > limits.bodyTimeoutMs) this.link.closeGently();
    } else if (this.body?.isOpen === true) {
      this.#bodyTimer ??= new BodyTimer(nowMs, "GW_HTTP_BODY_SLOW");
      const tooSlow = this.#bodyTimer.check(this.body, nowMs, limits);
      if (tooSlow !== null) this.link.failBody(tooSlow);
    }
  }

  #incomingBody(): RequestBody {
    const body = new StreamBody(this.req, { checkEnd: () => this.#checkTrailers(), isOurs: this.link.isOurs });
    this.body = body;
    return incomingBody({
      length: this.bodyLength,
      exchange: this,
      hasExclusiveChunks: this.link.isOurs,
      open: () => {
        if (this.isUnasked && !this.res.headersSent) this.res.writeContinue();
        this.isUnasked = false;
        return body;
      },
      ...(this.bodyLength === null && { trailers: async () => HeaderList.fromWire(this.req.rawTrailers) }),
    });
  }

  /** Node 20 cuts a long trailer section without a word. */
  #checkTrailers(): unknown {
    const { maxHeaderLines } = this.link.limits;
    return this.req.rawTrailers.length > maxHeaderLines * 2 ? tooManyLines(maxHeaderLines) : null;
  }

  #answered(answer: Answer): void {
    const sendable = this.sendable(answer, this.#request as HttpRequest);
    try {
      this.send(sendable);
    } catch (error) {
      this.closeAnswer(sendable);
      this.breakOff(error);
    }
  }
}
