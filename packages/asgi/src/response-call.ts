// A call that answers with a response: the order of its events, its length, and what follows its end.
import {
  type Answer,
  checkTrailers,
  GatewayError,
  HeaderList,
  type HttpResponse,
  isBodilessStatus,
  isPromise,
  type MaybePromise,
  type RequestHead,
} from "@gw/core";
import { Call, type Calls } from "./calls.ts";
import { cancelledError, disconnectedError, eventError, isLeaving, orderError, rejected } from "./errors.ts";
import type { HttpResponseTrailersEvent } from "./events.ts";
import type { Head, HeadReader, StartEvent } from "./head.ts";
import { readPairs } from "./header-pairs.ts";
import { ResponseStream } from "./response-stream.ts";

/** What all calls of one app share. */
export interface AppSettings {
  readonly calls: Calls;
  readonly heads: HeadReader;
  /** Takes the facts of `http.response.debug`; `null`: the extension is not offered. */
  readonly debug: ((info: Readonly<Record<string, unknown>>) => void) | null;
}

interface BodyEvent {
  readonly type: string;
  readonly body?: Uint8Array;
  readonly more_body?: boolean;
}

/** How far a response has come; after `over` nothing reaches the wire. */
export type ResponseStage = "none" | "started" | "streaming" | "trailers" | "over";

/** What `send` gives when there is nothing to wait for: one promise for all. */
export const SENT: Promise<void> = Promise.resolve();

const EMPTY: Uint8Array = new Uint8Array(0);

/** Parts of an unsent body that are taken at once; further ones wait a moment, for whom there is no hurry. */
const FREE_PARTS = 100;

/** The response half of a call; http and websocket add their own events. */
export abstract class ResponseCall<R extends RequestHead> extends Call {
  protected readonly request: R;
  protected readonly settings: AppSettings;
  protected stage: ResponseStage = "none";
  protected isCancelled = false;
  #head: Head | null = null;
  #hasTrailers = false;
  #stream: ResponseStream | null = null;
  #bytes = 0;
  #trailers: readonly string[] = [];
  /** Parts taken of a body that is not sent, as long as its end has not come; -1: there is no such body. */
  #discarded = -1;
  #answer: Answer | null = null;
  #resolve: ((answer: Answer) => void) | null = null;
  #reject: ((error: unknown) => void) | null = null;

  constructor(request: R, settings: AppSettings) {
    super();
    this.request = request;
    this.settings = settings;
  }

  /** Runs when nothing more can reach the wire. */
  protected abstract onOver(): void;
  /** Runs when the app has returned or thrown. */
  protected onFinished(): void {}

  /** Also when nobody waits for a body that goes on: without an end it would go on for ever, at nobody's pace. */
  isGone(): boolean {
    return this.#discarded >= 0 || this.request.signal.aborted;
  }

  cancel(): void {
    this.isCancelled = true;
    this.#stream?.leave();
    this.#reject?.(cancelledError());
    this.over();
  }

  /** Waits for the app's own promise; gives the answer, at once if the app has sent it whole already. */
  protected follow(running: MaybePromise<void>): MaybePromise<Answer> {
    (isPromise(running) ? running : SENT).then(
      () => this.returned(),
      (error: unknown) => this.threw(error),
    );
    if (this.#answer !== null) return this.#answer;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  protected settle(answer: Answer): void {
    this.#answer = answer;
    this.#resolve?.(answer);
  }

  protected startResponse(event: StartEvent): Promise<void> {
    if (this.stage === "over") return this.afterEnd();
    if (this.stage !== "none") throw orderError(event.type, "twice");
    this.#head = this.settings.heads.read(event);
    this.#hasTrailers = event.trailers === true;
    this.stage = "started";
    return SENT;
  }

  protected sendBody({ type, body = EMPTY, more_body = false }: BodyEvent): Promise<void> {
    if (!(body instanceof Uint8Array)) throw eventError(type, `body must be a Uint8Array, found ${typeof body}`);
    if (this.stage === "started") {
      const head = this.#head as Head;
      if (!more_body && !this.#hasTrailers) return this.#sendWhole(head, body);
      this.#beginStream(head);
    }
    if (this.stage === "streaming") return this.#sendPart(body, more_body);
    if (this.stage === "over") return this.#discard(more_body);
    throw orderError(type, this.stage === "none" ? "before the response starts" : "after the last part of the body");
  }

  protected sendTrailers({ type, headers = [], more_trailers = false }: HttpResponseTrailersEvent): Promise<void> {
    if (this.stage === "over") return this.afterEnd();
    if (this.stage !== "trailers") throw orderError(type, "before the body has ended, or without `trailers: true`");
    const lines = [...this.#trailers, ...readPairs(headers, type)];
    checkTrailers(HeaderList.fromWire(lines));
    this.#trailers = lines;
    if (!more_trailers) this.#endStream();
    return SENT;
  }

  /** An event after the end: ignored, or an error if the client has gone. It waits for a turn of the event loop, so that a loop of sends starves nobody. */
  protected afterEnd(): Promise<void> {
    if (this.isCancelled) return rejected(cancelledError());
    if (this.#stream?.isLeft) return rejected(disconnectedError());
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** A part of a body after the head of an answer to HEAD, or after the end. */
  #discard(hasMore: boolean): Promise<void> {
    if (!hasMore) this.#discarded = -1;
    if (this.#discarded < 0 || this.isCancelled || this.#discarded++ < FREE_PARTS) return this.afterEnd();
    return new Promise((resolve) => setTimeout(resolve, 1));
  }

  protected over(): void {
    this.stage = "over";
    this.onOver();
  }

  #sendWhole(head: Head, body: Uint8Array): Promise<void> {
    const { status, headers } = head;
    this.settle({ kind: "response", status, headers, body: this.#wireBody(head, body) });
    this.over();
    return SENT;
  }

  #wireBody({ status, length }: Head, body: Uint8Array): Uint8Array | null {
    if (isBodilessStatus(status)) return null;
    const fits = length === null || length === body.length;
    if (this.request.method === "HEAD") return fits && body.length > 0 ? body : null;
    if (!fits) throw lengthError(length ?? 0, body.length);
    return body;
  }

  #beginStream({ status, headers }: Head): void {
    if (this.request.method === "HEAD" || isBodilessStatus(status)) {
      this.#discarded = 0;
      this.settle({ kind: "response", status, headers, body: null });
      this.over();
      return;
    }
    const body = new ResponseStream(() => (this.isCancelled ? cancelledError() : disconnectedError()));
    this.#stream = body;
    this.stage = "streaming";
    const answer: HttpResponse = { kind: "response", status, headers, body, close: () => this.#closed(body) };
    this.settle(this.#hasTrailers ? { ...answer, trailers: () => this.#trailersToSend() } : answer);
  }

  #sendPart(body: Uint8Array, hasMore: boolean): Promise<void> {
    const stream = this.#stream as ResponseStream;
    const length = this.#head?.length ?? null;
    const bytes = this.#bytes + body.length;
    if (length !== null && (bytes > length || (!hasMore && bytes < length))) {
      const error = lengthError(length, bytes);
      stream.fail(error);
      throw error;
    }
    this.#bytes = bytes;
    const sent = body.length > 0 ? stream.push(body) : SENT;
    if (!hasMore && this.#hasTrailers) this.stage = "trailers";
    else if (!hasMore) this.#endStream();
    return sent;
  }

  #endStream(): void {
    this.#stream?.end();
    this.over();
  }

  /** The carrier is done with a streamed answer, or never began with it. */
  #closed(stream: ResponseStream): void {
    // A layer dropped the answer while the client is there: the app goes on as if it was sent.
    if (this.isGone() || !stream.drop()) stream.leave();
    if (this.stage !== "over") this.over();
  }

  /** "The ASGI server will only send the trailing headers in case the client has sent the TE: trailers header." */
  #trailersToSend(): HeaderList | null {
    const accepted = this.request.headers.get("te")?.split(",") ?? [];
    const isWanted = accepted.some((coding) => coding.trim().toLowerCase() === "trailers");
    return isWanted && this.#trailers.length > 0 ? HeaderList.fromWire(this.#trailers) : null;
  }

  /** The app has returned. */
  protected returned(): void {
    this.settings.calls.remove(this);
    if (this.stage === "none" || this.stage === "started") this.#reject?.(noResponse());
    else if (this.stage === "streaming") this.#stream?.fail(noEnd());
    else if (this.stage === "trailers") this.#stream?.end();
    this.#finish();
  }

  /** The app has thrown. */
  protected threw(error: unknown): void {
    this.settings.calls.remove(this);
    if (this.stage === "none" || this.stage === "started") this.#reject?.(error);
    else if (isLeaving(error)) this.#stream?.leave();
    else if (this.stage === "over" || this.#stream?.isLeft) {
      this.request.exchange.log.error({ err: error }, "an ASGI app threw after its response had ended");
    } else this.#stream?.fail(error);
    this.#finish();
  }

  #finish(): void {
    if (this.stage !== "over") this.over();
    this.onFinished();
  }
}

function lengthError(expected: number, found: number): GatewayError {
  return new GatewayError(
    "GW_LENGTH_MISMATCH",
    500,
    `the answer's Content-Length is ${expected}, its body has ${found} bytes`,
  );
}

function noResponse(): GatewayError {
  return new GatewayError("GW_ASGI_NO_RESPONSE", 500, "the app returned without sending a response");
}

function noEnd(): GatewayError {
  return new GatewayError(
    "GW_ASGI_NO_END",
    500,
    "the app returned before the last part of the body (more_body was true)",
  );
}
