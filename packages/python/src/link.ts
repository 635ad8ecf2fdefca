// The connection to one worker process: batches out, frames in, streams by number.
import type { Duplex } from "node:stream";
import { type GatewayError, isGatewayError } from "@gw/core";
import { countPassing, lend } from "@gw/core/node";
import { BatchDecoder, type Part } from "./codec/batch-decoder.ts";
import { BatchWriter, rawBodyHead } from "./codec/batch-writer.ts";
import { FROM_PYTHON, MAX_BATCH_FRAMES, RAW_FROM_BYTES, TO_PYTHON } from "./codec/frames.ts";
import { MarshalReader, protocolError } from "./codec/marshal-reader.ts";
import type { MarshalWriter } from "./codec/marshal-writer.ts";
import type { LinkEvents, LinkStream } from "./link-events.ts";
import { StreamTable } from "./stream-table.ts";

/** One link. Frames wait for the end of the loop's turn or a full batch, whichever is first. */
export class Link {
  readonly #socket: Duplex;
  readonly #events: LinkEvents;
  readonly #writer = new BatchWriter();
  readonly #decoder = new BatchDecoder();
  readonly #streams = new StreamTable<LinkStream>();
  /** Those of the streams that are open sockets. */
  readonly #sockets = new Set<number>();
  #isScheduled = false;
  #isClosed = false;

  constructor(socket: Duplex, events: LinkEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on("data", (chunk: Uint8Array) => this.#feed(chunk));
    // A worker that dies resets the connection; its exit tells more.
    socket.on("error", () => {});
  }

  /** Requests and sockets under way. */
  get streams(): Iterable<readonly [id: number, stream: LinkStream]> {
    return this.#streams;
  }

  /** How many are under way. */
  get size(): number {
    return this.#streams.size;
  }

  /** How many of them are open sockets. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /**
   * Begins a stream with a frame of `size` values.
   *
   * @returns its number; what `write` throws is thrown, and nothing has begun
   */
  open(stream: LinkStream, op: number, size: number, write: (marshal: MarshalWriter) => void): number {
    const id = this.#streams.nextId();
    this.#writer.request(op, id, size, write);
    this.#streams.set(id, stream);
    this.#schedule();
    return id;
  }

  /** Forgets a stream: nothing more is told to it. */
  release(id: number): void {
    this.#sockets.delete(id);
    if (this.#streams.delete(id)) this.#events.released();
  }

  /** A stream is an open socket from now on: it may last for days, and takes no room of requests. */
  becomeSocket(id: number): void {
    if (this.#streams.get(id) === undefined) return;
    this.#sockets.add(id);
    this.#events.released();
  }

  /** Sends bytes of a request body. `taken`: the system has them, or they were copied. */
  body(id: number, bytes: Uint8Array, hasMore: boolean, taken?: () => void): void {
    if (bytes.length > RAW_FROM_BYTES) {
      this.flush();
      this.#write(rawBodyHead(id, bytes.length, hasMore));
      this.#write(bytes, taken);
      return;
    }
    const frame = this.#writer.frame(TO_PYTHON.BODY, id, 4);
    frame.bytes(bytes);
    frame.boolean(hasMore);
    this.#schedule();
    taken?.();
  }

  /** Says that nobody waits for the answer any more. */
  gone(id: number): void {
    this.#writer.frame(TO_PYTHON.GONE, id, 2);
    this.#schedule();
  }

  /** Lets the worker send this many bytes more. */
  credit(id: number, bytes: number): void {
    this.#writer.frame(TO_PYTHON.CREDIT, id, 3).int(bytes);
    this.#schedule();
  }

  /** Says whether a file that the worker named is open here: it may close its own, or has to send the bytes. */
  opened(id: number, isOpen: boolean): void {
    this.#writer.frame(TO_PYTHON.OPENED, id, 3).boolean(isOpen);
    this.#schedule();
  }

  /** Sends a socket's message. */
  message(id: number, message: Uint8Array, isText: boolean): void {
    const frame = this.#writer.frame(TO_PYTHON.MESSAGE, id, 4);
    frame.bytes(message);
    frame.boolean(isText);
    this.#schedule();
  }

  /** Says that a socket has closed. */
  closed(id: number, code: number, reason: string): void {
    const frame = this.#writer.frame(TO_PYTHON.CLOSED, id, 4);
    frame.int(code);
    frame.text(reason);
    this.#schedule();
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.#writer.frame(TO_PYTHON.PING, 0, 2);
    this.flush();
  }

  /** No requests follow: the worker may end. */
  drain(): void {
    this.#writer.frame(TO_PYTHON.DRAIN, 0, 2);
    this.flush();
  }

  /** Sends what waits. */
  flush(): void {
    const batch = this.#writer.take();
    if (batch !== null) this.#write(batch);
  }

  /** The worker is gone, or is to be: every stream is told. */
  end(error: GatewayError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const streams = [...this.#streams].map(([, stream]) => stream);
    this.#streams.clear();
    this.#sockets.clear();
    for (const stream of streams) stream.lost(error);
  }

  #schedule(): void {
    if (this.#writer.frames >= MAX_BATCH_FRAMES) return this.flush();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  #write(bytes: Uint8Array, taken?: () => void): void {
    if (this.#isClosed || !this.#socket.writable) return;
    this.#socket.write(bytes, taken && ((error) => error == null && taken()));
  }

  #feed(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    try {
      let lent = 0;
      for (const part of this.#decoder.feed(chunk)) {
        if (part.kind === "raw") lent += part.bytes.length;
        else lent = Number.NEGATIVE_INFINITY; // what is read out of a batch may lie in it
        this.#take(part);
      }
      if (lent >= 0 && this.#decoder.isEmpty) lend(chunk, lent);
      else countPassing(chunk.length);
    } catch (error) {
      this.#events.broken(isGatewayError(error) ? error : protocolError(String(error)));
    }
  }

  #take(part: Part): void {
    if (part.kind === "raw") return this.#rawPiece(part);
    const reader = new MarshalReader(part.bytes);
    for (let count = reader.list(); count > 0; count--) this.#frame(reader);
    if (!reader.isAtEnd) throw protocolError("bytes after a batch");
  }

  #rawPiece({ stream: id, op, bytes, isLast }: Extract<Part, { kind: "raw" }>): void {
    if (op !== FROM_PYTHON.CHUNK && op !== FROM_PYTHON.LAST) throw protocolError(`a raw frame of kind ${op}`);
    this.#streams.get(id)?.chunk(bytes, isLast && op === FROM_PYTHON.LAST);
  }

  #frame(reader: MarshalReader): void {
    reader.tuple();
    const op = reader.int();
    const stream = this.#streams.get(reader.int());
    switch (op) {
      case FROM_PYTHON.FULL:
      case FROM_PYTHON.HEAD: {
        const head = { status: reader.int(), flat: reader.pairs(), hasTrailers: reader.boolean() };
        const body = reader.bytes();
        return stream?.head(head, body, op === FROM_PYTHON.HEAD);
      }
      case FROM_PYTHON.CHUNK:
      case FROM_PYTHON.LAST: {
        const bytes = reader.bytes();
        return stream?.chunk(bytes, op === FROM_PYTHON.LAST);
      }
      case FROM_PYTHON.CREDIT: {
        const bytes = reader.int();
        return stream?.credit(bytes);
      }
      case FROM_PYTHON.FAIL: {
        const message = reader.text();
        return stream?.fail(message);
      }
      case FROM_PYTHON.TRAILERS:
      case FROM_PYTHON.EARLY: {
        const flat = reader.pairs();
        return op === FROM_PYTHON.EARLY ? stream?.early(flat) : stream?.trailers(flat);
      }
      case FROM_PYTHON.FILE: {
        const head = { status: reader.int(), flat: reader.pairs(), hasTrailers: false };
        const part = { path: reader.text(), first: Number(reader.text()), count: Number(reader.text()) };
        return stream?.file(head, part);
      }
      default:
        return this.#socketFrame(op, stream, reader);
    }
  }

  #socketFrame(op: number, stream: LinkStream | undefined, reader: MarshalReader): void {
    switch (op) {
      case FROM_PYTHON.ACCEPT: {
        const subprotocol = reader.textOrNone();
        const flat = reader.pairs();
        return stream?.accept(subprotocol, flat);
      }
      case FROM_PYTHON.MESSAGE: {
        const message = reader.message();
        return stream?.message(message);
      }
      case FROM_PYTHON.CLOSE: {
        const code = reader.int();
        const reason = reader.text();
        return stream?.close(code, reason);
      }
      case FROM_PYTHON.BUSY:
        return stream?.busy();
      default:
        return this.#ownFrame(op, reader);
    }
  }

  #ownFrame(op: number, reader: MarshalReader): void {
    switch (op) {
      case FROM_PYTHON.READY:
        return this.#events.ready(reader.facts());
      case FROM_PYTHON.FAILED: {
        const stage = reader.text();
        return this.#events.failed(stage, reader.text());
      }
      case FROM_PYTHON.FILES:
        return this.#events.files(reader.texts());
      case FROM_PYTHON.PONG:
        return this.#events.pong();
      case FROM_PYTHON.LIMIT:
        return this.#events.limit(reader.int());
      default:
        throw protocolError(`a frame of kind ${op}`);
    }
  }
}
