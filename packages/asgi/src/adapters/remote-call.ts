// One call of an ASGI app whose caller is another thread.
import {
  emptyBody,
  emptyState,
  GatewayError,
  type HeaderList,
  type HttpRequest,
  type HttpResponse,
  incomingBody,
  OpenExchange,
  pumpBody,
  type RequestBody,
  type Runtime,
} from "@gw/core";
import {
  AnswerStream,
  BODY,
  clientGone,
  FINISHED,
  FROM_APP,
  PIECE_BYTES,
  type PlainHead,
  type RecordParts,
  type RingRecord,
  readError,
  readRequest,
  TO_APP,
  threadLogger,
  WINDOW_BYTES,
  writeError,
} from "@gw/wsgi/threads";

type Send = (kind: number, parts: RecordParts) => void;

/** One call: its answer goes back as the caller takes it. */
export class RemoteCall {
  readonly #record: RingRecord;
  readonly #runtime: Runtime;
  readonly #send: Send;
  readonly #gone = new AbortController();
  #body: AnswerStream | null = null;
  #credit = WINDOW_BYTES;
  #onCredit: () => void = () => {};

  constructor(record: RingRecord, runtime: Runtime, send: Send) {
    this.#record = record;
    this.#runtime = runtime;
    this.#send = send;
  }

  /** Calls the app and sends its answer. Never rejects. */
  async run(): Promise<void> {
    const exchange = new RemoteExchange(this.#runtime, this.#record, this.#send);
    let status = 500;
    try {
      const answer = (await this.#runtime.app.handle(this.#request(exchange))) as HttpResponse;
      status = answer.status;
      const bytesSent = await this.#answer(answer);
      exchange.end({ status, bytesSent, result: "sent", error: null });
    } catch (error) {
      this.#tell(FROM_APP.FAIL, { texts: [writeError(error)] });
      exchange.end({ status, bytesSent: 0, result: this.#gone.signal.aborted ? "gone" : "cut", error });
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
        return this.#body?.fail(readError(texts[0] as string));
      case TO_APP.CREDIT:
        this.#credit += a;
        return this.#onCredit();
      case TO_APP.GONE:
        this.#gone.abort(clientGone());
        this.#body?.fail(new GatewayError("GW_BODY_CUT", 400, "the client has gone"));
        this.#onCredit();
    }
  }

  #request(exchange: RemoteExchange): HttpRequest {
    const head = readRequest(this.#record);
    const { method, scheme, target, mount, path, query, protocol, headers, client, server, principal } = head;
    return {
      kind: "http",
      ...{ method, scheme, target, mount, path, query, protocol, headers, client, server, principal },
      body: this.#bodyOf(head, exchange),
      tls: null,
      params: new Map(),
      state: emptyState,
      signal: this.#gone.signal,
      exchange,
    };
  }

  #bodyOf({ isBodyRemote, length }: PlainHead, exchange: RemoteExchange): RequestBody {
    if (!isBodyRemote) return emptyBody;
    return incomingBody({
      length,
      exchange,
      open: () => {
        const want = (bytes: number): void => this.#tell(FROM_APP.WANT, { a: bytes });
        this.#body = new AnswerStream(PIECE_BYTES / 2, { taken: want, left: () => {} });
        want(PIECE_BYTES);
        return this.#body;
      },
    });
  }

  async #answer(answer: HttpResponse): Promise<number> {
    const { status, headers, body } = answer;
    const texts = headers.toFlat();
    if (body === null || (body instanceof Uint8Array && body.length <= PIECE_BYTES)) {
      await answer.close?.();
      this.#tell(FROM_APP.HEAD, {
        a: status,
        b: FINISHED | (body === null ? BODY.NONE : BODY.WHOLE),
        texts,
        ...(body !== null && { bytes: body }),
      });
      return body?.length ?? 0;
    }
    this.#tell(FROM_APP.HEAD, { a: status, b: BODY.FOLLOWS, texts });
    const { bytesSent } = await pumpBody(answer, { write: (chunk) => this.#write(chunk), signal: this.#gone.signal });
    this.#tell(FROM_APP.END, {});
    return bytesSent;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#credit <= 0) {
        await new Promise<void>((done) => {
          this.#onCredit = done;
        });
      }
      if (this.#gone.signal.aborted) throw clientGone();
      const piece = chunk.subarray(at, at + Math.min(PIECE_BYTES, Math.max(0, this.#credit)));
      this.#credit -= piece.length;
      at += piece.length;
      if (piece.length > 0) this.#tell(FROM_APP.CHUNK, { bytes: piece });
    }
    // The next chunk is asked for once this one has been taken: as if it were written to a socket of one window.
    if (this.#credit <= 0) {
      await new Promise<void>((done) => {
        this.#onCredit = done;
      });
    }
  }

  #tell(kind: number, parts: RecordParts): void {
    this.#send(kind, { ...parts, id: this.#record.id });
  }
}

/** The exchange as the thread sees it: its log and its early hints are the caller's. */
class RemoteExchange extends OpenExchange {
  declare readonly inform?: (headers: HeaderList) => void;
  readonly #log: ReturnType<typeof threadLogger>;

  constructor(runtime: Runtime, record: RingRecord, send: Send) {
    super(runtime);
    this.maxBodyBytes = Number.POSITIVE_INFINITY; // the caller's side has a limit
    this.#log = threadLogger((level, texts) => send(FROM_APP.LOG, { id: record.id, a: level, texts }));
    if (readRequest(record).canInform) {
      this.inform = (headers) => send(FROM_APP.EARLY, { id: record.id, texts: headers.toFlat() });
    }
  }

  override get log(): ReturnType<typeof threadLogger> {
    return this.#log;
  }
}
