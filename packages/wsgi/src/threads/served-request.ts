// One request in the thread that runs the app.
import {
  type Exchange,
  emptyBody,
  emptyState,
  type HeaderList,
  type HttpRequest,
  type HttpResponse,
  isBodilessStatus,
  type Logger,
  memoryBody,
  OpenExchange,
  type Runtime,
} from "@gw/core";
import { callApp } from "../call.ts";
import type { Concurrency } from "../environ.ts";
import type { Head, HeadReader } from "../head.ts";
import type { WsgiApp } from "../types.ts";
import type { RecordParts } from "./channel.ts";
import { writeError } from "./error-record.ts";
import { clientGone } from "./errors.ts";
import { BODY, FINISHED, FROM_APP, PIECE_BYTES, TO_APP, WINDOW_BYTES } from "./protocol.ts";
import { RemoteBody } from "./remote-body.ts";
import { type PlainHead, readRequest } from "./request-record.ts";
import type { RingRecord } from "./ring.ts";
import { threadLogger } from "./thread-log.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** The thread as its requests see it. */
export interface ServingThread {
  readonly app: WsgiApp;
  readonly concurrency: Concurrency;
  readonly heads: HeadReader;
  readonly runtime: Runtime;
  /** Sends a record; blocks while there is no room for it. */
  send(kind: number, parts: RecordParts): void;
  /** The same for the end of an answer, which need not be announced at once. */
  sendLast(kind: number, parts: RecordParts): void;
  /** Blocks until something has arrived. */
  waitForClient(): void;
  /** The request can go on. */
  ready(request: ServedRequest): void;
}

/** One request: begun once, then walked chunk by chunk as the client takes them. */
export class ServedRequest {
  readonly id: number;
  readonly #record: RingRecord;
  readonly #thread: ServingThread;
  #body: RemoteBody | null = null;
  #response: HttpResponse | null = null;
  #chunks: Iterator<Uint8Array> | null = null;
  /** Given by the app, not yet sent. */
  #rest: Uint8Array = NOTHING;
  #credit = WINDOW_BYTES;
  #isGone = false;
  #isHeadSent = false;
  /** Nothing more happens to it. */
  isOver = false;

  constructor(record: RingRecord, thread: ServingThread) {
    this.id = record.id;
    this.#record = record;
    this.#thread = thread;
  }

  /** Calls the app and sends what it gives at once. */
  begin(): void {
    try {
      const head = readRequest(this.#record);
      const request = this.#requestOf(head);
      const response = callApp(this.#thread.app, request, this.#thread.concurrency, this.#thread.heads, {
        variables: head.variables,
        keys: head.keys === "" ? {} : (JSON.parse(head.keys) as Record<string, unknown>),
        write: (start, data) => this.#write(start, data),
      });
      this.#answer(response, request);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Sends the next chunk, or what is left of one; ends when there is none, or when the client has left. */
  walk(): void {
    try {
      if (this.#isGone) return this.#finish();
      if (this.#rest.length === 0) {
        const step = (this.#chunks as Iterator<Uint8Array>).next();
        if (step.done) return this.#end();
        this.#rest = step.value;
      }
      this.#sendPiece();
      if (this.#credit > 0 || this.#isGone) this.#thread.ready(this);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes a record about it. */
  take({ kind, a, bytes, texts }: RingRecord): void {
    switch (kind) {
      case TO_APP.BODY:
        return this.#body?.push(bytes);
      case TO_APP.BODY_END:
        return this.#body?.end();
      case TO_APP.BODY_FAIL:
        return this.#body?.fail(texts[0] as string);
      case TO_APP.CREDIT:
        if (this.#credit <= 0 && this.#chunks !== null) this.#thread.ready(this);
        this.#credit += a;
        return;
      case TO_APP.GONE:
        this.#isGone = true;
        if (this.#chunks !== null) this.#thread.ready(this);
    }
  }

  #requestOf(head: PlainHead): HttpRequest {
    const { method, scheme, target, mount, path, query, protocol, headers, client, server, principal } = head;
    return {
      kind: "http",
      ...{ method, scheme, target, mount, path, query, protocol, headers, client, server, principal },
      body: this.#bodyOf(head),
      tls: null,
      params: NO_PARAMS,
      state: emptyState,
      signal: NEVER,
      exchange: new ThreadExchange(this.#thread, this.id, head.canInform),
    };
  }

  #bodyOf({ isBodyRemote, length }: PlainHead): HttpRequest["body"] {
    if (!isBodyRemote) return length === 0 ? emptyBody : memoryBody(this.#record.bytes);
    this.#body = new RemoteBody(length, {
      want: (bytes) => this.#thread.send(FROM_APP.WANT, { id: this.id, a: bytes }),
      wait: () => this.#thread.waitForClient(),
      // Nor does a request that is over get anything: code that reads on would block the thread for ever.
      isGone: () => this.#isGone || this.isOver,
    });
    return this.#body;
  }

  #answer(response: HttpResponse, { method }: HttpRequest): void {
    this.#response = response;
    const { body } = response;
    if (!this.#isHeadSent && (body === null || (body instanceof Uint8Array && body.length <= PIECE_BYTES))) {
      return this.#sendWhole(response, body);
    }
    if (!this.#isHeadSent) this.#sendHead(withLength(response, method), BODY.FOLLOWS);
    const chunks = body === null ? [] : body instanceof Uint8Array ? [body] : (body as Iterable<Uint8Array>);
    this.#chunks = chunks[Symbol.iterator]();
    if (this.#credit > 0 || this.#isGone) this.#thread.ready(this);
  }

  #sendWhole(response: HttpResponse, body: Uint8Array | null): void {
    const kind = body === null ? BODY.NONE : BODY.WHOLE;
    if (response.close !== undefined) {
      this.#sendHead(response, kind, body ?? NOTHING);
      return this.#finish();
    }
    this.isOver = true;
    const { status, headers } = response;
    const parts = { id: this.id, a: status, b: kind | FINISHED, texts: headers.toFlat(), bytes: body ?? NOTHING };
    this.#thread.sendLast(FROM_APP.HEAD, parts);
  }

  #sendHead(
    { status, headers }: Pick<HttpResponse, "status" | "headers">,
    b: number,
    bytes: Uint8Array = NOTHING,
  ): void {
    this.#thread.send(FROM_APP.HEAD, { id: this.id, a: status, b, texts: headers.toFlat(), bytes });
    this.#isHeadSent = true;
  }

  /** `write()`: the data leaves now; the app waits while its client takes no more. */
  #write({ status, headers }: Head, data: Uint8Array): void {
    if (!this.#isHeadSent) this.#sendHead({ status, headers }, BODY.FOLLOWS);
    if (isBodilessStatus(status) || this.#record.texts[0] === "HEAD") return;
    this.#rest = data;
    while (this.#rest.length > 0) {
      if (this.#isGone) throw clientGone();
      if (this.#credit > 0) this.#sendPiece();
      else this.#thread.waitForClient();
    }
  }

  #sendPiece(): void {
    const bytes = this.#rest.subarray(0, Math.min(PIECE_BYTES, this.#credit));
    this.#rest = this.#rest.subarray(bytes.length);
    this.#credit -= bytes.length;
    if (bytes.length > 0) this.#thread.send(FROM_APP.CHUNK, { id: this.id, bytes });
  }

  /** The iterable has come to its end. As on the main thread, a `close()` that fails cuts the answer. */
  #end(): void {
    this.#response?.close?.();
    this.#response = null;
    this.#thread.send(FROM_APP.END, { id: this.id });
    this.#finish();
  }

  #fail(error: unknown): void {
    this.#thread.send(FROM_APP.FAIL, { id: this.id, texts: [writeError(error)] });
    this.#finish();
  }

  /** Closes what is open, and says that the thread is done with the request. */
  #finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#rest = NOTHING;
    try {
      this.#response?.close?.();
    } catch (error) {
      this.log.error({ err: error }, "close() of a WSGI iterable failed");
    }
    this.#thread.send(FROM_APP.DONE, { id: this.id });
  }

  /** Its part of the log. */
  get log(): Logger {
    return threadLogger((level, texts) => this.#thread.send(FROM_APP.LOG, { id: this.id, a: level, texts }));
  }
}

/** A body that is there whole goes out in pieces, but its length is known. */
function withLength(response: HttpResponse, method: string): HttpResponse {
  const { body, headers, status } = response;
  if (!(body instanceof Uint8Array) || method === "HEAD" || isBodilessStatus(status) || headers.has("content-length"))
    return response;
  return { ...response, headers: headers.append("Content-Length", String(body.length)) };
}

const NEVER: AbortSignal = new AbortController().signal;
const NO_PARAMS: ReadonlyMap<string, string> = new Map();

/** The exchange as the thread sees it: its log and its early hints are the gateway's. */
class ThreadExchange extends OpenExchange implements Exchange {
  declare readonly inform?: (headers: HeaderList) => void;
  readonly #log: Logger;

  constructor(thread: ServingThread, id: number, canInform: boolean) {
    super(thread.runtime);
    this.#log = threadLogger((level, texts) => thread.send(FROM_APP.LOG, { id, a: level, texts }));
    if (canInform) this.inform = (headers) => thread.send(FROM_APP.EARLY, { id, texts: headers.toFlat() });
  }

  override get log(): Logger {
    return this.#log;
  }
}
