// What is the same for requests and sockets in a worker: the answer that comes out.
import {
  checkResponseHead,
  checkTrailers,
  type GatewayError,
  HeaderList,
  type HttpResponse,
  type RequestHead,
} from "@gw/core";
import type { MarshalWriter } from "./codec/marshal-writer.ts";
import { appError, clientGone } from "./errors.ts";
import { openPart } from "./file-part.ts";
import type { Link } from "./link.ts";
import type { FilePart, LinkStream, ResponseHead } from "./link-events.ts";
import { ResponseBodyStream } from "./response-body.ts";
import { wholeBody } from "./whole-body.ts";

/** Writes what follows kind and stream in a request's frame. */
export interface RequestEncoder<R extends RequestHead> {
  /** Values of the frame, with kind and stream. */
  readonly size: number;
  /** @param hasMore whether (more of) the body follows in frames of its own */
  write(marshal: MarshalWriter, request: R, body: Uint8Array, hasMore: boolean): void;
}

/** Trailers are for clients that say `TE: trailers` (RFC 9110 §6.5.1; ASGI, "Trailers"). */
function acceptsTrailers({ headers }: RequestHead): boolean {
  return (
    headers
      .get("te")
      ?.split(",")
      .some((coding) => coding.trim().toLowerCase() === "trailers") ?? false
  );
}

/** What of a call is the same for requests and refused sockets: the answer. */
export abstract class AnswerCall<R extends RequestHead, A> implements LinkStream {
  readonly startedAt: number = performance.now();
  readonly answer: Promise<A>;
  protected readonly request: R;
  protected readonly link: Link;
  protected id = 0;
  protected isSettled = false;
  /** Nothing more is expected of the worker. */
  protected isOver = false;
  #resolve!: (answer: A) => void;
  #reject!: (error: unknown) => void;
  #body: ResponseBodyStream | null = null;
  #trailers: HeaderList | null = null;
  readonly #onAbort = (): void => this.leave();

  constructor(request: R, link: Link) {
    this.request = request;
    this.link = link;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Whether the worker owes the head of an answer. */
  get isHeadDue(): boolean {
    return !this.isSettled && !this.isOver;
  }

  protected abstract asAnswer(response: HttpResponse): A;

  protected begin(op: number, size: number, write: (marshal: MarshalWriter) => void): void {
    this.id = this.link.open(this, op, size, write);
    const { signal } = this.request;
    if (signal.aborted) this.leave();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  head({ status, flat, hasTrailers }: ResponseHead, body: Uint8Array, hasMore: boolean): void {
    if (this.isSettled) return;
    const headers = HeaderList.fromWire(flat);
    try {
      const trailers = hasTrailers ? { trailers: () => (acceptsTrailers(this.request) ? this.#trailers : null) } : {};
      checkResponseHead({ kind: "response", status, headers, body: null, ...trailers });
      if (!hasMore) {
        this.finish();
        const whole = wholeBody({ status, headers, body, request: this.request });
        return this.settle(this.asAnswer({ kind: "response", status, headers, body: whole }));
      }
      this.#body = new ResponseBodyStream(body, {
        taken: (bytes) => this.link.credit(this.id, bytes),
        left: () => this.leave(),
      });
      const close = (): void => this.leave();
      this.settle(this.asAnswer({ kind: "response", status, headers, body: this.#body, close, ...trailers }));
    } catch (error) {
      this.abandon(error);
    }
  }

  chunk(bytes: Uint8Array, isLast: boolean): void {
    // A whole answer is never followed by chunks; a raw frame's last piece comes after the others.
    if (isLast) this.finish();
    this.#body?.push(bytes, isLast);
  }

  file({ status, flat }: ResponseHead, part: FilePart): void {
    if (this.isSettled) return;
    // The worker waits for our word, and nobody else's stream does: no promise of ours is left behind.
    void this.#sendFile(status, flat, part);
  }

  trailers(flat: string[]): void {
    const trailers = HeaderList.fromWire(flat);
    this.#orAbandon(() => checkTrailers(trailers));
    this.#trailers = trailers;
  }

  early(flat: string[]): void {
    if (this.isSettled) return;
    const headers = HeaderList.fromWire(flat);
    this.#orAbandon(() => {
      checkResponseHead({ kind: "response", status: 200, headers, body: null });
      this.request.exchange.inform?.(headers);
    });
  }

  fail(message: string): void {
    // It may be a frame that could not be sent, and not the app's end: the app is told, too.
    if (!this.isOver) this.link.gone(this.id);
    this.finish();
    this.refuse(appError(message));
  }

  lost(error: GatewayError): void {
    this.finish();
    this.refuse(error);
  }

  credit(_bytes: number): void {}
  accept(_subprotocol: string | null, _flat: string[]): void {}
  message(_message: string | Uint8Array): void {}
  close(_code: number, _reason: string): void {}
  busy(): void {}

  /** Gives up with an error: the worker is told, the client gets it. */
  abandon(error: unknown): void {
    if (!this.isOver) {
      this.link.gone(this.id);
      this.finish();
    }
    this.refuse(error);
  }

  /** The client is gone, or done: after a whole answer there is nothing to give up. */
  protected leave(): void {
    if (this.isOver && this.isSettled) return;
    this.abandon(clientGone());
  }

  /** What is wrong with one answer must not reach the link, which would give up the worker. */
  #orAbandon(take: () => void): void {
    try {
      take();
    } catch (error) {
      this.abandon(error);
    }
  }

  async #sendFile(status: number, flat: string[], part: FilePart): Promise<void> {
    const file = await openPart(part);
    if (this.isOver) return file?.close();
    this.link.opened(this.id, file !== null);
    if (file === null) return;
    this.finish();
    try {
      const headers = HeaderList.fromWire(flat);
      const sized = headers.has("content-length") ? headers : headers.with("Content-Length", String(part.count));
      const body = this.request.method === "HEAD" ? null : file;
      const response: HttpResponse = { kind: "response", status, headers: sized, body, close: () => file.close() };
      checkResponseHead(response);
      this.settle(this.asAnswer(response));
    } catch (error) {
      file.close();
      this.refuse(error);
    }
  }

  protected settle(answer: A): void {
    this.isSettled = true;
    this.#resolve(answer);
  }

  protected refuse(error: unknown): void {
    if (!this.isSettled) {
      this.isSettled = true;
      this.#reject(error);
    } else this.#body?.fail(error);
  }

  protected finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.request.signal.removeEventListener("abort", this.#onAbort);
    this.link.release(this.id);
  }
}
