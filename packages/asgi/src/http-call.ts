// One http call: the events of a request and its response.
import type { Answer, HttpRequest, MaybePromise } from "@gw/core";
import type { AsgiApp } from "./app.ts";
import { earlyHint } from "./early-hint.ts";
import { eventError, orderError, rejected } from "./errors.ts";
import type { ReceiveEvent, SendEvent } from "./events.ts";
import { descriptorChunks, fileChunks } from "./file-chunks.ts";
import { RequestEvents } from "./request-events.ts";
import { ResponseCall, SENT } from "./response-call.ts";
import type { HttpScope } from "./scopes.ts";

/** Runs an app for one request. */
export class HttpCall extends ResponseCall<HttpRequest> {
  #events: RequestEvents | null = null;

  /** Calls the app. Throws and rejects with what the app throws before its response has begun. */
  run(app: AsgiApp, scope: HttpScope): MaybePromise<Answer> {
    this.settings.calls.add(this);
    let running: Promise<void>;
    try {
      running = app(
        scope,
        () => this.#receive(),
        (event) => this.#send(event),
      );
    } catch (error) {
      running = rejected(error);
    }
    return this.follow(running);
  }

  override cancel(): void {
    this.#events?.cancel();
    super.cancel();
  }

  protected onOver(): void {
    this.#events?.end();
  }

  protected override onFinished(): void {
    this.#events?.release();
  }

  #receive(): Promise<ReceiveEvent> {
    if (this.#events === null) {
      this.#events = new RequestEvents(this.request);
      if (this.stage === "over") this.#events.end();
      if (this.isCancelled) this.#events.cancel();
    }
    return this.#events.next();
  }

  #send(event: SendEvent): Promise<void> {
    try {
      // Apps in JavaScript may send anything at all.
      switch (event?.type) {
        case "http.response.start":
          return this.startResponse(event);
        case "http.response.body":
          return this.sendBody(event);
        default:
          return this.#sendOther(event);
      }
    } catch (error) {
      return rejected(error);
    }
  }

  #sendOther(event: SendEvent): Promise<void> {
    if (this.stage === "over") return this.afterEnd();
    switch (event?.type) {
      case "http.response.trailers":
        return this.sendTrailers(event);
      case "http.response.early_hint":
        // Once the head is out, no interim answer can follow (RFC 9110 §15.2).
        if (this.stage === "none" || this.stage === "started") earlyHint(this.request.exchange, event);
        return SENT;
      case "http.response.pathsend":
        if (this.stage !== "started") throw orderError(event.type, "except once, right after http.response.start");
        return this.#sendFile(event.type, fileChunks(event), false);
      case "http.response.zerocopysend":
        return this.#sendFile(event.type, descriptorChunks(event), event.more_body === true);
      case "http.response.debug":
        if (this.settings.debug === null) throw eventError(event.type, "the extension is not offered");
        if (this.stage !== "none") throw orderError(event.type, "after the response has started");
        this.settings.debug(event.info);
        return SENT;
      default:
        throw unknownEvent(event);
    }
  }

  #sendFile(type: string, chunks: AsyncIterable<Uint8Array>, hasMore: boolean): Promise<void> {
    const sending = (async () => {
      for await (const body of chunks) {
        await this.sendBody({ type, body, more_body: true });
        if (this.stage === "over") break;
      }
      await this.sendBody({ type, more_body: hasMore });
    })();
    sending.catch(() => {});
    return sending;
  }
}

function unknownEvent(event: unknown): Error {
  const type = (event as { type?: unknown } | null)?.type;
  if (type === "http.response.push") {
    return eventError(type, "server push is obsolete and not offered: use http.response.early_hint");
  }
  return eventError(typeof type === "string" ? type : String(type), "not an event of an http scope");
}
