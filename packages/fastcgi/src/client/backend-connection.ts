// One connection to a backend: socket ↔ codec ↔ the requests that use it, one or, where the backend takes several, several.
import { connect, type Socket } from "node:net";
import { type Address, type MaybePromise, upstreamAddressText } from "@gw/core";
import { lend } from "@gw/core/node";
import type { ProtocolStatus } from "../codec/constants.ts";
import { writeAbortRequest } from "../codec/control.ts";
import { IdTable } from "../codec/id-table.ts";
import { RequesterConnection } from "../codec/requester.ts";
import { RecordSocket } from "../record-socket.ts";
import { FastcgiError } from "./errors.ts";

/** Who is told what comes for a request. */
export interface CallSink {
  output(bytes: Uint8Array): void;
  error(bytes: Uint8Array): void;
  /** FCGI_END_REQUEST. */
  ended(protocolStatus: ProtocolStatus | null): void;
  /** The connection is gone before that. */
  lost(reason: unknown): void;
  /** Output that takes memory, because nobody has read it yet. */
  readonly unreadBytes: number;
  /** Others wait behind this output: what is not read goes to a file. */
  spill(): void;
}

/** Output that is not read yet, beyond which a connection waits (R-F20). */
const PAUSE_BYTES = 262_144;
/** Requests at once on one connection. */
const MAX_REQUESTS = 32;

/** A connection that carries one request at a time, or several. */
export class BackendConnection {
  readonly #socket: Socket;
  readonly #writer: RecordSocket;
  readonly #machine: RequesterConnection = new RequesterConnection();
  readonly #onClose: (connection: BackendConnection) => void;
  readonly #sinks: IdTable<CallSink> = new IdTable();
  #isBroken = false;
  #isReserved = false;
  /** Requests it has carried. */
  uses = 0;

  private constructor(socket: Socket, onClose: (connection: BackendConnection) => void) {
    this.#socket = socket;
    this.#onClose = onClose;
    this.#writer = new RecordSocket(socket);
    socket.on("data", (chunk) => this.#feed(chunk));
    socket.on("end", () => this.#lose(cut("the backend closed the connection before the end of its answer")));
    socket.on("error", (error) => this.#lose(cut(`the connection to the backend broke: ${error.message}`, error)));
    socket.on("close", () => this.#closed());
  }

  /**
   * Connects.
   *
   * @throws FastcgiError `GW_FCGI_UNREACHABLE`; the reason of `signal`
   */
  static open(
    address: Address,
    options: { timeoutMs: number; signal: AbortSignal; onClose: (connection: BackendConnection) => void },
  ): Promise<BackendConnection> {
    const { timeoutMs, signal, onClose } = options;
    return new Promise((resolve, reject) => {
      const socket = connect("path" in address ? { path: address.path } : { ...address, noDelay: true });
      const settle = (give: () => void): void => {
        clearTimeout(late);
        signal.removeEventListener("abort", left);
        socket.removeAllListeners();
        give();
      };
      const fail = (why: string, cause?: unknown): void =>
        settle(() => {
          socket.on("error", () => {});
          socket.destroy();
          const text = `cannot connect to the backend at ${upstreamAddressText(address)}: ${why}`;
          reject(signal.aborted ? signal.reason : new FastcgiError("GW_FCGI_UNREACHABLE", text, { cause }));
        });
      const left = (): void => fail("the client left");
      const late = setTimeout(() => fail(`no connection within ${timeoutMs} ms`), timeoutMs);
      signal.addEventListener("abort", left);
      socket.once("error", (error) => fail(error.message, error));
      socket.once("connect", () => settle(() => resolve(new BackendConnection(socket, onClose))));
      if (signal.aborted) left();
    });
  }

  /** Whether the next request may use it: nothing is under way, not even half a record (R-F13). */
  get isReusable(): boolean {
    return !this.#isBroken && this.running === 0 && this.#machine.isClean && !this.#socket.destroyed;
  }

  /** Requests under way. */
  get running(): number {
    return this.#sinks.size;
  }

  /** Whether a request may join those under way, where the backend takes several: it is alive, and nothing holds it up. */
  get isOpenToOthers(): boolean {
    const isAlive = !this.#isBroken && !this.#socket.destroyed && !this.#socket.isPaused();
    const isAtWork = this.running > 0 || this.#isReserved; // what waits may have been closed by now
    return isAlive && isAtWork && this.#machine.activeRequests < MAX_REQUESTS;
  }

  /** Somebody is about to begin a request; others may join. */
  reserved(): this {
    this.#isReserved = true;
    return this;
  }

  /** Begins a request and gives its id. */
  begin(sink: CallSink): number {
    const id = this.#machine.begin();
    this.#sinks.set(id, sink);
    this.#isReserved = false;
    this.uses++;
    this.#socket.ref();
    this.#writer.resume();
    return id;
  }

  /** Takes a request back of which nothing was written. */
  withdraw(id: number): void {
    this.#sinks.delete(id);
    this.#machine.withdraw(id);
  }

  /** Writes; a promise settles when the backend has taken enough, or is gone. `taken`: the pieces are of no use any more. */
  write(pieces: readonly Uint8Array[], taken?: () => void): MaybePromise<void> {
    return this.#writer.write(pieces, taken);
  }

  /** Writes records that are one byte string. */
  writeText(records: string): void {
    this.#writer.writeText(records);
  }

  /**
   * Reads on, or waits for who reads. A request alone holds up nobody but itself; with others behind it, its output goes to
   * a file, and the connection waits only when that is full.
   */
  flow(): void {
    let unread = 0;
    for (const sink of this.#sinks.values()) unread += sink.unreadBytes;
    if (unread <= PAUSE_BYTES) return this.#writer.resume();
    this.#writer.pause();
    if (this.running > 1) for (const sink of this.#sinks.values()) sink.spill();
  }

  /** Nobody waits for this answer any more. Closing is what every backend understands (R-F21); it must not hit others. */
  abandon(id: number): void {
    this.#sinks.delete(id);
    if (this.running === 0) return this.destroy();
    // Its id stays in use until the backend has said FCGI_END_REQUEST; what comes until then is dropped.
    void this.write([writeAbortRequest(id)]);
    this.flow();
  }

  /** Nobody uses it for now; it keeps no process alive. */
  rest(): void {
    this.#writer.resume(); // so that a close is seen
    this.#socket.unref();
  }

  destroy(): void {
    this.#isBroken = true;
    this.#sinks.clear();
    this.#socket.destroy();
  }

  #feed(chunk: Uint8Array): void {
    let outputBytes = 0;
    let isLent = true;
    for (const event of this.#machine.feed(chunk)) {
      if (event.kind === "output") {
        outputBytes += event.bytes.length;
        this.#sinks.get(event.id)?.output(event.bytes);
      } else if (event.kind === "error") {
        isLent = false; // half a line may wait for its end
        this.#sinks.get(event.id)?.error(event.bytes);
      } else if (event.kind === "end") this.#end(event.id, event.protocolStatus);
    }
    if (isLent) lend(chunk, outputBytes);
    if (this.#machine.failure !== null) this.#lose(this.#machine.failure);
    else if (this.running > 0) this.flow();
  }

  #end(id: number, protocolStatus: ProtocolStatus | null): void {
    const sink = this.#sinks.get(id);
    this.#sinks.delete(id);
    sink?.ended(protocolStatus);
  }

  #lose(reason: unknown): void {
    this.#isBroken = true;
    const sinks = this.#sinks.clear();
    this.#socket.destroy();
    for (const sink of sinks) sink.lost(reason);
  }

  #closed(): void {
    this.#isBroken = true;
    // An error takes a stack: only when somebody is told.
    if (this.running > 0) this.#lose(cut("the connection to the backend was closed"));
    this.#onClose(this);
  }
}

function cut(message: string, cause?: unknown): FastcgiError {
  return new FastcgiError("GW_FCGI_ANSWER_CUT", message, { cause });
}
