// One connection to a backend: socket ↔ codec ↔ the one request that uses it.
import { connect, type Socket } from "node:net";
import { type Address, type MaybePromise, upstreamAddressText } from "@gw/core";
import type { ProtocolStatus } from "../codec/constants.ts";
import { RequesterConnection } from "../codec/requester.ts";
import { FastcgiError } from "./errors.ts";

/** Who is told what comes for a request. */
export interface CallSink {
  output(bytes: Uint8Array): void;
  error(bytes: Uint8Array): void;
  /** FCGI_END_REQUEST. */
  ended(protocolStatus: ProtocolStatus | null): void;
  /** The connection is gone before that. */
  lost(reason: unknown): void;
}

/** A connection that carries one request at a time. */
export class BackendConnection {
  readonly #socket: Socket;
  readonly #machine: RequesterConnection = new RequesterConnection();
  readonly #onClose: (connection: BackendConnection) => void;
  #sink: CallSink | null = null;
  #isBroken = false;
  /** Requests it has carried. */
  uses = 0;

  private constructor(socket: Socket, onClose: (connection: BackendConnection) => void) {
    this.#socket = socket;
    this.#onClose = onClose;
    socket.setNoDelay(true);
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
    return !this.#isBroken && this.#sink === null && this.#machine.isClean && !this.#socket.destroyed;
  }

  /** Begins a request and gives its id. */
  begin(sink: CallSink): number {
    this.#sink = sink;
    this.uses++;
    this.#socket.ref();
    if (this.#socket.isPaused()) this.#socket.resume();
    return this.#machine.begin();
  }

  /** Writes; a promise settles when the backend has taken enough, or is gone. */
  write(pieces: readonly Uint8Array[]): MaybePromise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    let hasRoom = true;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) hasRoom = socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    return hasRoom ? undefined : this.#drained();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Nobody uses it for now; it keeps no process alive. */
  rest(): void {
    this.#sink = null;
    this.resume(); // so that a close is seen
    this.#socket.unref();
  }

  destroy(): void {
    this.#isBroken = true;
    this.#sink = null;
    this.#socket.destroy();
  }

  #feed(chunk: Uint8Array): void {
    for (const event of this.#machine.feed(chunk)) {
      if (event.kind === "output") this.#sink?.output(event.bytes);
      else if (event.kind === "error") this.#sink?.error(event.bytes);
      else if (event.kind === "end") this.#end(event.protocolStatus);
    }
    if (this.#machine.failure !== null) this.#lose(this.#machine.failure);
  }

  #end(protocolStatus: ProtocolStatus | null): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.ended(protocolStatus);
  }

  #lose(reason: unknown): void {
    this.#isBroken = true;
    const sink = this.#sink;
    this.#sink = null;
    this.#socket.destroy();
    sink?.lost(reason);
  }

  #closed(): void {
    this.#lose(cut("the connection to the backend was closed"));
    this.#onClose(this);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off("drain", done);
        this.#socket.off("close", done);
        resolve();
      };
      this.#socket.on("drain", done);
      this.#socket.on("close", done);
    });
  }
}

function cut(message: string, cause?: unknown): FastcgiError {
  return new FastcgiError("GW_FCGI_ANSWER_CUT", message, { cause });
}
