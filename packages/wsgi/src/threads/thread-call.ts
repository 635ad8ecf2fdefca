// One request on its way through a thread, as the gateway sees it.
import {
  beginPhase,
  GatewayError,
  type HeaderList,
  type HttpRequest,
  type HttpResponse,
  type PhaseEnd,
} from "@gw/core";
import { AnswerStream } from "./answer-stream.ts";
import { BodyFeed } from "./body-feed.ts";
import type { RecordParts } from "./channel.ts";
import { readError, writeError } from "./error-record.ts";
import { clientGone } from "./errors.ts";
import { BODY, FINISHED, FROM_APP, TO_APP, WINDOW_BYTES } from "./protocol.ts";
import type { RingRecord } from "./ring.ts";
import { logLine } from "./thread-log.ts";

/** The thread that has the request. */
export interface CallThread {
  send(kind: number, parts: RecordParts): void;
  /** Takes the request back if it has not begun. */
  takeBack(call: ThreadCall): boolean;
  /** The lines of a head, as the list that an equal head before had. */
  headersOf(texts: readonly string[]): HeaderList;
}

/** What the pool hears. */
export interface CallEvents {
  /** The client has left while the request waited for a thread. */
  left(call: ThreadCall): void;
}

/** What a request is sent with. */
export interface CallRecord extends Required<Pick<RecordParts, "a" | "b" | "texts" | "bytes">> {
  readonly isBodyRemote: boolean;
}

/** One request. */
export class ThreadCall {
  /** Its number in the thread that has it. */
  id = 0;
  /** Its seat in the queue; -1: it does not wait there. */
  seat = -1;
  readonly request: HttpRequest;
  readonly record: CallRecord;
  readonly answer: Promise<HttpResponse>;
  readonly queuedAt: number = performance.now();
  /** When its thread was given it. */
  givenAt = 0;
  /** Whether its thread is walking its answer: another request may begin meanwhile. */
  isStreaming = false;
  readonly #events: CallEvents;
  #thread: CallThread | null = null;
  #queued: PhaseEnd | null = null;
  #resolve!: (answer: HttpResponse) => void;
  #reject!: (error: unknown) => void;
  #isSettled = false;
  #stream: AnswerStream | null = null;
  #feed: BodyFeed | null = null;
  readonly #onAbort = (): void => this.leave();

  constructor(request: HttpRequest, record: CallRecord, events: CallEvents) {
    this.request = request;
    this.record = record;
    this.#events = events;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    request.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Whether nobody waits for it any more. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** No thread has room for it now. */
  waits(): void {
    this.#queued ??= beginPhase(this.request.exchange, "queue");
  }

  /** A thread has it now; `null`: it was taken back. */
  givenTo(thread: CallThread | null): void {
    if (thread !== null) this.#waited();
    this.#thread = thread;
    this.givenAt = performance.now();
  }

  /** Takes a record from the thread. @returns whether the thread is done with the request */
  take(record: RingRecord): boolean {
    switch (record.kind) {
      case FROM_APP.HEAD:
        return this.#head(record);
      case FROM_APP.CHUNK:
        this.#stream?.push(record.bytes);
        return false;
      case FROM_APP.END:
        this.#finish();
        this.#stream?.end();
        return false;
      case FROM_APP.FAIL:
        this.fail(readError(record.texts[0] as string));
        return false;
      case FROM_APP.EARLY:
        if (!this.#isSettled) this.request.exchange.inform?.(this.#headers(record));
        return false;
      case FROM_APP.WANT:
        this.#want(record.a);
        return false;
      case FROM_APP.LOG:
        logLine(this.request.exchange.log, record.a, record.texts);
        return false;
      default:
        this.#finish();
        return record.kind === FROM_APP.DONE;
    }
  }

  #waited(error?: unknown): void {
    this.#queued?.(error);
    this.#queued = null;
  }

  /** It cannot be answered, or not to its end. */
  fail(error: unknown): void {
    this.#waited(error);
    this.#finish();
    if (!this.#isSettled) {
      this.#isSettled = true;
      this.#reject(error);
    } else this.#stream?.fail(error);
  }

  /** The client has left: what has not begun never does, what has is told. */
  leave(): void {
    const thread = this.#thread;
    if (thread === null) this.#events.left(this);
    else if (!thread.takeBack(this)) thread.send(TO_APP.GONE, { id: this.id });
    this.fail(clientGone());
  }

  #head({ a: status, b, texts, bytes }: RingRecord): boolean {
    const isFinished = (b & FINISHED) !== 0;
    const kind = b & ~FINISHED;
    if (isFinished) this.#finish();
    if (this.#isSettled) return isFinished;
    this.#isSettled = true;
    const headers = (this.#thread as CallThread).headersOf(texts);
    if (kind !== BODY.FOLLOWS) {
      this.#resolve({ kind: "response", status, headers, body: kind === BODY.NONE ? null : bytes });
      return isFinished;
    }
    this.isStreaming = true;
    const stream = new AnswerStream(WINDOW_BYTES / 2, {
      taken: (taken) => this.#thread?.send(TO_APP.CREDIT, { id: this.id, a: taken }),
      left: () => this.leave(),
    });
    this.#stream = stream;
    this.#resolve({ kind: "response", status, headers, body: stream, close: () => stream.leave() });
    return false;
  }

  #headers({ texts }: RingRecord): HeaderList {
    return (this.#thread as CallThread).headersOf(texts);
  }

  #want(bytes: number): void {
    if (this.#isSettled && this.#stream === null) return;
    this.#feed ??= new BodyFeed(this.request.body, {
      piece: (piece) => this.#send(TO_APP.BODY, { bytes: piece }),
      ended: () => this.#send(TO_APP.BODY_END, {}),
      failed: (error) => this.#send(TO_APP.BODY_FAIL, { texts: [writeError(asGatewayError(error))] }),
    });
    this.#feed.want(bytes);
  }

  #send(kind: number, parts: RecordParts): void {
    this.#thread?.send(kind, { ...parts, id: this.id });
  }

  /** Nothing is expected of the client's side any more. */
  #finish(): void {
    this.request.signal.removeEventListener("abort", this.#onAbort);
    this.#feed?.end();
  }
}

function asGatewayError(error: unknown): unknown {
  return error instanceof Error ? error : new GatewayError("GW_BODY_CUT", 400, String(error));
}
