// Standard output of a CGI program: one system call for a small answer, a stream with back-pressure for a large one.
import type { Socket } from "node:net";
import type { MaybePromise } from "@gw/core";
import { fs, net } from "./builtins.ts";

/** What an empty pipe takes without waiting (pipe(7)). A smaller one only makes us wait, with nothing else to do. */
const PIPE_BYTES = 65_536;

/** A descriptor to write the answer to. */
export class ProgramOutput {
  readonly #descriptor: number;
  readonly #onGone: () => void;
  /** Bytes that may still be written at once; a file takes any number. */
  #room: number;
  #socket: Socket | null = null;
  #failure: Error | null = null;
  #hasWritten = false;
  #isEnded = false;

  /** @param onGone called once when the reader has gone away. */
  constructor(descriptor: number, onGone: () => void) {
    this.#descriptor = descriptor;
    this.#onGone = onGone;
    const kind = fs.fstatSync(descriptor);
    this.#room = kind.isFIFO() || kind.isSocket() ? PIPE_BYTES : Number.POSITIVE_INFINITY;
  }

  /**
   * Writes a chunk; a promise settles when there is room for more.
   *
   * @throws Error (or rejects) when the reader has gone away, `EPIPE`.
   */
  write(chunk: Uint8Array): MaybePromise<void> {
    if (this.#failure !== null) throw this.#failure;
    this.#hasWritten = true;
    if (this.#socket === null && chunk.length <= this.#room) {
      const written = this.#writeNow(chunk);
      if (written === chunk.length) return;
      return this.#stream(chunk.subarray(written));
    }
    return this.#stream(chunk);
  }

  /** Writes these bytes if nothing was written before; gives up on any error. For the last moment of a process. */
  writeOnly(bytes: Uint8Array): void {
    if (this.#hasWritten || this.#isEnded) return;
    this.#hasWritten = true;
    try {
      this.#writeNow(bytes);
    } catch {
      // Nobody reads any more.
    }
  }

  /**
   * Closes the descriptor once everything is written, so that the server sees the end of the answer.
   *
   * @param isShared whether it is the socket of standard input too: then only its sending side is shut down.
   */
  async end(isShared = false): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const socket = isShared ? (this.#socket ?? this.#openSocket()) : this.#socket;
    if (socket === null) fs.closeSync(this.#descriptor);
    else if (!socket.destroyed) await new Promise<void>((done) => socket.once("close", done).destroySoon());
    // What the app still prints must hit neither a closed descriptor nor a file that took its number.
    fs.openSync("/dev/null", "w");
  }

  /** Bytes that the system took at once. */
  #writeNow(chunk: Uint8Array): number {
    let written = 0;
    try {
      while (written < chunk.length) written += fs.writeSync(this.#descriptor, chunk, written);
    } catch (error) {
      // A descriptor that does not block is full: go on as a stream.
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return written;
      this.#fail(error as Error);
      throw error;
    } finally {
      this.#room -= written;
    }
    return written;
  }

  #stream(chunk: Uint8Array): MaybePromise<void> {
    this.#socket ??= this.#openSocket();
    const socket = this.#socket;
    if (socket.write(chunk)) return;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        socket.off("drain", settle);
        socket.off("close", settle);
        if (this.#failure !== null) reject(this.#failure);
        else resolve();
      };
      socket.on("drain", settle);
      socket.on("close", settle);
    });
  }

  #openSocket(): Socket {
    const socket = new (net().Socket)({ fd: this.#descriptor, readable: false, writable: true });
    socket.on("error", (error) => this.#fail(error));
    return socket;
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#onGone();
  }
}
