// One call of an ASGI app from a thread that waits for it: what a WSGI server gets is an iterable.
import { createContext, isGatewayError, reasonPhrase } from "@gw/core";
import type { Environ, StartResponse, WsgiIterable } from "@gw/wsgi";
import {
  BODY,
  FINISHED,
  FROM_APP,
  headTooLong,
  logLine,
  PIECE_BYTES,
  type RecordParts,
  type RingRecord,
  readEnviron,
  readError,
  TO_APP,
  threadRuntime,
  WINDOW_BYTES,
  writeError,
  writeRequest,
} from "@gw/wsgi/threads";
import { errorsLogger } from "./errors-logger.ts";

/** The thread as its calls see it. */
export interface CallerThread {
  send(kind: number, parts: RecordParts): void;
  waitFor(isThere: () => boolean): void;
  forget(id: number): void;
}

/** One call. */
export class SyncCall implements WsgiIterable {
  readonly #id: number;
  readonly #environ: Environ;
  readonly #thread: CallerThread;
  #head: RingRecord | null = null;
  readonly #chunks: Uint8Array[] = [];
  #error: Error | null = null;
  /** What the app wants of the body and has not got. */
  #wanted = 0;
  #taken = 0;
  #isEnded = false;
  #isClosed = false;

  constructor(id: number, environ: Environ, thread: CallerThread) {
    this.#id = id;
    this.#environ = environ;
    this.#thread = thread;
  }

  /** Sends the request and waits for the head. */
  begin(startResponse: StartResponse): WsgiIterable {
    try {
      this.#request();
      this.#waitFor(() => this.#head !== null);
      const { a: status, b, texts, bytes } = this.#head as unknown as RingRecord;
      startResponse(`${status} ${reasonPhrase(status)}`, pairsOf(texts));
      if ((b & ~FINISHED) === BODY.FOLLOWS) return this;
      this.close();
      return (b & ~FINISHED) === BODY.NONE ? [] : [bytes];
    } catch (error) {
      this.close();
      throw error;
    }
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (;;) {
      this.#waitFor(() => this.#chunks.length > 0 || this.#isEnded);
      const chunk = this.#chunks.shift();
      if (chunk === undefined) return;
      yield chunk;
      // Whoever comes back for more has sent it.
      this.#credit(chunk.length);
    }
  }

  /** The server is done with the answer; for an app that is not, this is a disconnect. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#thread.forget(this.#id);
    if (this.#isEnded || (this.#head !== null && (this.#head.b & FINISHED) !== 0)) return;
    try {
      this.#thread.send(TO_APP.GONE, { id: this.#id });
    } catch {
      // There is no thread any more that could be told.
    }
  }

  /** Takes a record about it. */
  take(record: RingRecord): void {
    switch (record.kind) {
      case FROM_APP.HEAD:
        this.#head = record;
        return;
      case FROM_APP.CHUNK:
        this.#chunks.push(record.bytes);
        return;
      case FROM_APP.WANT:
        this.#wanted += record.a;
        return;
      case FROM_APP.EARLY:
        this.#environ["wsgi.early_hints"]?.(pairsOf(record.texts));
        return;
      case FROM_APP.LOG:
        return logLine(errorsLogger(this.#environ), record.a, record.texts);
      case FROM_APP.FAIL:
        this.#error = readError(record.texts[0] as string);
        this.#isEnded = true;
        return;
      case FROM_APP.END:
        this.#isEnded = true;
    }
  }

  #request(): void {
    const { request } = readEnviron(this.#environ, threadRuntime(createContext()));
    const { length } = request.body;
    const record = writeRequest({
      ...request,
      length,
      variables: {},
      keys: "",
      canInform: this.#environ["wsgi.early_hints"] !== undefined,
      isBodyRemote: length !== 0,
    });
    try {
      this.#thread.send(TO_APP.REQUEST, { id: this.#id, ...record });
    } catch (error) {
      throw error instanceof RangeError ? headTooLong(431) : error;
    }
  }

  /** Waits for the app. What it wants of the body is read first, but not before what it has sent is on its way. */
  #waitFor(isThere: () => boolean): void {
    for (;;) {
      this.#thread.waitFor(() => this.#error !== null || this.#wanted > 0 || isThere());
      if (isThere() && this.#error === null) return;
      if (this.#error !== null && this.#chunks.length === 0) throw this.#error;
      if (isThere()) return;
      if (this.#wanted > 0) this.#readBody();
    }
  }

  #readBody(): void {
    const input = this.#environ["wsgi.input"];
    const size = Math.min(this.#wanted, PIECE_BYTES);
    try {
      const bytes = input.read1?.(size) ?? input.read(size);
      if (bytes.length === 0) {
        this.#wanted = 0;
        this.#thread.send(TO_APP.BODY_END, { id: this.#id });
      } else {
        this.#wanted -= bytes.length;
        this.#thread.send(TO_APP.BODY, { id: this.#id, bytes });
      }
    } catch (error) {
      // The thread itself is gone or hangs: nobody is there to be told of the body.
      if (isGatewayError(error, "GW_THREAD_DIED") || isGatewayError(error, "GW_THREAD_TIMEOUT")) throw error;
      this.#wanted = 0;
      this.#thread.send(TO_APP.BODY_FAIL, { id: this.#id, texts: [writeError(error)] });
    }
  }

  #credit(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < WINDOW_BYTES / 2 || this.#isEnded) return;
    this.#thread.send(TO_APP.CREDIT, { id: this.#id, a: this.#taken });
    this.#taken = 0;
  }
}

function pairsOf(flat: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < flat.length; at += 2) pairs.push([flat[at] as string, flat[at + 1] as string]);
  return pairs;
}
